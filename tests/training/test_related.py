"""The related networks as they were fitted and exported for comparison."""

import numpy as np
import pytest

from deblurcli.inference import models
from deblurcli.inference.restorer import Restorer, restorer
from deblurcli.inference.session import Session
from deblurcli.pictures import images
from tests.conftest import DATA
from training import networks, recipe
from training.evaluation.table import RELATED

FITTED = sorted(RELATED.glob("*.onnx"))


def blurred(height, width):
    """A picture of many joints, hard to tile."""
    image = images.read(DATA / "blurred" / "astronaut.png")
    return np.tile(image, (3, 3, 1))[:height, :width]


def test_every_related_recipe_has_been_fitted():
    assert {path.stem for path in FITTED} == {
        "paper-both", "paper-both-frequency", "srcnn-both", "nafnet", "dense-unet", "fusion-unet", "amsa-unet",
        "deblurgan", "fusion-unet-2h", "amsa-unet-2h", "paper-both-2h",
    }  # fmt: skip


@pytest.mark.parametrize("path", FITTED, ids=lambda path: path.stem)
def test_it_is_what_its_recipe_and_card_say(path):
    found, network = models.find(str(path)), networks.build(recipe.load(path.stem).network)
    assert found.card["sha256"] == models.sha256(path)
    assert found.card["parameters"] == sum(networks.parameters(network))
    assert found.multiple_of == network.multiple_of
    assert found.card.get("whole_pictures") == network.looks_everywhere
    assert (found.halo is None) == ("whole_pictures" in found.card)
    assert found.card["minutes"] == pytest.approx(recipe.load(path.stem).schedule.minutes, abs=0.5)


@pytest.mark.parametrize("path", FITTED, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [(101, 77), (64, 1), (3, 130)])
def test_it_takes_odd_sizes(path, size):
    image = blurred(*size)
    made = restorer(str(path)).restore(image)
    assert made.shape == image.shape and np.isfinite(made).all()


@pytest.mark.parametrize("path", FITTED, ids=lambda path: path.stem)
def test_its_tiles_join(path):
    found, image = models.find(str(path)), blurred(263, 203)
    if found.halo is None:
        assert restorer(str(path), tile=64)._spans(263)[0].keep_stop >= 263, "it is given whole pictures"
        return
    session = Session(path, "cpu")
    tiled, whole = (
        Restorer(session, found.multiple_of, halo, tile).restore(image) for halo, tile in ((found.halo, 64), (None, 0))
    )
    assert np.abs(tiled - whole).max() <= 1 / 255
