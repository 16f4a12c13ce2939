"""The PSF of a blurred picture, found from the picture alone.

Blurs with a formula leave zeros and a slope in the power spectrum: each family of `SHAPES` is fitted to it (see
`spectrum`), and the one that explains it best is taken. How far it is ahead of no blur at all, of the other
families and of its own other optima tells how likely it is right. When that is little, or no blur explains it as
well, a PSF of any form is sought (see `general`), and judged by the same spectrum. What is too large to be found in a
large picture is sought in the picture at a half and a quarter of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from scipy.special import expit, j1

from deblurcli import general, kernel, noise, spectrum
from deblurcli import psf as psfs
from deblurcli.errors import PSFError
from deblurcli.images import checked, to_float
from deblurcli.spectrum import Fit, Spectrum

SMALLEST_SIDE = 32  # below, a picture has too few patches and lines in its spectrum to tell anything

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_COARSE, _FINE = 128, 256  # sides of the patches for the search and for the fit
_HIGHEST = 0.45  # cycles per pixel; the corners beyond hold noise, and what the camera did to it
_STARTS = 5  # fits per family: pictures with lines of their own have several optima
_LARGEST_SIDE = 2048  # of the middle of a picture that is looked at
_REDUCTIONS = (2, 4)  # how many times smaller a picture is looked at as well
_REDUCIBLE = 256  # pixels a side that are to be left of it
_SMALL, _LARGE = 9, 27  # sides of a PSF: found better without reducing, and easily taken for another
_FINEST = 512  # side of the patches for the last fit in large pictures
# Families fitted once more, and from which multiples of the size found: of a motion's zeros, others have some as well.
_POLISHED = {"motion": (1, 2, 3, 4), "defocus": (1,)}
_FLAT = 4e-3  # standard deviation of a picture that shows nothing: a step of 8 bits
_BARELY = 1.5  # times the noise: of one whose noise hides what it shows

# The confidence from which an estimate is acted on: a blur is undone, a sharp picture not looked at further. Of the
# training photographs restored with such PSFs, 19 in 20 came nearer to the sharp ones.
CONFIDENT = {"none": 0.5, "motion": 0.8, "gaussian": 0.8, "defocus": 0.8, "general": general.CERTAIN}
PRUDENCE = 3.0  # multiple of the noise-to-signal ratio to restore with, as an estimated PSF is never quite right

# Logistic weights of the evidence, see `_evidence`, and the constant last, that tell right estimates from wrong
# ones: 550 training photographs and cuttings of them, blurred (motion, Gaussian, defocus, curves) or not, with
# noise of 0 to 5%, three in ten compressed as JPEG afterwards.
_WEIGHTS = np.array([1.45, 0.37, 0.72, -2.01, 1.12, 0.81, -0.31])
_SHARP_WEIGHTS = np.array([2.42, 1.26])  # the same of the logarithm of the share seen, for "none"
_UNRIVALLED = 0.3  # lead over the next optimum where there is none
_MUCH = 3.0  # times the noise of the finest detail: more in the spectrum is none that is white
_MARGIN = 0.02  # added to shares whose logarithm is taken


def _untouched(at: Spectrum, _: np.ndarray) -> np.ndarray:
    return np.ones(len(at.power))


def _gaussian(at: Spectrum, parameters: np.ndarray) -> np.ndarray:
    """``exp(−4π²σ²f²)``."""
    return np.exp(-((2 * np.pi * parameters[0]) ** 2) * (at.across**2 + at.down**2))


def _motion(at: Spectrum, parameters: np.ndarray) -> np.ndarray:
    """``sinc²(L u)``, u the frequency along the motion."""
    length, angle = parameters[0], np.deg2rad(parameters[1])
    return np.sinc(length * (at.across * np.cos(angle) - at.down * np.sin(angle))) ** 2


def _defocus(at: Spectrum, parameters: np.ndarray) -> np.ndarray:
    """``(2 J₁(2πrf) / 2πrf)²``."""
    phase = 2 * np.pi * parameters[0] * np.hypot(at.across, at.down)
    return (2 * j1(phase) / phase) ** 2


def _lines() -> tuple[tuple[float, float], ...]:
    """Lengths and angles to try, so close that no zero of the spectrum falls between two."""
    lengths = [*np.arange(2, 12, 1.0), *np.arange(12, 24, 1.5), *np.arange(24, 45, 2.0)]
    return tuple((length, angle) for length in lengths for angle in np.arange(0, 180, np.clip(90 / length, 3, 15)))


@dataclass(frozen=True)
class Shape:
    """A family of blurs as the spectrum shows it.

    transfer: ``(spectrum, θ) → |OTF|²`` at its frequencies.
    names: of the parameters θ, as the family's specification has them.
    guesses: parameters to try, for the search.
    low, high: bounds of the parameters.
    least: of the first parameter; below, the blur is none.
    """

    transfer: Callable[[Spectrum, np.ndarray], np.ndarray]
    names: tuple[str, ...] = ()
    guesses: tuple[tuple[float, ...], ...] = ((),)
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    least: float = 0.0


SHAPES: dict[str, Shape] = {
    "none": Shape(_untouched),
    "motion": Shape(_motion, ("length", "angle"), _lines(), (1.0, -np.inf), (50.0, np.inf), 1.8),
    "gaussian": Shape(_gaussian, ("sigma",), tuple((s,) for s in np.geomspace(0.3, 8, 30)), (0.3,), (12.0,), 0.55),
    "defocus": Shape(_defocus, ("radius",), tuple((r,) for r in np.geomspace(0.8, 16, 60)), (0.6,), (24.0,), 1.1),
}

GENERAL = "general"
FAMILIES = ("auto", *(name for name in SHAPES if name != "none"), GENERAL)


@dataclass(frozen=True)
class Estimate:
    """What blurred a picture.

    spec: a specification that `psf.parse` reads, or None for a PSF without a formula.
    psf: ``(K, L)``, odd sides, sums to 1; a single 1 when the family is "none".
    confidence: 0 to 1, about the chance that the estimate is right: motion within 2 pixels and 6 degrees, sigma
        and radius within 0.4 pixels, a general PSF so near that restoring with it helps.
    family: "motion", "gaussian", "defocus", "general", or "none" for a picture that is not blurred, or of which
        nothing can be told.
    parameters: the numbers of the specification, by name.
    noise: variance of the noise in the picture's brightness, on the scale [0, 1], as its spectrum shows it.
    """

    spec: str | None
    psf: np.ndarray
    confidence: float
    family: str
    parameters: tuple[tuple[str, float], ...] = ()
    noise: float = 0.0

    def about(self) -> dict[str, Any]:
        """The estimate without its PSF, ready for JSON."""
        return {
            "family": self.family,
            "parameters": dict(self.parameters),
            "confidence": round(self.confidence, 4),
            "size": [*self.psf.shape],
            "spec": self.spec,
        }


def estimate(image: np.ndarray, family: str = "auto") -> Estimate:
    """Find the PSF that blurred an image.

    image: ``(H, W, 1 or 3)``, blurred or not; float in [0, 1], uint8 or uint16. The middle 2048 × 2048 pixels are
        looked at; and where no small blur is certain in a picture of at least 512 pixels a side, the middle of it at
        half and, from 1024, a quarter of its size.
    family: "motion", "gaussian" or "defocus" fits that family whatever the others say; "general" finds a PSF of any
        form, at most 31 pixels a side at the size that is looked at; "auto" takes the family that explains the
        picture best, and a general PSF when none does so with confidence.

    The result is of family "none", with a PSF of one pixel, for pictures that show no blur; with confidence 0
    when they are below 32 pixels a side, or show hardly more than noise on a slope.

    Raises ImageError when the image is none, PSFError when there is no such family.

    >>> from deblurcli.blur import blur
    >>> squares = np.kron(np.random.default_rng(0).random((24, 24)), np.ones((9, 9)))[..., None].astype(np.float32)
    >>> found = estimate(blur(squares, psfs.motion(9, 30)))
    >>> found.family, [round(value) for _, value in found.parameters]
    ('motion', [9, 30])
    """
    if family not in FAMILIES:
        raise PSFError(f"no family '{family}' to estimate; choose one of {', '.join(FAMILIES)}")
    image = checked(image)
    found = _estimate(_luma(image), family)
    if _is_sharp(found) or min(image.shape[:2]) < _REDUCTIONS[0] * _REDUCIBLE:
        return found
    found = _of_sizes(image, found, family)
    return _polished(_luma(image), found) if found.family in _POLISHED and trusted(found) else found


def _estimate(luma: np.ndarray, family: str) -> Estimate:
    """What blurred a picture, from its brightness ``(H, W)``, at this size alone."""
    if min(luma.shape) < SMALLEST_SIDE or not np.isfinite(luma).all() or _shows_nothing(luma):
        return _none(0.0)
    seen = _spectrum(luma, _FINE)
    fits = _search(luma, seen)
    if family == GENERAL:
        return _general(luma, seen, fits["none"][0])
    if family != "auto":
        return _named(family, fits, seen)
    named = _named(min(fits, key=lambda name: fits[name][0].misfit), fits, seen)
    if trusted(named):
        return named
    return max(named, _general(luma, seen, fits["none"][0]), key=lambda found: (trusted(found), found.confidence))


def trusted(found: Estimate) -> bool:
    """Whether an estimate is good enough to restore with: a blur, with the confidence that `CONFIDENT` asks for.

    Leave the picture as it is when not; and when so, restore with the ratio of `noise_to_signal`.
    """
    return found.family != "none" and found.confidence >= CONFIDENT[found.family]


def _is_sharp(found: Estimate) -> bool:
    return found.family == "none" and found.confidence >= CONFIDENT["none"]


def _of_sizes(image: np.ndarray, found: Estimate, family: str) -> Estimate:
    """The best of the estimate found and those of the picture at smaller sizes, where large blurs are small."""
    for times in _REDUCTIONS:
        if min(image.shape[:2]) < times * _REDUCIBLE:
            break
        coarse = _estimate(_luma(image, times), family)
        if trusted(coarse):
            found = _enlarged(coarse, times) if _is_better(coarse, found) else found
        if trusted(found) or _is_sharp(coarse):
            break
    return found


def _is_better(coarse: Estimate, fine: Estimate) -> bool:
    """Whether a trusted estimate of a smaller picture is better than that of the picture itself."""
    if not trusted(fine):
        return True
    if coarse.family == fine.family == GENERAL:
        return _extent(fine.psf) > _LARGE
    return _extent(coarse.psf) > _SMALL


def _extent(psf: np.ndarray) -> int:
    """Side of the square that holds all of a PSF."""
    return max(int(np.ptp(places)) + 1 for places in np.nonzero(psf))


def _polished(luma: np.ndarray, found: Estimate) -> Estimate:
    """The estimate of a family fitted once more, to large patches of the picture at its own size."""
    shape, seen = SHAPES[found.family], _spectrum(luma, _FINEST)
    start, unbounded = np.array([value for _, value in found.parameters]), np.full(len(found.parameters), np.inf)
    starts = [np.array([times * start[0], *start[1:]]) for times in _POLISHED[found.family]]
    fits = [
        spectrum.fit(seen, shape.transfer, start, np.array(shape.low), unbounded)
        for start in starts
        if start[0] <= _FINEST / 3
    ]
    if not fits:
        return found
    best = min(fits, key=lambda fit: fit.misfit)
    return replace(found, noise=best.noise, **_specified(found.family, best.parameters))


def _enlarged(found: Estimate, times: int) -> Estimate:
    """The estimate for a picture so many times larger; white noise is stronger there by the square of that."""
    noise = found.noise * times**2
    if found.spec is None:
        return replace(found, psf=kernel.enlarged(found.psf, times), noise=noise)
    size, *others = (value for _, value in found.parameters)
    return replace(found, noise=noise, **_specified(found.family, [times * size, *others]))


def noise_to_signal(image: np.ndarray, found: Estimate, floor: float = 0.0) -> float:
    """The noise-to-signal ratio to restore an image with, given its estimate, within `noise.NSR`.

    `PRUDENCE` times that of `noise.noise_to_signal`; or, where the spectrum has a floor more than 3 times as
    high as the finest detail shows, that of the spectrum. JPEG leaves such: it clears the finest detail and not
    the rest (70 JPEGs of training photographs, restored with the true PSF: 97% improved against 60%).

    image: ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16.
    floor: least standard deviation of the noise to believe in, such as that of rounding.
    """
    image = noise.sample(image)
    ratio = noise.noise_to_signal(image, floor)
    share = 1.0 if image.shape[2] == 1 else float(np.square(_LUMA).sum())  # of a channel's noise left in the brightness
    shown = found.noise / share / max(float(image.var(axis=(0, 1)).mean()), 1e-6)
    return float(np.clip(PRUDENCE * (shown if shown > _MUCH * ratio else ratio), *noise.NSR))


def _luma(image: np.ndarray, times: int = 1) -> np.ndarray:
    """The brightness of the middle of an image so many times smaller, float32 ``(H, W)``, at most 2048 a side."""
    side = times * _LARGEST_SIDE
    top, left = (max(0, (length - side) // 2) for length in image.shape[:2])
    middle = to_float(image[top : top + side, left : left + side])
    luma = middle[..., 0] if image.shape[2] == 1 else middle @ _LUMA
    return cv2.resize(luma, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA) if times > 1 else luma


def _shows_nothing(luma: np.ndarray) -> bool:
    """Whether there is hardly more than noise on a slope, as in a clear sky."""
    slopes = np.zeros_like(luma)
    for axis, side in enumerate(luma.shape):
        ramp = np.linspace(-1, 1, side, dtype=np.float32)
        rise = luma.mean(axis=1 - axis) @ ramp / (ramp @ ramp) * ramp
        slopes += np.expand_dims(rise, 1 - axis)
    return float((luma - slopes).std()) < max(_FLAT, _BARELY * noise.noise(luma[..., None]))


def _spectrum(luma: np.ndarray, side: int) -> Spectrum:
    """The spectrum of even patches, of the side or as large as the picture allows."""
    return spectrum.measure(luma, min(side, min(luma.shape) // 2 * 2), _HIGHEST)


@lru_cache(maxsize=2)
def _transfers(side: int) -> dict[str, np.ndarray]:
    """The transfer functions of every family's guesses, ``(N, F)`` float32, on patches of a side."""
    at = _spectrum(np.zeros((side, side), np.float32), side)
    return {
        name: np.array([shape.transfer(at, np.array(guess)) for guess in shape.guesses], np.float32)
        for name, shape in SHAPES.items()
    }


def _search(luma: np.ndarray, seen: Spectrum) -> dict[str, list[Fit]]:
    """The optima of each family, the best first: found among its guesses, fitted to the spectrum."""
    coarse = _spectrum(luma, _COARSE)
    misfits = {name: spectrum.profile(coarse, table) for name, table in _transfers(coarse.side).items()}
    return {name: sorted(_fits(name, misfits[name], seen), key=lambda fit: fit.misfit) for name in SHAPES}


def _fits(name: str, misfits: np.ndarray, seen: Spectrum) -> list[Fit]:
    shape = SHAPES[name]
    bounds = np.array(shape.low), np.array(shape.high)
    return [spectrum.fit(seen, shape.transfer, start, *bounds) for start in _starts(name, misfits)]


def _starts(name: str, misfits: np.ndarray) -> list[np.ndarray]:
    """The best guesses that are not near a better one; and for motion twice the best, as zeros repeat."""
    starts: list[np.ndarray] = []
    for index in np.argsort(misfits):
        guess = np.array(SHAPES[name].guesses[index], float)
        if not any(_near(name, start, guess) for start in starts):
            starts.append(guess)
        if len(starts) == _STARTS:
            break
    return [*starts, starts[0] * [2, 1]] if name == "motion" else starts


def _near(name: str, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two parameters lie at the same optimum; families of one parameter have but one."""
    if name != "motion":
        return True
    turned = abs((one[1] - other[1] + 90) % 180 - 90)
    return bool(abs(one[0] - other[0]) < 0.15 * one[0] + 0.5 and turned < max(4, 60 / one[0]))


def _evidence(name: str, fits: dict[str, list[Fit]], count: int) -> np.ndarray:
    """What tells a right estimate: the logarithms of how far, per frequency seen, the fit is ahead of no blur, of
    the next family and of its own next optimum; what it leaves unexplained; the logarithms of the share of
    frequencies seen and of their number.
    """
    best = fits[name][0]
    shown = best.seen + _MARGIN
    others = min(fits[other][0].misfit for other in fits if other not in ("none", name))
    rivals = [fit.misfit for fit in fits[name][1:] if not _near(name, best.parameters, fit.parameters)]
    rival = min(rivals) - best.misfit if rivals else _UNRIVALLED
    leads = np.array([fits["none"][0].misfit - best.misfit, others - best.misfit, rival])
    return np.array([*np.log(np.maximum(leads, 0) / shown + 1e-3), best.excess, np.log(shown), np.log(count)])


def _named(name: str, fits: dict[str, list[Fit]], seen: Spectrum) -> Estimate:
    """The estimate of a family; "none" when its blur is too small to be one, of confidence 0 when it is too large."""
    shape, best = SHAPES[name], fits[name][0]
    if name == "none" or best.parameters[0] < shape.least:
        sharp = _SHARP_WEIGHTS @ [np.log(fits["none"][0].seen + _MARGIN), 1]
        return _none(float(expit(sharp)))
    confidence = float(expit(_WEIGHTS @ [*_evidence(name, fits, len(seen.power)), 1]))
    found = Estimate(confidence=confidence, family=name, noise=best.noise, **_specified(name, best.parameters))
    return found if max(found.psf.shape) <= seen.side else replace(found, confidence=0.0)


def _specified(name: str, values: Sequence[float]) -> dict[str, Any]:
    """The specification of a family with these values, its parameters and its PSF, as `Estimate` holds them."""
    rounded = [round(float(value), 2) for value in values]
    if name == "motion":
        rounded[1] = round(rounded[1] % 180, 2)
    parameters = tuple(zip(SHAPES[name].names, rounded))
    spec = f"{name}:{','.join(f'{field}={value:g}' for field, value in parameters)}"
    return {"spec": spec, "parameters": parameters, "psf": psfs.parse(spec).array()}


def _none(confidence: float) -> Estimate:
    return Estimate(None, np.ones((1, 1)), confidence, "none")


def _general(luma: np.ndarray, seen: Spectrum, nothing: Fit) -> Estimate:
    """A PSF of any form; nothing is no blur at all, fitted to the spectrum."""
    found = general.find(luma, seen, nothing)
    return Estimate(None, found.psf, found.confidence, GENERAL, noise=found.fit.noise)
