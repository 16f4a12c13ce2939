"""Pairs for a network that refines, and what it is told of their blur."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deblurcli import images, psf
from deblurcli.metrics import psnr
from tests.conftest import DATA
from training import degradation, export, networks, recipe, refinement


@pytest.fixture(scope="module")
def refine():
    """The recipe, with small pieces."""
    loaded = recipe.load("refine")
    return replace(loaded, data=replace(loaded.data, crop=48, soft=0.0))


@pytest.fixture(scope="module")
def photographs():
    return [images.read_picture(DATA / "sharp" / f"{name}.png").pixels for name in ("astronaut", "cat")]


def test_an_item_is_a_pure_function_of_its_key_and_in_order(refine, photographs):
    pairs = refinement.pairs(photographs, refine)
    inputs, sharp = pairs[3, 1]
    assert inputs.shape == (9, 48, 48) and sharp.shape == (3, 48, 48)
    assert all(torch.equal(*parts) for parts in zip((inputs, sharp), refinement.pairs(photographs, refine)[3, 1]))
    assert not torch.equal(inputs, pairs[4, 1][0])
    blurred = inputs[:3].numpy()
    np.testing.assert_allclose(blurred * 255, np.rint(blurred * 255), atol=1e-4)


def test_the_careful_answer_is_nearer_to_the_sharp_picture_than_the_blurred_one(refine, photographs):
    pairs = refinement.pairs(photographs, replace(refine, data=replace(refine.data, wrong=0.0)))
    made = [[part.numpy().transpose(1, 2, 0) for part in pairs[epoch, 0]] for epoch in range(12)]
    blurred, bold, careful = (
        np.mean([psnr(inputs[..., first : first + 3], sharp) for inputs, sharp in made]) for first in (0, 3, 6)
    )
    assert careful > blurred + 1 and careful > bold


def test_without_a_refining_network_pairs_are_plain(photographs):
    faces = recipe.load("faces")
    assert type(refinement.pairs(photographs, faces)) is refinement.Pairs


@pytest.mark.parametrize("spec", ["gaussian:sigma=2", "motion:length=11,angle=30", "defocus:radius=3"])
def test_what_is_told_strays_as_far_as_said(spec):
    parsed, rng = psf.parse(spec), np.random.default_rng(0)
    values = {name: [] for name in degradation.STRAYS[parsed.family]}
    for _ in range(300):
        for name, drawn in values.items():
            drawn.append(
                degradation._strayed(dict(parsed.values)[name], name, degradation.STRAYS[parsed.family][name], rng)
            )
    for name, drawn in values.items():
        wanted = degradation.STRAYS[parsed.family][name]
        wanted = wanted if name in degradation.ABSOLUTE else wanted * dict(parsed.values)[name]
        assert np.std(drawn) == pytest.approx(wanted, rel=0.15)
    told = degradation.mistaken(parsed, rng)
    assert told.sum() == pytest.approx(1) and not np.array_equal(told, parsed.array())


def test_a_softened_psf_keeps_its_sum_and_its_centre():
    line = psf.parse("trajectory:length=15,seed=3").array()
    soft = degradation.softened(line, 0.7)
    assert soft.sum() == pytest.approx(1, abs=1e-6) and soft.max() < line.max()
    for axis, side in enumerate(soft.shape):
        assert soft.sum(axis=1 - axis) @ np.arange(side) == pytest.approx(side // 2, abs=1e-6)


def test_a_fresh_refining_network_gives_back_the_careful_answer_also_as_onnx(tmp_path):
    network = networks.build({"name": "residual-unet", "widths": [8, 8], "blocks": [1, 1], "layers": 3}).eval()
    inputs = torch.rand(1, 9, 16, 24)
    assert torch.equal(network(inputs), inputs[:, 6:])
    export.to_onnx(network, tmp_path / "refine.onnx")
    assert export.parity(network, tmp_path / "refine.onnx") <= export.PARITY
