"""Gradient magnitude similarity deviation."""

from __future__ import annotations

import cv2
import numpy as np

GMSD_CONSTANT = 170 / 255**2  # T of GMSD for a peak of 1


def gmsd(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Gradient magnitude similarity deviation of two planes of at least 4 pixels a side.

    The standard deviation of ``(2·gr·gs + T) / (gr² + gs² + T)``, g being Prewitt gradients' magnitudes of the planes
    at half size and T = 170 for a peak of 255; there is black beyond the borders, as in the authors' own code (Xue,
    Zhang, Mou and Bovik, 2014).
    """
    r, s = _squared_gradient(_halved_on_black(restored)), _squared_gradient(_halved_on_black(sharp))
    similarity = 2 * np.sqrt(r * s)
    similarity += GMSD_CONSTANT
    r += s
    r += GMSD_CONSTANT
    similarity /= r
    return float(similarity.std(ddof=1))


def _halved_on_black(plane: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 pixels; beyond an odd side lies black."""
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)))
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


def _squared_gradient(plane: np.ndarray) -> np.ndarray:
    """Sum of squares of the two Prewitt gradients."""
    slope, mean = np.array([1.0, 0.0, -1.0]), np.full(3, 1 / 3)
    across, along = (
        cv2.sepFilter2D(plane, cv2.CV_64F, *lines, borderType=cv2.BORDER_CONSTANT)
        for lines in ((slope, mean), (mean, slope))
    )
    across *= across
    along *= along
    across += along
    return across
