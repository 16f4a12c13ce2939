"""Restoration with a known PSF: a table METHODS of Wiener, sparse prior, Richardson–Lucy and plain division."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.fft

from deblurcli import fourier, mosaic, noise, parallel, tiling
from deblurcli.images import Picture, to_float
from deblurcli.mosaic import Window
from deblurcli.noise import rounding_noise
from deblurcli.observed import DEFAULTS, Settings, fitting, matched, surveyed
from deblurcli.sparse_prior import sparse
from deblurcli.tiling import Span
from deblurcli.wiener_filter import wiener

DAMPING = 2.0  # standard deviations of noise below which Richardson–Lucy changes little
_SHARPNESS = 10  # of the damping's onset
_LOSSY = ("jpeg", "webp", "avif")
_LEAST_OTF = 1e-4
TILE, OVERLAP = 832, 16  # side in pixels of what is restored at once, and what neighbours share
MOST_LOOKED_AT = 9  # tiles, to tell the spectrum of all


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
        settings.ticked(1 / settings.iterations)
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


def restore(picture: Picture, psf: np.ndarray, settings: Settings = DEFAULTS, method: str = "wiener") -> Picture:
    """The picture restored by one of `METHODS`, of the same size, depth and kind; alpha is kept.

    psf: ``(K, L)``, origin at the centre.

    Errors as for `wiener`. A large picture is restored in tiles; see `in_tiles`.
    """
    return picture.with_pixels(in_tiles(METHODS[method], picture.pixels, psf, suited(settings, picture)))


def in_tiles(method: Method, pixels: np.ndarray, psf: np.ndarray, settings: Settings, context: int = 0) -> np.ndarray:
    """Pixels of the same shape and type, restored tile by tile, several at a time where threads are to spare.

    method: restores a tile, float32 ``(h, w, C)``, to float32 of the same shape. The settings it is given hold what
        the picture tells as a whole: its noise, its colours and the prior are the same for all tiles.
    pixels: ``(H, W, 1 or 3)``, uint8, uint16 or float in [0, 1].
    context: pixels that the method looks at around each, besides those that the PSF mixes into it.
    """
    pixels, psf = matched(pixels, psf)
    rows, columns = (_spans(length, max(psf.shape) + context) for length in pixels.shape[:2])
    windows = [*mosaic.windows(rows, columns)]
    if len(windows) > 1:
        looked_at = windows[:: -(-len(windows) // MOST_LOOKED_AT)]
        tiles = (to_float(mosaic.cut(pixels, window)) for window in looked_at)
        whole = surveyed(noise.sample(pixels), tiles, psf, settings)
        settings = replace(settings, whole=whole)

    def answer(window: Window) -> np.ndarray:
        part = _Part(settings.tick, 1 / len(windows))
        restored = method(to_float(mosaic.cut(pixels, window)), psf, replace(settings, tick=part))
        part.over()
        return mosaic.kept(restored, window)

    return mosaic.assembled(pixels, rows, columns, answer, parallel.spread)


class _Part:
    """Tells of the work on one tile, whatever the method tells: what it has not told is told at the end."""

    def __init__(self, tick: Callable[[float], None] | None, size: float):
        self._tick, self._size, self._left = tick, size, 1.0

    def __call__(self, share: float) -> None:
        self._left -= share
        if self._tick is not None:
            self._tick(share * self._size)

    def over(self) -> None:
        """The tile is done."""
        self(self._left)


def _spans(length: int, reach: int) -> list[Span]:
    """Tiles along one axis, for a method that sees so far."""
    halo = reach + reach % 2
    return tiling.spans(length, max(TILE, 4 * halo + OVERLAP), halo, OVERLAP, 1)


def suited(settings: Settings, picture: Picture) -> Settings:
    """The settings for a picture: its noise is at least that of rounding, and it may have been compressed."""
    least = max(settings.least_noise, rounding_noise(picture.pixels.dtype))
    return replace(settings, least_noise=least, compressed=settings.compressed or picture.format in _LOSSY)
