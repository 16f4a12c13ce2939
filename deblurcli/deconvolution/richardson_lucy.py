"""Richardson–Lucy deconvolution."""

from __future__ import annotations

import numpy as np

from deblurcli.deconvolution import fourier
from deblurcli.deconvolution.frame import Frame
from deblurcli.deconvolution.observation import float_inputs
from deblurcli.deconvolution.options import DEFAULTS, DeconvolutionOptions
from deblurcli.deconvolution.statistics import ImageStatistics, noise_variance
from deblurcli.pictures.tiles import Progress, unwatched

DAMPING = 2.0  # standard deviations of noise below which Richardson–Lucy changes little
_SHARPNESS = 10  # of the damping's onset
_DARKEST = 1e-4  # that anything is taken to be


def richardson_lucy(
    image: np.ndarray,
    psf: np.ndarray,
    options: DeconvolutionOptions = DEFAULTS,
    statistics: ImageStatistics | None = None,
    progress: Progress = unwatched,
) -> np.ndarray:
    """Richardson–Lucy iterations, damped where the blurred picture is explained to within its noise.

    ``x ← x / (h' * m) · h' * (m · (1 + d · (y − h * x) / (h * x)))`` with h' the mirrored PSF and m one inside the
    picture and zero around it. The damping d falls from one to zero as the error falls below two standard
    deviations of the noise.

    image, psf, statistics, result and errors as for `wiener`. progress: called after each iteration. Nothing becomes
    negative.

    Source: W. H. Richardson, JOSA 62, 1972; L. B. Lucy, Astronomical Journal 79, 1974; the damping after
    R. L. White, Proc. SPIE 2198, 1994; the mask after M. Bertero and P. Boccacci, A&A 437, 2005.
    """
    image, psf = float_inputs(image, psf)
    frame, planes = Frame.of(image.shape[:2], psf), fourier.planes(image)
    estimate = np.maximum(frame.surrounded(planes), _DARKEST)
    variance = noise_variance(image, options) if statistics is None else statistics.noise_variance
    scale = float(DAMPING * np.sqrt(variance))
    for _ in range(options.iterations):
        predicted = np.maximum(frame.blurred(estimate), _DARKEST)
        estimate *= frame.correction(1 + _damped(planes - predicted, scale) / predicted)
        progress(1 / options.iterations)
    return np.clip(fourier.image(frame.inside(estimate)), 0, 1)


def _damped(error: np.ndarray, scale: float) -> np.ndarray:
    """Errors, those well below a scale reduced to nearly nothing."""
    share = np.minimum(np.square(error / np.float32(scale)), 1)
    return error * share ** (_SHARPNESS - 1) * (_SHARPNESS - (_SHARPNESS - 1) * share)
