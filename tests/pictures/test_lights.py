"""Lights: what counts as one, and what a luma shows without them."""

import numpy as np
import pytest

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.pictures import lights


@pytest.fixture
def board() -> np.ndarray:
    """A soft checkerboard from 0.2 to 0.5, ``(128, 128)``."""
    checks = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((16, 16)))
    return blur(0.2 + 0.3 * checks[..., None].astype(np.float32), parse("gaussian:sigma=2").array())[..., 0]


def test_lights_are_filled_in_from_around(board):
    lit = board.copy()
    lit[60:64, 60:64] = 1
    filled = lights.without(lit)
    far = np.ones(board.shape, bool)
    far[53:71, 53:71] = False
    np.testing.assert_array_equal(filled[far], board[far])
    assert filled.min() > 0.15 and filled.max() < 0.55


def test_bright_and_not_clipped_is_no_light(board):
    board[60:64, 60:64] = 0.99
    assert lights.without(board) is board


def test_much_white_is_paper(board):
    board[:40, :40] = 1
    assert lights.without(board) is board


def test_white_letters_on_a_dark_ground_are_the_picture():
    page = np.full((128, 128), 0.05, np.float32)
    page[40:44, 20:60] = page[60:90, 20:24] = 1
    assert lights.without(page) is page


def test_glitter_all_over_is_no_lights(board):
    board[np.random.default_rng(0).random(board.shape) < 0.01] = 1
    assert lights.without(board) is board
