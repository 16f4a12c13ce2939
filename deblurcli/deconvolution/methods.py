"""Restoration with a known PSF: a table METHODS of Wiener, sparse prior, Richardson–Lucy and plain division."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deblurcli.deconvolution.inverse import inverse
from deblurcli.deconvolution.observation import DEFAULTS, Settings
from deblurcli.deconvolution.richardson_lucy import richardson_lucy
from deblurcli.deconvolution.sparse import sparse
from deblurcli.deconvolution.tiled import Method, in_tiles
from deblurcli.deconvolution.wiener import wiener
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import rounding_noise

_LOSSY = ("jpeg", "webp", "avif")


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


def suited(settings: Settings, picture: Picture) -> Settings:
    """The settings for a picture: its noise is at least that of rounding, and it may have been compressed."""
    least = max(settings.least_noise, rounding_noise(picture.pixels.dtype))
    return replace(settings, least_noise=least, compressed=settings.compressed or picture.format in _LOSSY)
