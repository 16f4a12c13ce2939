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
    board = blur(0.2 + 0.3 * checks(16)[..., None], parse("box:size=6").array())[..., 0]
    gentle = edges.steepness(board)
    assert gentle < 0.3
    board[40:44, 40:44] = 0.9
    assert edges.steepness(board) > 0.4, "bright, and not clipped"
    board[40:44, 40:44] = 1
    assert edges.steepness(board) == pytest.approx(gentle, abs=0.02)


def test_white_letters_on_a_dark_ground_do():
    page = np.full((96, 96), 0.1, np.float32)
    page[40:44, 20:40] = 1
    assert edges.steepness(page) == 1


def test_an_empty_picture_has_no_edges():
    assert edges.steepness(np.full((40, 40), 0.5, np.float32)) == 0


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_sharp(name):
    assert is_sharp(estimate(DRAWINGS[name]()))


@pytest.mark.parametrize("spec", ["motion:length=12,angle=30", "defocus:radius=4", "trajectory:length=25,seed=3"])
def test_blurred_drawings_are_not(spec):
    page = blur(DRAWINGS["table"](), parse(spec).array())
    assert edges.sharpness(to_luma(page)) < 0.1
