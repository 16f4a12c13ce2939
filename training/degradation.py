"""What a restorer is told of a blur, which may be a little wrong, as estimates are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deblurcli import psf as psfs
from deblurcli.blur import blur, through_jpeg
from deblurcli.images import from_float, to_float
from deblurcli.psf import Spec
from training.recipe import Data

MARGIN = 32  # pixels around a sample that are blurred with it where its border is to be unknown
_OUT_OF_HAND = 3.0  # times too large or too small: nothing is told more wrongly

# Standard deviation of what is told of each field, as a share of its value where it has none of its own unit: those of
# `estimate` on pictures with noise, and a little more.
STRAYS: dict[str, dict[str, float]] = {
    "gaussian": {"sigma": 0.07},
    "motion": {"length": 0.05, "angle": 3.0},
    "defocus": {"radius": 0.05},
}
ABSOLUTE = ("angle",)


@dataclass(frozen=True)
class Sample:
    """A degraded picture.

    blurred, sharp: float32 ``(H, W, 3)`` in [0, 1], the former rounded to 8 bits.
    told: the PSF a restorer is told, ``(K, L)``. exact: whether it is the true one. compressed: by JPEG.
    """

    blurred: np.ndarray
    sharp: np.ndarray
    told: np.ndarray
    exact: bool
    compressed: bool


def degrade(sharp: np.ndarray, spec: Spec, data: Data, rng: np.random.Generator) -> Sample:
    """Spoil a sharp image, at random but for the PSF.

    sharp: float32 ``(H, W, 3)`` in [0, 1], `MARGIN` pixels larger on each side than the sample made of it. The sample
        ends in a reflecting border or, half the time, in one behind which the scene went on.
    data: of the recipe: its noise, JPEG, and how often the PSF is told wrongly.
    """
    psf, told, exact = _psfs(spec, data, rng)
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    kept = np.ascontiguousarray(sharp[inside])
    blurred = blur(sharp, psf)[inside] if rng.random() < 0.5 else blur(kept, psf)
    if rng.random() >= data.noiseless:
        deviation = np.float32(rng.uniform(*data.noise))
        blurred = blurred + deviation * rng.standard_normal(blurred.shape, np.float32)
    stored = from_float(blurred, np.uint8)
    compressed = bool(rng.random() < data.jpeg)
    if compressed:
        stored = through_jpeg(stored, int(rng.integers(data.quality[0], data.quality[1] + 1)))
    return Sample(to_float(stored), kept, told, exact, compressed)


def _psfs(spec: Spec, data: Data, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    """The PSF, the one that is told, and whether they are the same."""
    wrong = bool(rng.random() < data.wrong)
    psf = spec.array()
    told = mistaken(spec, rng) if wrong else psf
    if rng.random() < data.soft:  # a small blur of the lens, of which nothing is told
        return softened(psf, rng.uniform(0.3, 0.7)), told, False
    return psf, told, not wrong


def mistaken(spec: Spec, rng: np.random.Generator) -> np.ndarray:
    """The PSF of a specification that strays; one without a formula is softened, as an estimate of it would be."""
    strays = STRAYS.get(spec.family)
    if strays is None:
        return softened(spec.array(), rng.uniform(0.3, 0.8))
    values = tuple(
        (name, _strayed(value, name, strays[name], rng)) if name in strays else (name, value)
        for name, value in spec.values
    )
    return replace(spec, values=values).array()


def _strayed(value: float, name: str, deviation: float, rng: np.random.Generator) -> float:
    if name in ABSOLUTE:
        return value + rng.normal(0, deviation)
    return value * float(np.clip(1 + rng.normal(0, deviation), 1 / _OUT_OF_HAND, _OUT_OF_HAND))


def softened(psf: np.ndarray, sigma: float) -> np.ndarray:
    """A PSF blurred by a Gaussian."""
    small = psfs.gaussian(sigma)
    reach = small.shape[0] // 2
    grown = np.pad(psf, reach)
    moved = (
        share * np.roll(grown, (down - reach, right - reach), (0, 1)) for (down, right), share in np.ndenumerate(small)
    )
    return sum(moved)
