"""PSNR after the best shift finds shifts that are known."""

import numpy as np
import pytest
from scipy import ndimage

from deblurcli.metrics.table import psnr
from tests.bench.shake.alignment import BORDER, aligned, aligned_psnr, best_shift


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    """A picture without detail finer than interpolation can carry, float32 ``(H, W, 3)``, periodic."""
    noise = np.random.default_rng(0).random((120, 140, 3))
    made = ndimage.gaussian_filter(noise, (1.5, 1.5, 0), mode="wrap")
    return ((made - made.min()) / np.ptp(made)).astype(np.float32)


def moved(image: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    """The picture shifted down and to the right, exactly, by its Fourier transform."""
    planes = [np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(plane), shift)).real for plane in np.moveaxis(image, 2, 0)]
    return np.clip(np.dstack(planes), 0, 1).astype(np.float32)


@pytest.mark.parametrize("shift", [(1.3, -2.6), (0.0, 0.0), (-7.5, 11.4), (12.0, -12.0)])
def test_a_known_shift_is_found_and_undone(smooth, shift):
    restored = moved(smooth, shift)
    assert best_shift(restored, smooth) == pytest.approx(shift, abs=0.01)
    assert aligned_psnr(restored, smooth) > 50


def test_noise_hardly_moves_the_shift(smooth):
    noisy = moved(smooth, (1.3, -2.6)) + np.random.default_rng(1).normal(0, 0.02, smooth.shape).astype(np.float32)
    assert best_shift(noisy, smooth) == pytest.approx((1.3, -2.6), abs=0.05)


def test_it_is_never_below_the_psnr_in_place(smooth):
    other = smooth[::-1, ::-1]
    inner = np.s_[BORDER:-BORDER, BORDER:-BORDER]
    assert aligned_psnr(other, smooth) >= psnr(other[inner], smooth[inner])


def test_the_border_is_left_out_and_grey_stays_grey(smooth):
    grey = smooth[..., :1]
    spoiled = grey.copy()
    spoiled[:5], spoiled[:, -5:] = 0, 1
    assert aligned(spoiled, grey).shape == (120 - 2 * BORDER, 140 - 2 * BORDER, 1)
    assert aligned_psnr(spoiled, grey) > 80
