"""The forward model on arrays: convolution with a PSF, and compression."""

from __future__ import annotations

import cv2
import numpy as np

from deblurcli.blur import families
from deblurcli.errors import ImageError
from deblurcli.pictures.images import Picture, checked, decode, encode, from_float, to_float

_HIDDEN = 1e-6  # of alpha: less is what rounding leaves of none


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
    kernel = np.ascontiguousarray(families.checked(psf)[::-1, ::-1])
    try:
        return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101).reshape(image.shape)
    except cv2.error as error:
        raise ImageError(f"cannot be blurred with a PSF of {psf.shape} ({error.err}); give a smaller one") from error


def blur_weighted(image: np.ndarray, alpha: np.ndarray, psf: np.ndarray) -> np.ndarray:
    """Convolve the colours of an image with a PSF, each weighted by its alpha, so that hidden ones mix with none.

    ``blurred(p) = Σ_q psf(q) · alpha(p − q) · image(p − q) / Σ_q psf(q) · alpha(p − q)``

    image, psf, result and errors: as for `blur`; where all that the PSF reaches is hidden, the image stays.
    alpha: ``(H, W)``, uint8, uint16 or float in [0, 1].
    """
    weight = to_float(alpha)[..., None]
    colours = to_float(checked(image))
    total = blur(weight, psf)
    mixed = blur(colours * weight, psf) / np.where(total > _HIDDEN, total, 1)
    blurred = np.where(total > _HIDDEN, mixed, colours)
    return blurred if image.dtype.kind == "f" else from_float(blurred, image.dtype)


def through_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Pixels ``(H, W, 1 or 3)``, uint8 or uint16, as JPEG of a quality from 1 to 100 gives them back; same type."""
    data = encode(Picture(pixels), "jpeg", quality)
    return from_float(to_float(decode(data).pixels), pixels.dtype)
