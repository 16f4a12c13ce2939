"""How large PSFs are, how alike, and what they become where a picture has another size; all as arrays."""

from __future__ import annotations

import cv2
import numpy as np

from deblurcli.blur.families import centred


def extent(psf: np.ndarray) -> int:
    """Side of the square that holds all of a PSF."""
    return max(int(np.ptp(places)) + 1 for places in np.nonzero(psf))


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """The normalised correlation of two PSFs, at the shift where it is largest; 1 when they are the same."""
    shape = [a + b for a, b in zip(one.shape, other.shape)]
    product = np.fft.rfft2(one, shape) * np.conj(np.fft.rfft2(other, shape))
    return float(np.fft.irfft2(product, shape).max() / np.linalg.norm(one) / np.linalg.norm(other))


def enlarged(psf: np.ndarray, times: int) -> np.ndarray:
    """The PSF ``(K, K)`` of a picture as that of the same picture so many times larger."""
    return psf if times == 1 else resized(psf, odd(times * len(psf)))


def resized(psf: np.ndarray, side: int) -> np.ndarray:
    """The PSF ``(K, K)`` of a picture as that of the same picture where it has so many pixels a side."""
    times = side / len(psf)
    scaled = cv2.resize(psf, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    return framed(centred(scaled / scaled.sum()), side)


def framed(psf: np.ndarray, side: int) -> np.ndarray:
    """A PSF cut or padded about its centre to a square."""
    margins = [(side - length) // 2 for length in psf.shape]
    padded = np.pad(psf, [(max(margin, 0),) * 2 for margin in margins])
    rows, columns = (slice(max(-margin, 0), max(-margin, 0) + side) for margin in margins)
    return padded[rows, columns] / padded[rows, columns].sum()


def odd(side: float) -> int:
    """An odd number near another."""
    return 2 * int(side / 2) + 1
