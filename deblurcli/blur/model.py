"""The forward model: a sharp image gives a blurred one by a PSF, then noise, then compression."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np

from deblurcli.blur import families
from deblurcli.blur.psf import PSFSpec, RandomPSF
from deblurcli.errors import ImageError
from deblurcli.pictures.images import Picture, checked, decode, encode, from_float, to_float
from deblurcli.pictures.processed import Processed

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


@dataclass(frozen=True)
class Blurrer:
    """The forward model for files: PSF, then noise, then compression; call it with a picture and its name.

    psf: one specification for all pictures, or what draws one for each name.
    noise: standard deviation of Gaussian noise, on the scale [0, 1].
    jpeg_quality: 1 to 100 to send the colours through JPEG, at 8 bits; None leaves them alone.
    seed: of all that is random; with it and a picture's name, everything is the same again.
    """

    psf: PSFSpec | RandomPSF
    noise: float = 0.0
    jpeg_quality: int | None = None
    seed: int = 0

    def spec(self, name: str) -> PSFSpec:
        """The PSF for a picture of that name."""
        return self.psf.draw(self._random(name, 0)) if isinstance(self.psf, RandomPSF) else self.psf.absolute()

    def __call__(self, picture: Picture, name: str) -> Processed:
        """The blurred picture, its alpha as it was, and what was done to it."""
        spec = self.spec(name)
        psf, alpha = spec.array(), picture.transparency
        pixels = picture.pixels if not self.noise else to_float(picture.pixels)
        pixels = blur(pixels, psf) if alpha is None else blur_weighted(pixels, alpha, psf)
        if self.noise:
            noise = self._random(name, 1).standard_normal(pixels.shape, np.float32)
            pixels = from_float(pixels + np.float32(self.noise) * noise, picture.pixels.dtype)
        if self.jpeg_quality is not None:
            pixels = through_jpeg(pixels, self.jpeg_quality)
        fields = {"psf": str(spec), "noise": self.noise, "jpeg_quality": self.jpeg_quality, "seed": self.seed}
        return Processed(picture.with_pixels(pixels), fields)

    def _random(self, name: str, what: int) -> np.random.Generator:
        """Random numbers for one purpose and one picture, whatever other pictures there are."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return np.random.default_rng([self.seed, what, int.from_bytes(digest[:8], "big")])


def through_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Pixels ``(H, W, 1 or 3)``, uint8 or uint16, as JPEG of a quality from 1 to 100 gives them back; same type."""
    data = encode(Picture(pixels), "jpeg", quality)
    return from_float(to_float(decode(data).pixels), pixels.dtype)
