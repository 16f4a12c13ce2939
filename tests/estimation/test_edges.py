"""The steepness of edges, against what can be computed by hand, and what it says of photographs and drawings."""

import numpy as np
import pytest

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.estimation import edges
from deblurcli.estimation.estimate import estimate, is_sharp
from deblurcli.pictures.luma import to_luma
from tests.bench.drawings import DRAWINGS


def checks(side, count=6):
    """A checkerboard, every edge of it a step."""
    return np.kron(np.indices((count, count)).sum(axis=0) % 2, np.ones((side, side))).astype(np.float32)


def test_steps_are_as_steep_as_can_be():
    assert edges.steepness(0.2 + 0.6 * checks(16)) == 1


@pytest.mark.parametrize("angle", [0, 90])
def test_motion_makes_its_own_direction_gentle(angle):
    board = 0.2 + 0.6 * checks(16)
    moved = blur(board[..., None], parse(f"motion:length=5,angle={angle}").array())[..., 0]
    assert edges.steepness(moved) == pytest.approx(1 / 5, abs=0.01)  # of steps of equal height, one in each pixel


def test_white_lights_do_not_count():
    slope = np.tile(np.linspace(0.1, 0.6, 96, dtype=np.float32), (96, 1))
    hill = (slope + slope.T) / 2
    hill[40:44, 40:44] = 1
    assert edges.steepness(hill) == pytest.approx(1 / 6, abs=0.01)  # a slope rises evenly over six pixels
    hill[40:44, 40:44] = 0.9
    assert edges.steepness(hill) > 0.4


def test_an_empty_picture_has_no_edges():
    assert edges.steepness(np.full((40, 40), 0.5, np.float32)) == 0


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_sharp(name):
    assert is_sharp(estimate(DRAWINGS[name]()))


@pytest.mark.parametrize("spec", ["motion:length=12,angle=30", "defocus:radius=4", "trajectory:length=25,seed=3"])
def test_blurred_drawings_are_not(spec):
    page = blur(DRAWINGS["table"](), parse(spec).array())
    assert edges.sharpness(to_luma(page)) < 0.1
