"""Regions of a picture, and how well PSFs explain each of them.

A PSF that was found in a picture as a whole may still be a mean of several, as where things moved on their own. Then
some region shows it: its power spectrum is explained worse than by no blur at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deblurcli.blur.poses import PoseDensity
from deblurcli.estimation import families, psf_shape, shake, whittle
from deblurcli.pictures import power_spectrum

SIDE, _PSFS = 192, 5  # pixels a side of a region in which a PSF is to hold, and how many PSFs fit into it at least
MOST = 12  # regions of a picture
_SPARED = 10  # regions, of which the worst does not count
_DETAILED = 0.2  # of the mean squared gradient of the most detailed region: a flat one tells no PSF

Region = tuple[float, float, np.ndarray]  # where its middle lies from the picture's, right and below, and its luma


def parts(luma: np.ndarray, side: int = SIDE) -> list[Region]:
    """The regions of a picture ``(H, W)``, of so many pixels a side where it has them, that about cover it."""
    rows, columns = (_starts(length, side, count) for length, count in zip(luma.shape, _counts(luma.shape, side)))
    cut = [(top, left, luma[top : top + side, left : left + side]) for top in rows for left in columns]
    height, width = luma.shape
    return [
        (left + (part.shape[1] - width) / 2, top + (part.shape[0] - height) / 2, np.ascontiguousarray(part))
        for top, left, part in cut
    ]


def local(psf: np.ndarray | PoseDensity, x: float, y: float) -> np.ndarray:
    """The PSF at a place, so far from the picture's middle, of one that holds all over or of a pose density."""
    return psf.psf(x, y) if isinstance(psf, PoseDensity) else psf


def leads(part: np.ndarray, psfs: Sequence[np.ndarray]) -> list[float]:
    """How far each PSF is ahead of no blur at all in the power spectrum of a region; see `whittle.Fit.lead`."""
    seen = families.spectrum_of(part)
    nothing = whittle.fit_known(seen, np.ones_like(seen.power))
    framed = [psf_shape.framed(psf, seen.side - 1) for psf in psfs]
    return [whittle.fit_known(seen, power_spectrum.power_of(psf, seen)).lead(nothing) for psf in framed]


def falls(part: np.ndarray, psfs: Sequence[np.ndarray]) -> list[float]:
    """How far each PSF lets the logarithm of the L0 objective fall from that of no blur at all; see `shake.ratios`."""
    return [-float(np.log(ratio)) for ratio in shake.ratios(part, psfs)]


def least(luma: np.ndarray, psf: np.ndarray | PoseDensity) -> float:
    """How far a PSF is ahead of no blur at all in that region of a picture ``(H, W)`` which it explains worst.

    In each region the better of its lead and of its fall counts: a frame or a few straight lines hide the former, and
    noise the latter. Regions that hardly show anything do not count, nor does the worst of ten.
    """
    found = parts(luma, max(SIDE, _PSFS * psf_shape.extent(local(psf, 0, 0))))
    detail = [_detail(part) for *_, part in found]
    shown = [region for region, own in zip(found, detail, strict=True) if own >= _DETAILED * max(detail)]
    return sorted(_ahead(region, psf) for region in shown)[len(shown) // _SPARED]


def _ahead(region: Region, psf: np.ndarray | PoseDensity) -> float:
    """The better of a PSF's lead and of its fall in a region."""
    x, y, part = region
    psfs = [local(psf, x, y)]
    return max(*leads(part, psfs), *falls(part, psfs))


def _detail(part: np.ndarray) -> float:
    """The mean squared gradient."""
    return float(np.square(np.diff(part, axis=0)).mean() + np.square(np.diff(part, axis=1)).mean())


def _counts(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """How many regions lie below and beside one another: as many as about cover the picture, `MOST` in all."""
    down, across = (max(1, round(length / side)) for length in shape)
    while down * across > MOST:
        down, across = (down - 1, across) if down > across else (down, across - 1)
    return down, across


def _starts(length: int, side: int, count: int) -> list[int]:
    """Where so many regions begin along an axis: the first and the last at its ends, one alone in the middle."""
    free = max(length - side, 0)
    return [free // 2] if count == 1 else [free * index // (count - 1) for index in range(count)]
