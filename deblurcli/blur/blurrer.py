"""The forward model for files: a sharp picture gives a blurred one, then noise, then compression."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from deblurcli.blur.model import blur_weighted, through_jpeg
from deblurcli.blur.psf import PSFSpec, RandomPSF
from deblurcli.pictures.images import Picture, from_float, to_float
from deblurcli.pictures.processed import Processed


@dataclass(frozen=True)
class Blurrer:
    """The forward model for files: blur, then noise, then compression; call it with a picture and its name.

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
        """The blur of a picture of that name."""
        return self.psf.draw(self._random(name, 0)) if isinstance(self.psf, RandomPSF) else self.psf.absolute()

    def __call__(self, picture: Picture, name: str) -> Processed:
        """The blurred picture, its alpha as it was, and what was done to it."""
        spec, alpha = self.spec(name), picture.transparency
        pixels = picture.pixels if not self.noise else to_float(picture.pixels)
        if alpha is not None and spec.has_psf:
            pixels = blur_weighted(pixels, alpha, spec.array())
        else:
            pixels = spec.blurred(pixels)
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
