"""Division by the transfer function."""

from __future__ import annotations

import numpy as np

from deblurcli.deconvolution import fourier
from deblurcli.deconvolution.observation import float_inputs
from deblurcli.deconvolution.options import DEFAULTS, DeconvolutionOptions
from deblurcli.deconvolution.statistics import ImageStatistics
from deblurcli.pictures.tiles import Progress, unwatched

_LEAST_OTF = 1e-4


def inverse(
    image: np.ndarray,
    psf: np.ndarray,
    options: DeconvolutionOptions = DEFAULTS,
    statistics: ImageStatistics | None = None,
    progress: Progress = unwatched,
) -> np.ndarray:
    """Plain division by the transform of the PSF, ``R = B / H``, as the paper tried: noise drowns everything.

    Kept to show why not. Where ``|H|`` is below 1e-4 it divides by that much instead.

    image, psf, result and errors as for `wiener`; the others change nothing.
    """
    image, psf = float_inputs(image, psf)
    extended = fourier.periodic(fourier.planes(image), psf.shape)
    transfer = fourier.otf(psf, extended.shape[1:])
    size = np.abs(transfer)
    divisor = np.where(size < _LEAST_OTF, _LEAST_OTF, transfer)
    restored = fourier.back(fourier.forward(extended) / divisor, extended.shape[1:])
    return np.clip(fourier.image(restored[:, : image.shape[0], : image.shape[1]]), 0, 1)
