"""PSFs of any form that may have blurred a picture, as a shaking hand makes it.

A network that restores photographs of unknown blur (`choices.BLIND`) takes off a part of it. Its result is nearer to
the sharp picture, so that the PSF which blurs its strongest gradients most nearly into the picture's own is a first
guess::

    min over k of  Σ ‖k ∗ ∇s − ∇y‖²  +  β ‖k‖²

From there both are improved by turns: the picture with few gradients that the PSF explains best (see `l0`), then the
PSF. Nobody tells how large it is. So it is sought at several sizes, large ones in the picture at a half and a quarter
of its size, and the two sizes that are best after the first turns go on.

Source: see `l0` for the turns; to begin with what a network makes of the picture is our own. In 64 training photographs
that were shaken by 7 to 28 pixels the PSF so found correlated with the true one by 0.90 on the mean; searches from
coarse to fine, as is usual, came to 0.81.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np

from deblurcli.blur.families import centred
from deblurcli.choices import BLIND
from deblurcli.estimation import l0, psf_shape, views
from deblurcli.estimation.gradient_fit import FALL, NormalEquations, StrongGradients
from deblurcli.estimation.l0 import Extended
from deblurcli.inference.restorer import Deferred, deferred

# How many times smaller a picture is looked at, and the sides of the PSFs that are sought there, all odd.
SIZES = {1: (25, 59), 2: (39,), 4: (39,)}

_GOING_ON = 2  # sizes of which more than the first PSF is sought
_SOFTNESS = 4  # side of a PSF in pixels, up to which it is no shake: that of sharp pictures that are a little soft
_STOPS = 8, 24  # rounds after which a PSF is kept: the more there is to see and the less noise, the later is better
_MORE_ROUNDS = 2  # when a PSF goes on to a finer scale
_BESIDE = np.ones((3, 3), np.uint8)  # where it may grow to there
_WEIGHT = 4e-3  # λ of the latent pictures, at first
_LATER_WEIGHT = 2e-3  # λ when a PSF goes on to a finer scale
_EDGES = 20  # gradients kept at first in each of four directions, times the PSF's side
_SMOOTH = 2.0  # β, weight of ‖k‖²
_DESCENTS = 0.5  # of conjugate gradients, times the PSF's side: the larger it is, the more there is to tell apart
_FAINT = 0.05  # of the largest value: fainter pixels of a PSF are nothing
_STRAY = 0.03  # of the sum: lighter islands of a PSF are nothing
_MARGIN = 1.5  # sides of the PSF, by which pictures are extended
_WINDOW = 400  # pixels a side that are looked at
_PSFS, _WIDEST = 5, 560  # sides of the PSF that are looked at along each side, but no more than so many pixels
# Pixels a side that a picture is to have, and one made smaller. In less the spectrum tells too little: 17 of 24 faces
# of 94 × 125 pixels, soft as press photographs are when they are reduced, were taken for shaken.
SMALLEST_SIDE, _LEAST_SIDE = 128, 96


# How well each of several PSFs ``(K, L)`` explains a picture, larger where better.
Rating = Callable[[Sequence[np.ndarray]], np.ndarray]


def begun(luma: np.ndarray) -> list[Search]:
    """The searches for PSFs of all sizes that fit into a picture, from the smallest at its own size on.

    luma: ``(H, W)``, float32 in [0, 1].

    None for pictures below `SMALLEST_SIDE`, and where the first finds hardly a blur to begin with.
    """
    if min(luma.shape) < SMALLEST_SIDE:
        return []
    searches = _searches(luma)
    smallest = next(searches)
    return [] if psf_shape.extent(smallest.first) <= _SOFTNESS else [smallest, *searches]


def candidates(luma: np.ndarray, searches: Sequence[Search], rating: Rating) -> list[np.ndarray]:
    """PSFs ``(K, K)`` that may have blurred a picture, from the two searches that are rated best to begin with.

    luma: ``(H, W)``, float32 in [0, 1]. searches: those `begun` in it. rating: of PSFs of that picture.
    """
    if not searches:
        return []
    ratings = rating([psf_shape.enlarged(search.first, search.times) for search in searches])
    return [psf for at in np.argsort(-ratings)[:_GOING_ON] for psf in _gone_on(luma, searches[at], rating)]


@dataclass(frozen=True)
class Search:
    """PSFs of one size that may have blurred a picture so many times smaller.

    first: the PSF after the first turns. turns: those that follow.
    """

    times: int
    first: np.ndarray
    turns: Iterator[np.ndarray]

    @cached_property
    def psfs(self) -> list[np.ndarray]:
        """The first one, and those after more turns, which are made when they are asked for."""
        return [self.first, *self.turns]


def _searches(luma: np.ndarray) -> Iterator[Search]:
    """Those for all sizes that fit into a picture, from the smallest on, each begun when it is asked for."""
    for times, sizes in SIZES.items():
        fitting = [size for size in sizes if _fits(luma, times, size)]
        if not fitting:
            continue
        looked = views.part(views.reduced(luma, times), _WINDOW)
        restored = nearer(looked)
        for size in fitting:
            turns = _beginning_with(restored, looked, size)
            yield Search(times, next(turns), turns)


def _gone_on(luma: np.ndarray, search: Search, rating: Rating) -> list[np.ndarray]:
    """The PSFs of a search at the picture's own size; of a smaller picture those of the better one, to save time."""
    if search.times == 1:
        return search.psfs
    better = int(np.argmax(rating([psf_shape.enlarged(psf, search.times) for psf in search.psfs])))
    return at_full_size(luma, search.psfs[better], search.times)


def ratios(luma: np.ndarray, psfs: Sequence[np.ndarray]) -> list[float]:
    """How well PSFs explain a picture: the `l0.objective` of each over that of no blur at all, below 1 where better."""
    widest = max(map(psf_shape.extent, psfs), default=1)
    blurred = Extended.of(views.part(luma, _window(widest)), int(_MARGIN * widest))
    rim = min(widest, min(luma.shape) // 3) // 2
    least = max(l0.objective(blurred, np.ones((1, 1)), rim), np.finfo(np.float32).tiny)
    return [float(l0.objective(blurred, psf, rim) / least) for psf in psfs]


def nearer(luma: np.ndarray) -> np.ndarray:
    """What a network makes of a picture ``(H, W)`` that may be blurred: one that is nearer to the sharp picture."""
    return _network().restore(luma[..., None])[..., 0]


@cache
def _network() -> Deferred:
    """The network that takes off a part of any blur."""
    return deferred(BLIND)


def _fits(luma: np.ndarray, times: int, size: int) -> bool:
    """Whether a picture, so many times smaller, is large enough for a PSF of that side."""
    side = min(luma.shape) // times
    return size <= side // 3 and (times == 1 or side >= _LEAST_SIDE)


def _beginning_with(begun: np.ndarray, luma: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """The PSFs ``(size, size)`` of a picture, by turns from a picture on that is nearer to the sharp one."""
    margin, edges = int(_MARGIN * size), StrongGradients(_EDGES * size)
    blurred = Extended.of(luma, margin)
    psf = _cleaned(_solve(edges.of(l0.harmonic(begun, margin), blurred), blurred, np.ones((size, size), np.float32)))
    for turn in range(_STOPS[-1]):
        psf = _improved(psf, blurred, _WEIGHT / FALL**turn, edges)
        if turn + 1 in _STOPS:
            yield psf


def at_full_size(luma: np.ndarray, psf: np.ndarray, times: int) -> list[np.ndarray]:
    """The PSF of a picture so many times smaller as two of the picture itself: improved on the way there, and enlarged.

    Where fine detail shows little but noise the latter is the better one.
    """
    return [_carried_on(luma, psf, times), psf_shape.enlarged(psf, times)]


def _carried_on(luma: np.ndarray, psf: np.ndarray, times: int) -> np.ndarray:
    """The PSF of a picture from that of the picture so many times smaller, by levels in between.

    At each level it stays within a pixel of where it was: further off there is more to follow noise with than the
    picture tells. Of a city at night a PSF of 18 pixels grew into a cloud of 151 otherwise, in place of 75.
    """
    edges = StrongGradients(_EDGES * psf_shape.odd(views.STEP * len(psf)))
    size = psf_shape.odd(times * len(psf))
    looked = views.part(luma, _window(size))
    for scale in views.scales(times):
        side = psf_shape.odd(scale * size)
        blurred = Extended.of(views.resized(looked, scale), int(_MARGIN * side))
        psf = psf_shape.resized(psf, side)
        where = cv2.dilate((psf > 0).astype(np.uint8), _BESIDE).astype(np.float32)
        for _ in range(_MORE_ROUNDS):
            psf = _improved(psf, blurred, _LATER_WEIGHT, edges, where)
    return psf


def _improved(
    psf: np.ndarray, blurred: Extended, weight: float, edges: StrongGradients, where: np.ndarray | None = None
) -> np.ndarray:
    """One round: the latent picture, its strong gradients, and the PSF that blurs them into the picture's."""
    restored, _ = l0.latent(blurred, psf, weight)
    return _cleaned(_solve(edges.of(restored, blurred), blurred, np.ones_like(psf) if where is None else where))


def _solve(edges: list[np.ndarray], blurred: Extended, where: np.ndarray) -> np.ndarray:
    """The PSF ``(side, side)`` that best blurs gradients into the picture's, by conjugate gradients.

    where: 1 where it may be more than zero, ``(side, side)``.
    """
    side = len(where)
    equations = NormalEquations.of(edges, blurred, side)
    psf = (where / where.sum()).astype(np.float32)
    residual = where * (equations.target - equations.operator(psf) - _SMOOTH * psf)
    direction, power = residual, np.vdot(residual, residual)
    for _ in range(round(_DESCENTS * side)):
        curved = where * (equations.operator(direction) + _SMOOTH * direction)
        step = power / max(np.vdot(direction, curved), np.finfo(float).tiny)
        psf, residual = psf + step * direction, residual - step * curved
        before, power = power, np.vdot(residual, residual)
        direction = residual + power / max(before, np.finfo(float).tiny) * direction
    return psf


def _cleaned(psf: np.ndarray) -> np.ndarray:
    """A PSF without faint pixels and stray islands, centred, of the same side; a single point when nothing is left."""
    side = len(psf)
    kept = np.where(psf >= _FAINT * psf.max(), psf, 0)
    islands = np.asarray(cv2.connectedComponents((kept > 0).astype(np.uint8), connectivity=8)[1], np.int64)
    weights = np.bincount(islands.ravel(), kept.ravel())
    kept[weights[islands] < _STRAY * kept.sum()] = 0
    if kept.sum() <= 0:
        kept[side // 2, side // 2] = 1
    return psf_shape.framed(centred(kept / kept.sum()), side)


def _window(size: int) -> int:
    """Side of the part to look at for a PSF of so many pixels."""
    return max(_WINDOW, min(_PSFS * size, _WIDEST))
