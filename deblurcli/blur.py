"""The forward model: a sharp image and a PSF give a blurred image."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from deblurcli import psf as psfs
from deblurcli.images import Picture

BORDERS = {"reflect": cv2.BORDER_REFLECT_101, "replicate": cv2.BORDER_REPLICATE}


def blur(image: np.ndarray, psf: np.ndarray, border: str = "reflect") -> np.ndarray:
    """Convolve every channel of an image with a PSF.

    ``blurred(p) = Σ_q psf(q) · image(p − q)``

    image: ``(H, W, C)``, uint8, uint16 or float32; the result has the same shape and type, and whole
        numbers are rounded.
    psf: ``(K, L)`` with odd sides, its origin at the centre; sums to 1.
    border: what lies outside the picture: "reflect" mirrors it about the outermost pixel, "replicate"
        repeats that pixel.
    """
    kernel = np.ascontiguousarray(psf[::-1, ::-1])
    depth = image.dtype if image.dtype == np.float32 else np.uint16 if image.dtype == np.uint16 else np.uint8
    blurred = cv2.filter2D(np.ascontiguousarray(image, depth), -1, kernel, borderType=BORDERS[border])
    return blurred.reshape(image.shape)


def blurrer(spec: str) -> Callable[[Picture], Picture]:
    """A function that blurs a picture's colours with the PSF of a specification; alpha stays as it is.

    Raises PSFError when the specification makes no sense.
    """
    psf = psfs.parse(spec).array()
    return lambda picture: picture.with_pixels(blur(picture.pixels, psf))
