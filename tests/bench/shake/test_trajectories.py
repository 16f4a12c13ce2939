"""Pictures along a path: nothing moves, all moves alike, or a corner moves farther than the middle."""

import numpy as np
import pytest
from scipy import ndimage

from deblurcli.blur.model import blur
from tests.bench.shake.trajectories import FEWEST, Path, blurred, drawn

SIZE = (90, 120)


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    """A picture without the finest detail, where cubic and linear interpolation agree, float32 ``(H, W, 3)``."""
    made = ndimage.gaussian_filter(np.random.default_rng(0).random((*SIZE, 3)), (3, 3, 0))
    return ((made - made.min()) / np.ptp(made)).astype(np.float32)


def still(count: int) -> np.ndarray:
    """So many instants at which nothing moves."""
    return np.zeros(count)


def test_a_camera_that_does_not_move_takes_the_sharp_picture(smooth):
    path = Path(*(still(FEWEST) for _ in range(4)))
    assert blurred(smooth, path) == pytest.approx(smooth, abs=1e-5)
    assert path.psf().max() == 1 and path.variation(SIZE) == 0


def test_whole_shifts_are_a_convolution_with_their_psf():
    rng = np.random.default_rng(1)
    sharp = rng.random((*SIZE, 1), np.float32)
    down, right = np.array([-3.0, -1, 0, 4]), np.array([2.0, -5, 3, 0])
    path = Path(down, right, still(4), still(4))
    assert blurred(sharp, path) == pytest.approx(blur(sharp, path.psf()), abs=1e-5)


def test_smooth_shifts_are_a_convolution_with_their_psf(smooth):
    path = drawn(np.random.default_rng(2), SIZE, 11, 0, 0)
    assert path.variation(SIZE) == pytest.approx(0, abs=1e-9)
    assert max(np.ptp(path.down), np.ptp(path.right)) == pytest.approx(11)
    inner = np.s_[12:-12, 12:-12]
    assert blurred(smooth, path)[inner] == pytest.approx(blur(smooth, path.psf())[inner], abs=0.006)


def test_a_roll_turns_the_picture_about_its_middle(smooth):
    quarter = Path(still(1), still(1), np.array([np.pi / 2]), still(1))
    square = np.ascontiguousarray(smooth[:, :90])
    assert blurred(square, quarter) == pytest.approx(np.rot90(square), abs=1e-4)


def test_a_corner_moves_farther_by_the_roll_times_its_distance():
    angles = np.radians([-0.5, 0.5])
    path = Path(np.array([-4.0, 4]), still(2), angles, still(2))
    assert path.variation((720, 1280)) == pytest.approx(np.radians(1) * np.hypot(719, 1279) / 2, rel=1e-3)


def test_random_paths_move_in_small_steps_and_vary_as_they_should():
    size = (700, 1000)
    path = drawn(np.random.default_rng(3), size, 15, np.radians(0.8), 0.003)
    assert len(path.roll) >= FEWEST and path.variation(size) >= 5
    assert path.longest_step(size) <= 1
    for each in (path.down, path.right, path.roll, path.zoom):
        assert each.mean() == pytest.approx(0, abs=1e-9)


def test_the_margin_is_cut_off(smooth):
    path = drawn(np.random.default_rng(4), SIZE, 5, 0.01, 0)
    assert np.array_equal(blurred(smooth, path, 7), blurred(smooth, path)[7:-7, 7:-7])
