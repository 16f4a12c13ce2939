"""Deconvolution with a sparse prior: of the differences between neighbouring pixels few are large."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft

from deblurcli.deconvolution import fourier
from deblurcli.deconvolution.observation import Observation
from deblurcli.deconvolution.options import DEFAULTS, DeconvolutionOptions
from deblurcli.deconvolution.statistics import ImageStatistics
from deblurcli.deconvolution.wiener import THOROUGH, wiener_spectrum
from deblurcli.pictures.tiles import Progress, unwatched

EXPONENT = 0.8  # of the hyper-Laplacian
PENALTIES = 2.0 ** np.arange(-1, 8)  # of half-quadratic splitting, in turn
FIDELITY = 0.15  # weight of the prior; chosen, as the two above, on eight photographs
_LARGEST, _FINENESS = 64.0, 2.0**-10  # of the table of shrinkage, in units of the scale of gradients
_TINY = np.finfo(np.float32).tiny


def sparse(
    image: np.ndarray,
    psf: np.ndarray,
    options: DeconvolutionOptions = DEFAULTS,
    statistics: ImageStatistics | None = None,
    progress: Progress = unwatched,
) -> np.ndarray:
    """Deconvolution with a hyper-Laplacian prior on gradients: few of them, but any size.

    Minimises ``|h * x − y|² / 2σ² + μ Σ |∂x / s|^0.8`` by half-quadratic splitting: gradients are shrunk one by one,
    then the picture is fitted to both in the Fourier domain, with a penalty on their difference that grows. The
    scale s of the gradients is that of the restoration so far, for each direction and each decorrelated channel.

    image, psf, statistics, result and errors as for `wiener`, which is the beginning. progress: called after each
    round.

    Source: D. Krishnan and R. Fergus, Fast Image Deconvolution using Hyper-Laplacian Priors, NIPS 2009.
    """
    return sparse_image(Observation.of(image, psf, options, statistics), progress)


def sparse_image(observation: Observation, progress: Progress = unwatched) -> np.ndarray:
    """What `sparse` restores of an observation, float32 ``(H, W, C)`` in [0, 1]."""
    restored = wiener_spectrum(observation, THOROUGH)
    gradients = _gradients(observation.shape)
    for penalty in PENALTIES:
        restored = _half_quadratic(observation.extrapolate(restored), restored, gradients, penalty)
        progress(1 / len(PENALTIES))
    return observation.lit(observation.to_clipped_image(restored))


def _gradients(shape: tuple[int, int]) -> list[np.ndarray]:
    """Spectra of the differences to the next pixel, down and across."""
    down = np.exp(2j * np.pi * scipy.fft.fftfreq(shape[0]))[:, None] - 1
    across = np.exp(2j * np.pi * scipy.fft.rfftfreq(shape[1]))[None] - 1
    return [part.astype(np.complex64) for part in (down, across)]


def _half_quadratic(
    observation: Observation, restored: np.ndarray, gradients: list[np.ndarray], penalty: float
) -> np.ndarray:
    """One round of splitting: shrink the gradients, then fit the picture to them and to what was seen."""
    pulls = np.conj(observation.otf) * observation.spectrum
    total = np.repeat(observation.otf_power[None], len(restored), axis=0)
    table = _shrinkage(penalty)
    for gradient in gradients:
        steps = fourier.back(restored * gradient, observation.shape)
        scale = _scale(steps)
        pull = np.float32(FIDELITY * penalty) * observation.plane_variances / np.square(scale)
        shrunk = scale * _shrunk(steps / scale, table)
        pulls += pull * (np.conj(gradient) * fourier.forward(shrunk))
        total += pull * np.square(np.abs(gradient))
    return pulls / np.maximum(total, _TINY)


def _scale(steps: np.ndarray) -> np.ndarray:
    """The likeliest scale of a hyper-Laplacian for each plane of gradients, ``(C, 1, 1)``."""
    sample = np.abs(steps[:, ::2, ::2])  # powers are slow
    moment = np.mean(sample ** np.float32(EXPONENT), axis=(1, 2), keepdims=True)
    return np.maximum((EXPONENT * moment) ** (1 / EXPONENT), 1e-6).astype(np.float32)


@lru_cache(maxsize=len(PENALTIES))
def _shrinkage(penalty: float) -> np.ndarray:
    """A table from v to the w ≥ 0 that minimises ``w^0.8 + penalty / 2 · (w − v)²``, a step of `_FINENESS` an entry."""
    given = np.arange(0, _LARGEST + _FINENESS, _FINENESS)
    best = given.copy()
    for _ in range(8):  # Newton's method from above; where the curve bends down, zero is the minimum
        safe = np.maximum(best, 1e-6)
        slope = EXPONENT * safe ** (EXPONENT - 1) + penalty * (best - given)
        bend = EXPONENT * (EXPONENT - 1) * safe ** (EXPONENT - 2) + penalty
        best = np.where(bend > 0, np.clip(best - slope / np.where(bend > 0, bend, 1), 0, given), 0)
    pays = best**EXPONENT + penalty / 2 * (best - given) ** 2 < penalty / 2 * given**2
    return np.where(pays, best, 0).astype(np.float32)


def _shrunk(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Values through a table of shrinkage; beyond its end all shrink by as much."""
    size = np.abs(values)
    beyond = np.maximum(size - np.float32(_LARGEST), 0)
    entries = np.rint((size - beyond) * np.float32(1 / _FINENESS)).astype(np.int32)
    return np.copysign(table.take(entries) + beyond, values)
