"""Fits on batches that are made where they are used."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deblurcli.inference import models
from deblurcli.inference.restorer import restorer
from training import export, recipe
from training.fitting import fit, supplies
from training.fitting.devices import DeviceError
from training.recipe import Varying

CPU = torch.device("cpu")


@pytest.fixture
def moving():
    """A recipe of a few steps on motion that varies, whose result is a mean of the weights."""
    photo = recipe.load("photo")
    return replace(
        photo,
        data=replace(photo.data, crop=64, whole=(64, 64), varying=Varying(share=0.5), crops=1, validation=2, faces=0),
        network={"name": "spectral-unet", "widths": [8, 8], "blocks": [1, 1], "gains": [8, 8]},
        schedule=replace(photo.schedule, batch=4, epochs=2, average=0.5),
    )


@pytest.fixture
def large():
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (130, 140, 3)).astype(np.uint8) for _ in range(10)]


def test_a_resumed_fit_is_the_uninterrupted_one(moving, large, cpu, tmp_path):
    whole = fit.fit(moving, large, tmp_path / "whole", fabric=cpu)
    sliced = fit.fit(moving, large, tmp_path / "sliced", minutes=0, fabric=cpu)
    assert 0 < sliced.step < whole.step == 4
    sliced = fit.fit(moving, large, tmp_path / "sliced", fabric=cpu)
    for one, other in ((sliced.network.state_dict(), whole.network.state_dict()), (sliced.average, whole.average)):
        for name, weight in one.items():
            torch.testing.assert_close(weight, other[name], rtol=0, atol=0)


def test_the_result_is_the_running_mean_of_the_weights(moving, large, cpu, tmp_path):
    done = fit.fit(moving, large, tmp_path, epochs=1, fabric=cpu)
    again = fit.fit(moving, large, tmp_path, minutes=0, fabric=cpu)  # one step more
    name = "corrected.head.bias"
    wanted = 0.5 * done.average[name] + 0.5 * again.network.state_dict()[name]
    torch.testing.assert_close(again.chosen()[0][name], wanted)
    assert again.step == done.step + 1


def test_what_was_fitted_is_exported(moving, large, cpu, tmp_path):
    fit.fit(moving, large, tmp_path / "runs" / moving.name, epochs=1, fabric=cpu)
    found = models.find(str(export.export(moving, tmp_path / "runs", tmp_path, "a test", large)))
    assert found.halo <= export.HALOS[-1] and found.card.get("epochs") == 1
    assert found.card.get("images_seen") == 8 and "spectrum" in found.card
    assert found.card.get("varying") == {"share": 0.5, "parts": 0.5, "depth": 0.0}
    restored = restorer(str(found.path)).restore(large[0])
    assert restored.shape == large[0].shape and restored.dtype == np.uint8


def test_pairs_are_counted(moving, large, cpu):
    found = supplies.rate(moving, large, cpu, seconds=0.2)
    assert found["a_second"] > 0
    assert found["megapixels_a_second"] == pytest.approx(found["a_second"] * 64 * 64 / 1e6, rel=0.1)


def test_several_devices_cannot_share_such_batches(moving, large):
    class Two:
        device, world_size, global_rank = CPU, 2, 0

    with pytest.raises(DeviceError, match="--devices 1"):
        supplies.of(moving, large, Two(), (0, 1))
