"""How sharp pictures are spoilt for training: PSFs, noise and compression drawn at random, by the tool's own code.

A PSF comes with the one a restorer is *told*, which may be a little wrong, as estimates are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deblurcli import psf as psfs
from deblurcli.blur import blur, through_jpeg
from deblurcli.images import from_float, to_float

MARGIN = 32  # pixels around a sample that are blurred with it where its border is to be unknown


@dataclass(frozen=True)
class Draw:
    """How a parameter of a family is drawn, uniformly from `low` to `high`, and how far what is told strays from it.

    stray: standard deviation in the parameter's unit; `share` makes it a share of the value.
    """

    low: float
    high: float
    stray: float = 0.0
    share: bool = False

    def __call__(self, rng: np.random.Generator, wrong: bool) -> tuple[float, float]:
        """The value and what is told of it, within a factor of three."""
        value = rng.uniform(self.low, self.high)
        away = rng.normal(0, self.stray) * (value if self.share else 1) if wrong and self.stray else 0.0
        return value, float(np.clip(value + away, value / 3, 3 * value)) if self.low >= 0 else value + away


@dataclass(frozen=True)
class Family:
    """A family of `psf.PSFS`, how often it is drawn, and its parameters in the order the family takes them."""

    weight: float
    make: Callable[..., np.ndarray]
    parameters: tuple[Draw, ...]


# Strays are those of `estimate` on pictures with noise, and a little more.
FAMILIES: dict[str, Family] = {
    "gaussian": Family(0.25, psfs.gaussian, (Draw(0.5, 4, 0.07, share=True),)),
    "motion": Family(0.3, psfs.motion, (Draw(2, 25, 0.7), Draw(0, 180, 3.0))),
    "defocus": Family(0.25, psfs.defocus, (Draw(1, 6, 0.05, share=True),)),
    "trajectory": Family(0.2, lambda length, seed: psfs.trajectory(length, int(seed)), (Draw(6, 35), Draw(0, 2**31))),
}


@dataclass(frozen=True)
class Degradation:
    """What is done to sharp pictures, besides their PSF.

    wrong: share of the samples whose PSF is told wrongly. soft: share that a small Gaussian blurs as well, of which
    nothing is told. noiseless: share without noise but that of rounding. noise: largest standard deviation of the
    others. jpeg: share that goes through JPEG. quality: its lowest and highest.
    """

    wrong: float = 0.4
    soft: float = 0.1
    noiseless: float = 0.15
    noise: float = 0.025
    jpeg: float = 0.1
    quality: tuple[int, int] = (60, 98)


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


def degrade(sharp: np.ndarray, settings: Degradation, rng: np.random.Generator) -> Sample:
    """Spoil a sharp image at random.

    sharp: float32 ``(H, W, 3)`` in [0, 1], `MARGIN` pixels larger on each side than the sample made of it. The sample
        ends in a reflecting border or, half the time, in one behind which the scene went on.
    """
    psf, told, exact = _psfs(settings, rng)
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    kept = np.ascontiguousarray(sharp[inside])
    blurred = blur(sharp, psf)[inside] if rng.random() < 0.5 else blur(kept, psf)
    if rng.random() >= settings.noiseless:
        deviation = np.float32(rng.uniform(0, settings.noise))
        blurred = blurred + deviation * rng.standard_normal(blurred.shape, np.float32)
    stored = from_float(blurred, np.uint8)
    compressed = bool(rng.random() < settings.jpeg)
    if compressed:
        stored = through_jpeg(stored, int(rng.integers(settings.quality[0], settings.quality[1] + 1)))
    return Sample(to_float(stored), kept, told, exact, compressed)


def _psfs(settings: Degradation, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    """A PSF, the one that is told, and whether they are the same."""
    chances = np.array([family.weight for family in FAMILIES.values()])
    family = list(FAMILIES.values())[rng.choice(len(chances), p=chances / chances.sum())]
    wrong = bool(rng.random() < settings.wrong)
    drawn = [parameter(rng, wrong) for parameter in family.parameters]
    psf, told = (family.make(*values) for values in zip(*drawn))
    if wrong and all(parameter.stray == 0 for parameter in family.parameters):
        told = _softened(told, rng.uniform(0.3, 0.8))  # as an estimate of a PSF without a formula is
    if rng.random() < settings.soft:
        return _softened(psf, rng.uniform(0.3, 0.7)), told, False
    return psf, told, not wrong


def _softened(psf: np.ndarray, sigma: float) -> np.ndarray:
    """A PSF blurred by a Gaussian."""
    small = psfs.gaussian(sigma)
    reach = small.shape[0] // 2
    grown = np.pad(psf, reach)
    moved = (
        share * np.roll(grown, (down - reach, right - reach), (0, 1)) for (down, right), share in np.ndenumerate(small)
    )
    return sum(moved)
