"""Restoration with a known PSF: a table METHODS of Wiener, sparse prior, Richardson–Lucy and plain division."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deblurcli.blur.poses import PoseDensity
from deblurcli.deconvolution.inverse import inverse
from deblurcli.deconvolution.options import DEFAULTS, DeconvolutionOptions
from deblurcli.deconvolution.richardson_lucy import richardson_lucy
from deblurcli.deconvolution.sparse import sparse
from deblurcli.deconvolution.statistics import ImageStatistics
from deblurcli.deconvolution.tiled import Method, in_tiles
from deblurcli.deconvolution.wiener import wiener
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import rounding_noise
from deblurcli.pictures.tiles import Progress, unwatched

_LOSSY = ("jpeg", "webp", "avif", "heic")


def _wiener(
    image: np.ndarray,
    psf: np.ndarray,
    options: DeconvolutionOptions,
    statistics: ImageStatistics | None = None,
    progress: Progress = unwatched,
) -> np.ndarray:
    return wiener(image, psf, None, options, statistics)


METHODS: dict[str, Method] = {
    "wiener": _wiener,
    "richardson-lucy": richardson_lucy,
    "sparse": sparse,
    "inverse": inverse,
}


def restore(
    picture: Picture,
    psf: np.ndarray | PoseDensity,
    options: DeconvolutionOptions = DEFAULTS,
    method: str = "wiener",
    progress: Progress = unwatched,
) -> Picture:
    """The picture restored by one of `METHODS`, of the same size, depth and kind; alpha is kept.

    psf: ``(K, L)``, origin at the centre, or a density that tells it at every place.
    progress: called as parts of the work are done.

    Errors as for `wiener`. A large picture is restored in tiles; see `in_tiles`.
    """
    suited = suit_options(options, picture)
    return picture.with_pixels(in_tiles(METHODS[method], picture.pixels, psf, suited, progress))


def suit_options(options: DeconvolutionOptions, picture: Picture) -> DeconvolutionOptions:
    """The options for a picture: its noise is at least that of rounding, and it may have been compressed."""
    least = max(options.least_noise, rounding_noise(picture.pixels.dtype))
    return replace(options, least_noise=least, compressed=options.compressed or picture.format in _LOSSY)
