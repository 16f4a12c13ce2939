"""PSFs that are too wide to be judged at a picture's own size, found and judged in a smaller picture.

Where a picture is a half or a quarter as large, a wide PSF is a narrow one, and the search finds it with less to follow
noise with (see `shake`). At the picture's own size such a PSF looks worse than no blur at all, as it lacks fine detail,
and what is found there in its place, narrower and wrong, looks better. So it is judged where it was found: the smaller
picture is restored with it by a Wiener filter, and the preference network tells how much of that it would take, and how
much of what a network makes of the picture that knows of no PSF (see `reliability.preferred`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deblurcli.deconvolution import fourier
from deblurcli.estimation import psf_shape, shake, views
from deblurcli.estimation.l0 import Extended
from deblurcli.estimation.shake import Search
from deblurcli.inference import reliability

_WIDE = 16  # pixels a side of a PSF in the smaller picture: one with less is better judged in a larger one
_NSR = 0.01  # to restore that picture with
# Share that is preferred, from which on a PSF is right. Of 13 PSFs with that, in 120 scenes, one was wrong; see
# docs/tried.md for how far it may be moved.
LEAST = 0.4
# What the share of another PSF that is certain may be behind. Of 17 such PSFs it was by at most 0.17 in 14, of which 13
# did as well as the wide one or better, and by 0.25 to 0.67 in three, which gained 3 to 5 dB less.
_BEHIND = 0.2
_PART = 560  # pixels a side of the smaller picture that are looked at
_MARGIN = 1.5  # sides of the PSF, by which the picture is extended

Judge = Callable[[np.ndarray, np.ndarray], bool]


@dataclass(frozen=True)
class Smaller:
    """A picture made smaller, of a large one the part with most to see: its luma ``(h, w)``."""

    luma: np.ndarray

    @cached_property
    def nearer(self) -> np.ndarray:
        """What a network makes of it that knows of no PSF."""
        return shake.nearer(self.luma)

    def preferred(self, psf: np.ndarray) -> float:
        """The share that is preferred of what a PSF restores, 0 to 1."""
        lumas = self.luma, self.nearer, _restored(self.luma, psf)
        return reliability.share_preferred(*(luma[..., None] for luma in lumas))


@dataclass(frozen=True)
class Wide:
    """A PSF of a picture that was found in a smaller one.

    psf: ``(K, K)``, of the smaller picture. times: how many times smaller that is. share: that is preferred of what the
    PSF restores of it, 0 to 1.
    """

    psf: np.ndarray
    times: int
    smaller: Smaller
    share: float

    def at_full_size(self, luma: np.ndarray) -> list[np.ndarray]:
        """PSFs ``(K, K)`` that it may be at the size of the picture, whose luma ``(H, W)`` that is."""
        return shake.at_full_size(luma, self.psf, self.times)

    def allows(self, psf: np.ndarray) -> bool:
        """Whether as much is preferred, or `_BEHIND` less, of what another PSF ``(K, L)`` of the picture restores."""
        square = psf_shape.framed(psf, max(psf.shape))
        side = max(3, psf_shape.odd(len(square) / self.times))
        return self.smaller.preferred(psf_shape.resized(square, side)) >= self.share - _BEHIND


def found(luma: np.ndarray, searches: Sequence[Search], is_right: Judge) -> Wide | None:
    """The wide PSF of which most is preferred; None where that is less than `LEAST`.

    luma: of the picture, ``(H, W)``. searches: begun in it; of those in a smaller picture the last PSF is judged.
    is_right: whether a luma ``(h, w)`` shows a PSF.

    Raises ModelError when the weights that tell it are missing or damaged.
    """
    judged = [_judged(luma, search, is_right) for search in searches if search.times > 1 and _is_wide(search.first)]
    best = max((each for each in judged if each), key=lambda each: each.share, default=None)
    return best if best and best.share >= LEAST else None


def _judged(luma: np.ndarray, search: Search, is_right: Judge) -> Wide | None:
    """The last PSF of a search and how much is preferred of what it restores; None where it is narrow or not right."""
    psf = search.psfs[-1]
    if not _is_wide(psf):
        return None
    smaller = Smaller(views.part(views.reduced(luma, search.times), _PART))
    if not is_right(smaller.luma, psf):
        return None
    return Wide(psf, search.times, smaller, smaller.preferred(psf))


def _is_wide(psf: np.ndarray) -> bool:
    """Whether a PSF of a smaller picture is wide enough to be judged there."""
    return psf_shape.extent(psf) >= _WIDE


def _restored(luma: np.ndarray, psf: np.ndarray) -> np.ndarray:
    """What a Wiener filter makes of a luma, float32 in [0, 1]."""
    blurred = Extended.of(luma, int(_MARGIN * psf_shape.extent(psf)))
    otf = fourier.otf(psf, blurred.shape)
    filtered = np.conj(otf) * blurred.spectrum / (np.square(np.abs(otf)) + _NSR)
    return np.clip(blurred.inside(fourier.back(filtered, blurred.shape)), 0, 1)
