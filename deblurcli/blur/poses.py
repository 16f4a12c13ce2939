"""How a camera that shifts and rolls while the shutter is open blurs a picture: the PSF is another at every place.

How long it stays in which pose is its *pose density*. A roll by θ about the picture's middle shifts what lies at (x, y)
from there by ``θ · (y, −x)``, so that the PSF at that place is::

    k(u) = Σ over θ of  density(θ, u − θ · (y, −x))

Source: A. Gupta, N. Joshi, C. L. Zitnick, M. Cohen and B. Curless, Single image deblurring using motion density
functions, ECCV 2010.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_FAINT = 0.02  # of the largest value: fainter pixels of a PSF are nothing


@dataclass(frozen=True)
class PoseDensity:
    """The density over poses of a camera, by rolls and shifts.

    rolls: ``(N,)``, radians, counter-clockwise in the picture, evenly spaced.
    density: ``(N, K, K)``, K odd, of shifts down and across in pixels from −(K // 2) on; not negative, sums to 1.
    """

    rolls: np.ndarray
    density: np.ndarray

    @property
    def side(self) -> int:
        """K, of the shifts."""
        return self.density.shape[1]

    @property
    def deviation(self) -> float:
        """The standard deviation of the roll, in radians."""
        share = self.density.sum(axis=(1, 2))
        return float(np.sqrt(share @ np.square(self.rolls - share @ self.rolls)))

    def psf(self, x: float, y: float) -> np.ndarray:
        """The PSF ``(L, L)`` so many pixels to the right of the picture's middle and below it; L is odd."""
        spread = self.spread(x, y, self.side + 2 * self.reach(x, y))
        spread[spread < _FAINT * spread.max()] = 0
        rows, columns = np.nonzero(spread)
        middle = len(spread) // 2
        extent = max(int(np.abs(places - middle).max()) for places in (rows, columns))
        kept = spread[middle - extent : middle + extent + 1, middle - extent : middle + extent + 1]
        return kept / kept.sum()

    def reach(self, x: float, y: float) -> int:
        """How many pixels the PSF at a place reaches beyond the shifts, at most."""
        return int(np.ceil(np.abs(self.rolls).max() * max(abs(x), abs(y)))) + 1

    def spread(self, x: float, y: float, side: int) -> np.ndarray:
        """The density seen from a place: its PSF ``(side, side)`` as it is, odd and large enough for its `reach`."""
        total = np.zeros((side, side))
        for share, corners in zip(self.density, _corners(self.rolls, x, y)):
            for top, left, weight in corners:
                _window(total, top, left, self.side)[:] += weight * share
        return total

    def gathered(self, x: float, y: float, values: np.ndarray) -> np.ndarray:
        """The adjoint of `spread`: what values ``(side, side)`` at a place are to the density, ``(N, K, K)``."""
        total = np.zeros_like(self.density)
        for share, corners in zip(total, _corners(self.rolls, x, y)):
            for top, left, weight in corners:
                share += weight * _window(values, top, left, self.side)
        return total


def _corners(rolls: np.ndarray, x: float, y: float) -> Iterator[list[tuple[int, int, float]]]:
    """Where each roll shifts a place to: the four pixels around it, down and to the right, and their weights."""
    for down, right in zip(-rolls * x, rolls * y):
        top, left = int(np.floor(down)), int(np.floor(right))
        below, beside = down - top, right - left
        yield [(top + i, left + j, abs(1 - i - below) * abs(1 - j - beside)) for i in (0, 1) for j in (0, 1)]


def _window(array: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    """The square of an array that lies so far from its middle, a view."""
    margin = (len(array) - side) // 2
    return array[margin + top : margin + top + side, margin + left : margin + left + side]
