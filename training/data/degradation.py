"""Pictures degraded as cameras do, and what a restorer is given the blur: maybe a little wrong, as estimates are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import cv2
import numpy as np
import scipy.signal

from deblurcli.blur import families
from deblurcli.blur.model import blur, through_jpeg
from deblurcli.blur.psf import PSFSpec
from deblurcli.blur.varying import GAMMA
from deblurcli.pictures.images import from_float, to_float
from training.recipe import Data

MARGIN = 32  # pixels around a sample that are blurred with it where its border is to be unknown
BRIGHTEST = 1.6  # how far linear light is over white at most
_OUT_OF_HAND = 3.0  # times too large or too small: no PSF is given more wrongly

_FAINT = 0.06  # of a PSF's brightest: about what estimates of any form lose
# Standard deviation of what is given of each field, as a share of its value where it has none of its own unit: those of
# `estimate` on pictures with noise, and a little more.
STRAYS: dict[str, dict[str, float]] = {
    "gaussian": {"sigma": 0.07},
    "motion": {"length": 0.07, "angle": 4.0},
    "defocus": {"radius": 0.05},
}
ABSOLUTE = ("angle",)


@dataclass(frozen=True)
class Blurring:
    """What blurs a picture, and what a restorer is told of it.

    psf: the true PSF. given: the one a restorer is given. Both ``(K, L)``.
    exact: whether they are the same. least_nsr: what the restorer takes the noise-to-signal ratio for at least.
    """

    psf: np.ndarray
    given: np.ndarray
    exact: bool
    least_nsr: float = 0.0


@dataclass(frozen=True)
class Sample:
    """A degraded picture.

    blurred, sharp: float32 ``(H, W, 3)`` in [0, 1], the former rounded to 8 bits.
    blurring: what blurred it. compressed: by JPEG. in_light: whether it was blurred in linear light.
    """

    blurred: np.ndarray
    sharp: np.ndarray
    blurring: Blurring
    compressed: bool
    in_light: bool = False


def piece(image: np.ndarray, size: tuple[int, int], least: float, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """A piece of an image with what lies around it, and how many pixels of that there are on each side; float32.

    Cut out at random, after the image is reduced, turned and mirrored at random. Where there is no room for `MARGIN`
    pixels around a piece, none are taken, and the image is mirrored only.

    size: height and width of the piece. least: scale to reduce to at most, where the image is large enough.
    """
    margin = MARGIN if all(side >= length + 2 * MARGIN for side, length in zip(image.shape, size)) else 0
    height, width = (length + 2 * margin for length in size)
    if margin:
        image = _reduced(image, (height, width), least, rng)
        image = image if height == width else np.rot90(image, 2 * int(rng.integers(2)))
    top, left = rng.integers(image.shape[0] - height + 1), rng.integers(image.shape[1] - width + 1)
    cut = image[top : top + height, left : left + width]
    cut = np.rot90(cut, int(rng.integers(4))) if margin and height == width else cut
    return np.ascontiguousarray(cut[:, :: rng.choice([-1, 1])]), margin


def _reduced(image: np.ndarray, size: tuple[int, int], least: float, rng: np.random.Generator) -> np.ndarray:
    """The image at a random scale, no smaller than a size and no larger than it is."""
    smallest = max(least, *(length / side for length, side in zip(size, image.shape)))
    scale = rng.uniform(min(smallest, 1.0), 1.0)
    height, width = (max(length, round(scale * side)) for length, side in zip(size, image.shape))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def degrade(sharp: np.ndarray, margin: int, blurring: Blurring, data: Data, rng: np.random.Generator) -> Sample:
    """Degrade a sharp image, at random but for the PSF.

    sharp: float32 ``(H, W, 3)`` in [0, 1], `margin` pixels larger on each side than the sample made of it. The sample
        ends in a reflecting border or, half the time where there are margins, in one behind which the scene went on.
    data: of the recipe: its noise, JPEG and light.
    """
    in_light = bool(data.linear) and bool(rng.random() < data.linear)
    blurred, kept = _blurred(sharp, margin, blurring.psf, in_light, rng)
    seen, compressed = stored(blurred, data, rng)
    return Sample(seen, kept, blurring, compressed, in_light)


def stored(blurred: np.ndarray, data: Data, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """A blurred image ``(H, W, 3)`` with noise, in 8 bits, float32, and whether it went through JPEG; see `degrade`."""
    if rng.random() >= data.noiseless:
        deviation = np.float32(rng.uniform(*data.noise))
        blurred = blurred + deviation * rng.standard_normal(blurred.shape, np.float32)
    samples = from_float(blurred, np.uint8)
    compressed = bool(rng.random() < data.jpeg)
    if compressed:
        samples = through_jpeg(samples, int(rng.integers(data.quality[0], data.quality[1] + 1)))
    return to_float(samples), compressed


def _blurred(
    sharp: np.ndarray, margin: int, psf: np.ndarray, in_light: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The blurred and the sharp piece without margins."""
    scene = np.float32(rng.uniform(1, BRIGHTEST)) * sharp**GAMMA if in_light else sharp
    inside = tuple(slice(margin, side - margin) for side in sharp.shape[:2])
    kept = np.ascontiguousarray(scene[inside])
    goes_on = margin > 0 and rng.random() < 0.5
    blurred = blur(scene, psf)[inside] if goes_on else blur(kept, psf)
    if not in_light:
        return blurred, kept
    return encoded(blurred), encoded(kept)


def encoded(light: np.ndarray) -> np.ndarray:
    """Linear light as a picture holds it, in [0, 1]; what is brighter than white is white."""
    return np.clip(light, 0, 1) ** (1 / GAMMA)


def blurring(specs: Sequence[PSFSpec], data: Data, rng: np.random.Generator) -> Blurring:
    """All of these PSFs in turn, the first of which a restorer is given, a little wrong as often as a recipe says."""
    first, *others = (spec.array() for spec in specs)
    wrong = bool(rng.random() < data.wrong)
    given = mistaken(specs[0], rng) if wrong else first
    psf = reduce(scipy.signal.convolve2d, others, first)
    if rng.random() < data.soft:  # a small blur of the lens, which is not given
        return Blurring(blurred_psf(psf, rng.uniform(0.3, 0.7)), given, exact=False)
    return Blurring(psf, given, exact=not (wrong or others))


def mistaken(spec: PSFSpec, rng: np.random.Generator) -> np.ndarray:
    """The PSF of a specification that strays; one without a formula is degraded, as an estimate of it would be."""
    if spec.family not in STRAYS:
        return blurred_psf(perturbed(spec.array(), rng), rng.uniform(0.3, 0.8))
    return strayed(spec, rng).array()


def strayed(spec: PSFSpec, rng: np.random.Generator) -> PSFSpec:
    """A specification of one of the families of `STRAYS`, as an estimate of it would be."""
    strays = STRAYS[spec.family]
    values = tuple(
        (name, _strayed(float(value), name, strays[name], rng)) if name in strays else (name, value)
        for name, value in spec.values
    )
    return replace(spec, values=values)


def _strayed(value: float, name: str, deviation: float, rng: np.random.Generator) -> float:
    if name in ABSOLUTE:
        return value + rng.normal(0, deviation)
    return value * float(np.clip(1 + rng.normal(0, deviation), 1 / _OUT_OF_HAND, _OUT_OF_HAND))


def perturbed(psf: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A PSF of which some parts are too bright and others too faint, and the faintest are lost."""
    uneven = psf * np.exp(rng.uniform(0, 0.5) * rng.standard_normal(psf.shape))
    uneven[uneven < rng.uniform(0, _FAINT) * uneven.max()] = 0
    return uneven / uneven.sum()


def blurred_psf(psf: np.ndarray, sigma: float) -> np.ndarray:
    """A PSF blurred by a Gaussian."""
    small = families.gaussian(sigma)
    reach = small.shape[0] // 2
    grown = np.pad(psf, reach)
    moved = (
        share * np.roll(grown, (down - reach, right - reach), (0, 1)) for (down, right), share in np.ndenumerate(small)
    )
    return reduce(np.add, moved)
