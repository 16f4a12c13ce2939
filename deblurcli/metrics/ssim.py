"""Structural similarity of two pictures: SSIM with its windows, MS-SSIM and GMSD, on planes.

A *plane* is ``(H, W)`` of one channel, or of luma, float64 in [0, 1]. Work goes in strips of rows that stay in the
processor's cache; a strip is made from the picture when its turn comes, so that no whole picture exists as floats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

K1, K2 = 0.01, 0.03
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # exponents of MS-SSIM from the finest scale to the coarsest
STRIP = 1 << 16  # samples in a strip

Plane = Callable[[slice], np.ndarray]  # gives the rows of a plane


@dataclass(frozen=True)
class Window:
    """A window that local means are taken over: its odd side, and how it is applied to a plane.

    unbiased: whether variances are those of a sample, N / (N − 1) times those of a population, N being its pixels.
    """

    side: int
    apply: Callable[[np.ndarray], np.ndarray]
    unbiased: bool = False

    def means(self, plane: np.ndarray) -> np.ndarray:
        """Local means, only where the window fits into the plane."""
        reach = self.side // 2
        return self.apply(plane)[reach:-reach, reach:-reach]


def _gaussian(plane: np.ndarray) -> np.ndarray:
    line = cv2.getGaussianKernel(11, 1.5, cv2.CV_64F)
    return cv2.sepFilter2D(plane, cv2.CV_64F, line, line)


def _uniform(plane: np.ndarray) -> np.ndarray:
    return cv2.blur(plane, (7, 7))


GAUSSIAN = Window(11, _gaussian)
UNIFORM = Window(7, _uniform, unbiased=True)


def ssim(restored: Plane, sharp: Plane, size: tuple[int, int], window: Window = GAUSSIAN) -> tuple[float, float]:
    """Mean SSIM of two planes, and the mean of its part without the comparison of means.

    size: height and width of the planes, each at least the window's side.

    ``l · cs`` with ``l = (2·μr·μs + c1) / (μr² + μs² + c1)`` and ``cs = (2·σrs + c2) / (σr² + σs² + c2)``,
    c1 = 0.01², c2 = 0.03² for a peak of 1, where the window fits (Wang, Bovik, Sheikh and Simoncelli, 2004).
    """
    height, width = size[0] - window.side + 1, size[1] - window.side + 1
    sums = np.zeros(2)
    for rows in _strips(size, window.side - 1):
        sums += _ssim_sums(restored(rows), sharp(rows), window)
    whole, structure = sums / (height * width)
    return float(whole), float(structure)


def _strips(size: tuple[int, int], overlap: int) -> Iterator[slice]:
    """Slices of rows that overlap by so many, each of about `STRIP` samples."""
    rows = max(STRIP // size[1], 2 * overlap, 1)
    for top in range(0, size[0] - overlap, rows):
        yield slice(top, min(top + rows + overlap, size[0]))


def _ssim_sums(r: np.ndarray, s: np.ndarray, window: Window) -> tuple[float, float]:
    """Sums of SSIM, and of its part without the comparison of means, over one strip."""
    mean_r, mean_s = window.means(r), window.means(s)
    product = mean_r * mean_s
    squares = mean_r * mean_r
    squares += mean_s * mean_s
    factor = window.side**2 / (window.side**2 - 1) if window.unbiased else 1.0
    structure = window.means(r * s) - product
    structure *= 2 * factor
    structure += K2**2
    r *= r
    s *= s
    r += s
    variances = window.means(r) - squares
    variances *= factor
    variances += K2**2
    structure /= variances
    total = structure.sum()
    product *= 2
    product += K1**2
    squares += K1**2
    structure *= product
    structure /= squares
    return structure.sum(), total


def ms_ssim(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Multi-scale SSIM of two planes of at least 161 pixels a side.

    ``l₅·cs₅^w₅ · Π csᵢ^wᵢ`` over five scales, each half as large as the one before by averaging 2 × 2 pixels, with
    the window of `GAUSSIAN`; a mean below 0 counts as 0 (Wang, Simoncelli and Bovik, 2003).
    """
    product = 1.0
    for scale, exponent in enumerate(SCALES):
        if scale:
            restored, sharp = _halved(restored), _halved(sharp)
        whole, structure = ssim(_rows_of(restored), _rows_of(sharp), restored.shape)
        product *= max(whole if exponent is SCALES[-1] else structure, 0.0) ** exponent
    return product


def _rows_of(plane: np.ndarray) -> Plane:
    """Copies of rows, which may be worked on in place."""
    return lambda rows: plane[rows].copy()


def _halved(plane: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 pixels; the last row and column of an odd side count twice."""
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), "edge") if height % 2 or width % 2 else plane
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
