"""The pose density of a camera that rolled as well as it shifted (see `poses`), found from a blurred picture.

One PSF holds for no more than a part of such a picture. Regions of it each tell theirs, and one density has to explain
them all: it is what blurs the strong gradients of all regions' latent pictures into what was seen, and is not negative.
As for one PSF (see `shake`), it begins with what a network makes of the picture, goes by turns of latent pictures and
density, and from the picture at half its size to its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from deblurcli.blur.poses import PoseDensity
from deblurcli.estimation import l0, psf_shape, shake, views
from deblurcli.estimation.gradient_fit import FALL, NormalEquations, StrongGradients
from deblurcli.estimation.l0 import Extended
from deblurcli.estimation.regions import falls, leads, local, parts

SMALLEST_SIDE = 512  # pixels of a picture in which rolls are sought
LEAST_ROLL = 2.0  # pixels, standard deviation, by which a roll shifts the corners: less is about the same as none
_TIMES = 2  # smaller, where the search begins
_SIDE = 25  # pixels of shifts that are sought in the smaller picture
_FARTHEST, _STEP = 4.5, 0.85  # pixels in the smaller picture, by which rolls shift its corners at most, and their steps
_REGION = 256  # pixels a side of a region
_EDGES = 10  # gradients kept at first in each of four directions, times the side of the shifts
_ROUNDS, _LATER_ROUNDS = 16, 6  # of turns in the smaller picture, and at each size on the way to the picture itself
_WEIGHT, _LATER_WEIGHT = 4e-3, 1e-3  # λ of the latent pictures, at first and later
_SMOOTH = 20.0  # weight of the squared density, for each region
_DESCENTS, _LATER_DESCENTS = 15, 40  # of projected gradients
_POWERS = 8  # of the operator, to tell its largest eigenvalue
_FAINT = 0.02  # of the largest value: fainter values of a density are nothing
_MARGIN = 1.5  # sides of the shifts, by which regions are extended


@dataclass(frozen=True)
class _Region:
    """A part of a picture: where its middle lies from the picture's, to the right and below, and its look."""

    x: float
    y: float
    blurred: Extended
    edges: StrongGradients


def sought(luma: np.ndarray) -> PoseDensity | None:
    """The pose density that explains a picture ``(H, W)``, sought first in the picture at half its size.

    None where the camera hardly rolled, or the picture is smaller than `SMALLEST_SIDE`.
    """
    if min(luma.shape) < SMALLEST_SIDE:
        return None
    smaller = views.reduced(luma, _TIMES)
    regions = _regions(smaller, _SIDE)
    latents = [l0.harmonic(part, int(_MARGIN * _SIDE)) for *_, part in parts(shake.nearer(smaller), _REGION)]
    density = _turns(_any(smaller.shape), regions, latents, _ROUNDS, _WEIGHT, _DESCENTS)
    if density.deviation * np.hypot(*luma.shape) / 2 < LEAST_ROLL:
        return None
    for scale in views.scales(_TIMES):
        seen = views.resized(luma, scale)
        density = _carried_on(density, psf_shape.odd(_SIDE * _TIMES * scale))
        regions = _regions(seen, density.side)
        latents = _latents(regions, density, _LATER_WEIGHT)
        density = _turns(density, regions, latents, _LATER_ROUNDS, _LATER_WEIGHT, _LATER_DESCENTS)
    return _centred(density)


@dataclass(frozen=True)
class Evidence:
    """How well PSFs explain the regions of a picture.

    lead: how far they are ahead of no blur at all in the regions' power spectra, on the mean; see `whittle.Fit.lead`.
    fall: of the logarithm of `l0.objective` from no blur at all, on the mean; see `shake.ratios`.
    """

    lead: float
    fall: float

    @property
    def score(self) -> float:
        """Larger for the better of two explanations of one picture."""
        return self.lead + self.fall


def evidence(luma: np.ndarray, explanations: Sequence[np.ndarray | PoseDensity]) -> list[Evidence]:
    """How well PSFs, each the same all over or those of a pose density, explain the regions of a picture ``(H, W)``."""
    rows = []
    for x, y, part in parts(luma, _REGION):
        psfs = [local(each, x, y) for each in explanations]
        rows.append(np.column_stack([leads(part, psfs), falls(part, psfs)]))
    return [Evidence(lead, fall) for lead, fall in np.mean(rows, axis=0).tolist()]


def _regions(luma: np.ndarray, side: int) -> list[_Region]:
    margin, count = int(_MARGIN * side), _EDGES * side
    return [_Region(x, y, Extended.of(part, margin), StrongGradients(count)) for x, y, part in parts(luma, _REGION)]


def _any(shape: tuple[int, ...]) -> PoseDensity:
    """The density of which nothing is known yet, for a picture of that shape."""
    steps = int(np.ceil(_FARTHEST / _STEP))
    rolls = np.arange(-steps, steps + 1) * _STEP / (np.hypot(shape[0], shape[1]) / 2)
    return PoseDensity(rolls, np.full((len(rolls), _SIDE, _SIDE), 1 / (len(rolls) * _SIDE**2)))


def _turns(
    density: PoseDensity, regions: list[_Region], latents: list[np.ndarray], rounds: int, weight: float, descents: int
) -> PoseDensity:
    """The density improved by turns with the latent pictures of all regions, for so many rounds."""
    for turn in range(rounds):
        density = _fitted(density, regions, latents, descents)
        if turn + 1 < rounds:
            latents = _latents(regions, density, weight / FALL**turn)
    return density


def _latents(regions: list[_Region], density: PoseDensity, weight: float) -> list[np.ndarray]:
    return [l0.latent(each.blurred, density.psf(each.x, each.y), weight)[0] for each in regions]


def _fitted(density: PoseDensity, regions: list[_Region], latents: list[np.ndarray], descents: int) -> PoseDensity:
    """The density that best blurs the latent pictures' gradients into what was seen, by accelerated projected descent.

    Source: A. Beck and M. Teboulle, A fast iterative shrinkage-thresholding algorithm for linear inverse problems,
    SIAM Journal on Imaging Sciences, 2009.
    """
    side = density.side + 2 * max(density.reach(each.x, each.y) for each in regions)
    equations = [
        NormalEquations.of(each.edges.of(latent, each.blurred), each.blurred, side)
        for each, latent in zip(regions, latents)
    ]

    def gathered(values: list[np.ndarray]) -> np.ndarray:
        return np.sum([density.gathered(each.x, each.y, part) for each, part in zip(regions, values)], axis=0)

    def operator(share: np.ndarray) -> np.ndarray:
        spread = replace(density, density=share).spread
        blurred = [each.operator(spread(at.x, at.y, side)) for each, at in zip(equations, regions)]
        return gathered(blurred) + _SMOOTH * len(regions) * share

    target, rate = gathered([each.target for each in equations]), 1 / _largest(operator, density.density)
    found = ahead = density.density
    speed = 1.0
    for _ in range(descents):
        before, found = found, np.maximum(ahead - rate * (operator(ahead) - target), 0)
        faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        ahead, speed = found + (speed - 1) / faster * (found - before), faster
    found = np.where(found >= _FAINT * found.max(), found, 0)
    return replace(density, density=found / found.sum()) if found.any() else density


def _largest(operator: Callable[[np.ndarray], np.ndarray], like: np.ndarray) -> float:
    """The largest eigenvalue of an operator on arrays of that shape, by its powers."""
    vector = np.ones_like(like)
    value = 1.0
    for _ in range(_POWERS):
        vector = operator(vector / np.linalg.norm(vector))
        value = float(np.linalg.norm(vector))
    return max(value, np.finfo(float).tiny)


def _carried_on(density: PoseDensity, side: int) -> PoseDensity:
    """The density of a picture from that of the same picture smaller, whose shifts had fewer pixels a side."""
    shares = np.stack([cv2.resize(share, (side, side), interpolation=cv2.INTER_LINEAR) for share in density.density])
    return PoseDensity(density.rolls, shares / shares.sum())


def _centred(density: PoseDensity) -> PoseDensity:
    """The density whose mean roll is none."""
    share = density.density.sum(axis=(1, 2))
    return replace(density, rolls=density.rolls - share @ density.rolls)
