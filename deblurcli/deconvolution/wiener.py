"""The Wiener filter, for a picture that is seen in its frame only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deblurcli.deconvolution.observation import DEFAULTS, Observed, Settings, fitting

MUCH_NOISE = 3e-3  # variance that the first of several Wiener filters takes for granted
FALL = 3.0  # of that variance from one filter to the next, at most
_LITTLE_NOISE = 1.2e-5
_BOLD = 0.1  # of the noise, to leave in what a network looks at besides
_PRECISION = 1e-8  # variance that single precision costs
_TINY = np.finfo(np.float32).tiny


def wiener(image: np.ndarray, psf: np.ndarray, nsr: float | None = None, settings: Settings = DEFAULTS) -> np.ndarray:
    """Wiener filter, with the spectrum of natural images, fitted to this one, as prior.

    ``R = H* B / (|H|² + σ² / P)``, where P is the expected power spectrum of the sharp image, a power of frequency
    (`fourier.prior`), and σ² the variance of the noise, in a colour space where channels are not correlated.

    That formula is for a picture without borders. Conjugate gradients lead on from its answer to the one for a
    picture that is seen in its frame only, and not where lights are clipped.

    image: ``(H, W, 1 or 3)``, blurred; float in [0, 1], uint8 or uint16.
    psf: ``(K, L)``, origin at the centre, odd sides.
    nsr: noise-to-signal ratio of variances, 1e-12 to 1000; larger is smoother and rings less; None leaves it to
        the settings.

    Returns float32 ``(H, W, C)``, clipped to [0, 1]. Raises PSFError when the PSF is larger than the
    image or its sides are even, ImageError when the image is none, ValueError when nsr is out of range.

    Source: N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949.
    """
    image, psf = fitting(image, psf)
    settings = settings if nsr is None else replace(settings, nsr=nsr)
    return _answered(Observed(image, psf, settings))[0]


def wiener_twice(image: np.ndarray, psf: np.ndarray, settings: Settings = DEFAULTS) -> tuple[np.ndarray, np.ndarray]:
    """The Wiener filter's answer, and a bolder one, as for a tenth of the noise: with more detail, and more noise.

    Both together tell a network more than one does. Arguments, results and errors as for `wiener`.
    """
    return answers(Observed(*fitting(image, psf), settings))


def answers(blurred: Observed) -> tuple[np.ndarray, np.ndarray]:
    """What `wiener_twice` gives, of a picture that was looked at already."""
    careful, spectrum = _answered(blurred)
    blurred.fill(spectrum)
    return careful, blurred.picture(blurred.wiener(_BOLD))


def _answered(blurred: Observed) -> tuple[np.ndarray, np.ndarray]:
    """The Wiener filter's answer and its spectrum."""
    effort = THOROUGH if blurred.variance < _LITTLE_NOISE else QUICK  # what little noise there is hides no error
    spectrum = filtered(blurred, effort)
    return blurred.picture(spectrum), spectrum


def filtered(blurred: Observed, effort: Effort) -> np.ndarray:
    """Spectrum of the Wiener filter's answer for a picture seen in its frame only."""
    if not (blurred.all_seen and blurred.symmetric):  # else the extended picture is nearly a blurred one
        for more in _falling(blurred.variance):
            blurred.fill(blurred.wiener(more))
    return _solved(blurred, blurred.wiener(), effort)


def _falling(variance: float) -> list[float]:
    """How many times the real noise a row of filters takes for granted: from much to a little more than it."""
    ratio = max(MUCH_NOISE / variance, 1)
    count = int(np.ceil(np.log(ratio) / np.log(FALL)))
    return [ratio ** (1 - step / count) for step in range(count)]


@dataclass(frozen=True)
class Effort:
    """How long conjugate gradients go on: errors not worth a first and another step, in units of the noise."""

    good_guess: float
    good_enough: float
    most: int


QUICK = Effort(7e-4, 7e-4, 30)
THOROUGH = Effort(5e-4, 5e-5, 100)


def _solved(blurred: Observed, guess: np.ndarray, effort: Effort) -> np.ndarray:
    """Spectrum of the picture whose blur explains best what was seen, and that is as likely as the prior allows.

    Minimises ``|h * x − y|²`` where y was seen, plus the prior, for each plane by conjugate gradients, with the Wiener
    filter's answer for a picture seen everywhere as preconditioner.
    """
    weight = np.full(blurred.otf.shape, 2, np.float32)  # a half plane stands for the other half as well
    weight[:, 0] = 1
    weight[:, -1] -= 1 - blurred.shape[1] % 2
    scale = max(blurred.variance, _PRECISION) * np.prod(blurred.shape, dtype=float) ** 2 / len(guess)
    planes = zip(guess, blurred.observed(), blurred.prior)
    return np.stack([_descended(blurred, *plane, weight / scale, effort) for plane in planes])


def _descended(
    blurred: Observed, x: np.ndarray, seen: np.ndarray, prior: np.ndarray, weight: np.ndarray, effort: Effort
) -> np.ndarray:
    """Conjugate gradients for one plane, from a first guess."""
    inverse = 1 / np.maximum(blurred.passed + prior, _TINY)
    residual = seen - blurred.blurred_where_seen(x) - prior * x
    direction = inverse * residual
    slope = _product(weight, residual, direction)
    if slope < effort.good_guess:
        return x
    for _ in range(effort.most):
        curved = blurred.blurred_where_seen(direction) + prior * direction
        step = np.float32(slope / max(_product(weight, direction, curved), _TINY))
        x = x + step * direction
        residual -= step * curved
        towards = inverse * residual
        before, slope = slope, _product(weight, residual, towards)
        if slope < effort.good_enough:
            break
        direction = towards + np.float32(slope / before) * direction
    return x


def _product(weight: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """Inner product of two spectra."""
    return float(np.vdot(weight * one, other).real)
