"""The forward model: a sharp image and a PSF give a blurred image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from deblurcli import psf as psfs
from deblurcli.errors import ImageError
from deblurcli.images import Picture, checked


def blur(image: np.ndarray, psf: np.ndarray) -> np.ndarray:
    """Convolve every channel of an image with a PSF.

    ``blurred(p) = Σ_q psf(q) · image(p − q)``

    image: ``(H, W, 1 or 3)``, uint8, uint16 or float; the result has the same shape and type (float64
        becomes float32), and whole numbers are rounded.
    psf: ``(K, L)`` with odd sides, its origin at the centre; sums to 1.

    What lies outside the picture is its mirror image about the outermost pixel.

    Raises PSFError when the PSF's sides are even, ImageError when the image is none or memory runs out.
    """
    image = np.ascontiguousarray(checked(image))
    kernel = np.ascontiguousarray(psfs.checked(psf)[::-1, ::-1])
    try:
        return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101).reshape(image.shape)
    except cv2.error as error:
        raise ImageError(f"cannot be blurred with a PSF of {psf.shape} ({error.err}); give a smaller one") from error


def blurrer(spec: str) -> Callable[[Picture], Picture]:
    """A function that blurs a picture's colours with the PSF of a specification; alpha stays; it can be pickled.

    Raises PSFError when the specification makes no sense.
    """
    psf = psfs.parse(spec).array()
    return partial(_blurred, psf)


def _blurred(psf: np.ndarray, picture: Picture) -> Picture:
    return picture.with_pixels(blur(picture.pixels, psf))
