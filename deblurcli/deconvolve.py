"""Restoration with a known PSF: a table METHODS of Wiener, sparse prior, Richardson–Lucy and plain division."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.fft

from deblurcli import fourier
from deblurcli.images import Picture, from_float
from deblurcli.noise import rounding_noise
from deblurcli.observed import DEFAULTS, Settings, fitting
from deblurcli.sparse_prior import PENALTIES, sparse
from deblurcli.wiener_filter import wiener

DAMPING = 2.0  # standard deviations of noise below which Richardson–Lucy changes little
_SHARPNESS = 10  # of the damping's onset
_LOSSY = ("jpeg", "webp", "avif")
_LEAST_OTF = 1e-4


def richardson_lucy(image: np.ndarray, psf: np.ndarray, settings: Settings = DEFAULTS) -> np.ndarray:
    """Richardson–Lucy iterations, damped where the blurred picture is explained to within its noise.

    ``x ← x / (h' * m) · h' * (m · (1 + d · (y − h * x) / (h * x)))`` with h' the mirrored PSF and m one inside the
    picture and zero around it. The damping d falls from one to zero as the error falls below two standard
    deviations of the noise.

    image, psf, result and errors as for `wiener`. Nothing becomes negative.

    Source: W. H. Richardson, JOSA 62, 1972; L. B. Lucy, Astronomical Journal 79, 1974; the damping after
    R. L. White, Proc. SPIE 2198, 1994; the mask after M. Bertero and P. Boccacci, A&A 437, 2005.
    """
    image, psf = fitting(image, psf)
    height, width, _ = image.shape
    around = [side // 2 for side in psf.shape]
    shape = tuple(scipy.fft.next_fast_len(n + 4 * m, real=True) for n, m in zip(image.shape, around))
    inside = (slice(None), slice(around[0], around[0] + height), slice(around[1], around[1] + width))
    transfer = fourier.otf(psf, shape)
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    margins = [(m, s - n - m) for n, m, s in zip(image.shape, around, shape)]
    estimate = np.maximum(np.pad(planes, [(0, 0), *margins], mode="symmetric"), 1e-4)
    mask = np.zeros((1, *shape), np.float32)
    mask[inside] = 1
    seen = np.maximum(fourier.back(fourier.forward(mask) * np.conj(transfer), shape), 0.01)
    scale = DAMPING * np.sqrt(settings.variance(image))
    for _ in range(settings.iterations):
        predicted = np.maximum(fourier.back(fourier.forward(estimate) * transfer, shape)[inside], 1e-4)
        ratio = np.zeros_like(estimate)
        ratio[inside] = 1 + _damped(planes - predicted, scale) / predicted
        step = fourier.back(fourier.forward(ratio) * np.conj(transfer), shape) / seen
        estimate *= np.maximum(step, 0)
        settings.ticked()
    return np.clip(estimate[inside].transpose(1, 2, 0), 0, 1)


def _damped(error: np.ndarray, scale: float) -> np.ndarray:
    """Errors, those well below a scale reduced to nearly nothing."""
    share = np.minimum(np.square(error / np.float32(scale)), 1)
    return error * share ** (_SHARPNESS - 1) * (_SHARPNESS - (_SHARPNESS - 1) * share)


def inverse(image: np.ndarray, psf: np.ndarray, settings: Settings = DEFAULTS) -> np.ndarray:
    """Plain division by the transform of the PSF, ``R = B / H``, as the paper tried: noise drowns everything.

    Kept to show why not. Where ``|H|`` is below 1e-4 it divides by that much instead.

    image, psf, result and errors as for `wiener`.
    """
    image, psf = fitting(image, psf)
    extended = fourier.periodic(np.ascontiguousarray(image.transpose(2, 0, 1)), psf.shape)
    transfer = fourier.otf(psf, extended.shape[1:])
    size = np.abs(transfer)
    divisor = np.where(size < _LEAST_OTF, _LEAST_OTF, transfer)
    restored = fourier.back(fourier.forward(extended) / divisor, extended.shape[1:])
    return np.clip(restored[:, : image.shape[0], : image.shape[1]].transpose(1, 2, 0), 0, 1)


Method = Callable[[np.ndarray, np.ndarray, Settings], np.ndarray]

METHODS: dict[str, Method] = {
    "wiener": lambda image, psf, settings: wiener(image, psf, settings=settings),
    "richardson-lucy": richardson_lucy,
    "sparse": sparse,
    "inverse": inverse,
}


def steps(method: str, iterations: int) -> int:
    """How often a method calls `Settings.tick`."""
    return {"richardson-lucy": iterations, "sparse": len(PENALTIES)}.get(method, 0)


def restore(picture: Picture, psf: np.ndarray, settings: Settings = DEFAULTS, method: str = "wiener") -> Picture:
    """The picture restored by one of `METHODS`, of the same size, depth and kind; alpha is kept.

    psf: ``(K, L)``, origin at the centre.
    """
    image = METHODS[method](picture.pixels, psf, suited(settings, picture))
    return picture.with_pixels(from_float(image, picture.pixels.dtype))


def suited(settings: Settings, picture: Picture) -> Settings:
    """The settings for a picture: its noise is at least that of rounding, and it may have been compressed."""
    least = max(settings.least_noise, rounding_noise(picture.pixels.dtype))
    return replace(settings, least_noise=least, compressed=settings.compressed or picture.format in _LOSSY)
