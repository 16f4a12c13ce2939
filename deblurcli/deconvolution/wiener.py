"""The Wiener filter, for a picture that is seen in its frame only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deblurcli.deconvolution.observation import Observation
from deblurcli.deconvolution.options import DEFAULTS, DeconvolutionOptions
from deblurcli.deconvolution.statistics import ImageStatistics

MUCH_NOISE = 3e-3  # variance that the first of several Wiener filters takes for granted
FALL = 30.0  # of that variance from one filter to the next, at most; with 3 a tenth slower and no better
_LITTLE_NOISE = 1.2e-5
_BOLD = 0.1  # of the noise, to leave in what a network looks at besides
_PRECISION = 1e-8  # variance that single precision costs
_TINY = np.finfo(np.float32).tiny


def wiener(
    image: np.ndarray,
    psf: np.ndarray,
    nsr: float | None = None,
    options: DeconvolutionOptions = DEFAULTS,
    statistics: ImageStatistics | None = None,
) -> np.ndarray:
    """Wiener filter, with the spectrum of natural images, fitted to this one, as prior.

    ``R = H* B / (|H|² + σ² / P)``, where P is the expected power spectrum of the sharp image, a power of frequency
    (`prior.fit_prior`), and σ² the variance of the noise, in a colour space where channels are not correlated.

    That formula is for a picture without borders. Conjugate gradients lead on from what it gives to the solution for a
    picture that is seen in its frame only. Clipped lights are taken off before; see `beyond_white`.

    image: ``(H, W, 1 or 3)``, blurred; float in [0, 1], uint8 or uint16.
    psf: ``(K, L)``, origin at the centre, odd sides.
    nsr: noise-to-signal ratio of variances, 1e-12 to 1000; larger is smoother and rings less; None leaves it to
        the options.
    statistics: of the picture that the image is a tile of; its own when left out.

    Returns float32 ``(H, W, C)``, clipped to [0, 1]. Raises PSFError when the PSF is larger than the
    image or its sides are even, ImageError when the image is none, ValueError when nsr is out of range.

    Source: N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949.
    """
    options = options if nsr is None else replace(options, nsr=nsr)
    observation = Observation.of(image, psf, options, statistics)
    return observation.lit(observation.to_clipped_image(_careful(observation)))


@dataclass(frozen=True)
class WienerPair:
    """Two images that Wiener filters restore, which together tell a network more than one does.

    careful: what `wiener` gives. bold: as for a tenth of the noise, with more detail and more noise. Both are without
    the light beyond white, as `Observation.image` is.
    """

    careful: np.ndarray
    bold: np.ndarray


def wiener_pair(observation: Observation) -> WienerPair:
    """A careful and a bold restoration of one observation, float32 ``(H, W, C)`` in [0, 1]."""
    careful = _careful(observation)
    bold = observation.extrapolate(careful).wiener(_BOLD)
    return WienerPair(observation.to_clipped_image(careful), observation.to_clipped_image(bold))


def _careful(observation: Observation) -> np.ndarray:
    """The spectrum of what `wiener` restores."""
    effort = THOROUGH if observation.variance < _LITTLE_NOISE else QUICK  # what little noise there is hides no error
    return wiener_spectrum(observation, effort)


def wiener_spectrum(observation: Observation, effort: Effort) -> np.ndarray:
    """Spectrum that the Wiener filter gives for a picture seen in its frame only."""
    if not observation.is_symmetric:  # else the extended picture is nearly a blurred one
        for factor in _falling(observation.variance):
            observation = observation.extrapolate(observation.wiener(factor))
    return _solve(observation, observation.wiener(), effort)


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
THOROUGH = Effort(5e-4, 1e-4, 100)


def _solve(observation: Observation, guess: np.ndarray, effort: Effort) -> np.ndarray:
    """Spectrum of the picture whose blur explains best what was seen, and that is as likely as the prior allows.

    Minimises ``|h * x − y|²`` where y was seen, plus the prior, for each plane by conjugate gradients, preconditioned
    by the Wiener filter for a picture seen everywhere.
    """
    scale = max(observation.variance, _PRECISION) * np.prod(observation.shape, dtype=float) ** 2 / len(guess)
    planes = zip(guess, observation.normal_target(), observation.prior)
    return np.stack([conjugate_gradients(observation, *plane, scale, effort) for plane in planes])


def conjugate_gradients(
    observation: Observation, x: np.ndarray, target: np.ndarray, prior: np.ndarray, scale: float, effort: Effort
) -> np.ndarray:
    """Solve ``(AᵀA + prior) x = target`` for the spectrum of one plane, ``(H, W // 2 + 1)``.

    x: first guess. scale: what inner products are divided by, so that an error worth the noise is 1.
    """
    mirrored = observation.shape[1] % 2 == 0

    def product(one: np.ndarray, other: np.ndarray) -> float:
        """Inner product of two spectra, of which a half plane stands for the other half as well."""
        alone = np.vdot(one[:, 0], other[:, 0]) + (np.vdot(one[:, -1], other[:, -1]) if mirrored else 0)
        return float((2 * np.vdot(one, other) - alone).real / scale)

    inverse = 1 / np.maximum(observation.otf_power + prior, _TINY)
    residual = target - observation.normal_operator(x) - prior * x
    direction = inverse * residual
    slope = product(residual, direction)
    if slope < effort.good_guess:
        return x
    for _ in range(effort.most):
        curved = observation.normal_operator(direction) + prior * direction
        step = np.float32(slope / max(product(direction, curved), _TINY))
        x = x + step * direction
        residual -= step * curved
        towards = inverse * residual
        before, slope = slope, product(residual, towards)
        if slope < effort.good_enough:
            break
        direction = towards + np.float32(slope / before) * direction
    return x
