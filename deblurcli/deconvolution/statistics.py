"""What a picture tells as a whole, and what therefore holds for each of its tiles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from deblurcli.deconvolution import fourier
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.prior import Prior, fit_prior, mean_power
from deblurcli.pictures.noise import noise, signal

# Least variance to believe in where the PSF is no mirror image of itself; with less, what is wrong about borders rings
# whatever the number of steps.
_NOISE_OF_BORDERS = 1e-6


def noise_variance(image: np.ndarray, options: DeconvolutionOptions) -> float:
    """Variance of the noise in an image ``(H, W, C)`` float32: as the options give it, else as the image shows it."""
    if options.nsr is None:
        return max(noise(image), options.least_noise) ** 2
    return max(options.nsr * signal(image, 0.0), options.least_noise**2 * 1e-6)


def is_symmetric(psf: np.ndarray) -> bool:
    """Whether a PSF is its own mirror image along both axes."""
    return all(np.allclose(psf, np.flip(psf, axis), atol=1e-4 * psf.max()) for axis in (0, 1))


@dataclass(frozen=True)
class ImageStatistics:
    """What a picture tells as a whole.

    noise_variance: of the noise. rotation: to colours that are not correlated, see `fourier.decorrelation`.
    prior: of the tiles' spectra; None to fit it to the spectrum at hand.
    """

    noise_variance: float
    rotation: np.ndarray
    prior: Prior | None = None

    @classmethod
    def from_image(cls, image: np.ndarray, options: DeconvolutionOptions) -> ImageStatistics:
        """Those of an image ``(H, W, C)`` float32, or of a `noise.sample` of it; without a prior."""
        return cls(noise_variance(image, options), fourier.decorrelation(image))

    @classmethod
    def from_tiles(
        cls, sample: np.ndarray, tiles: Iterable[np.ndarray], psf: np.ndarray, options: DeconvolutionOptions
    ) -> ImageStatistics:
        """Those of a picture in tiles: from a `noise.sample` of it and tiles, float32 ``(h, w, C)`` of one size."""
        whole = cls.from_image(sample, options)
        powers, shape = [], (0, 0)
        for tile in tiles:
            extended = fourier.periodic(fourier.rotated(tile, whole.rotation), (psf.shape[0], psf.shape[1]))
            shape = extended.shape[1], extended.shape[2]
            powers.append(mean_power(fourier.forward(extended), psf, shape))
        return replace(whole, prior=whole.fitted_prior(np.mean(powers, axis=0), psf, shape, options))

    def believed_variance(self, psf: np.ndarray) -> float:
        """The variance of the noise to restore with."""
        return max(self.noise_variance, _NOISE_OF_BORDERS * (not is_symmetric(psf)))

    def fitted_prior(
        self, power: np.ndarray, psf: np.ndarray, shape: tuple[int, int], options: DeconvolutionOptions
    ) -> Prior:
        """The prior that the mean power of blurred planes tells; see `prior.fit_prior`."""
        variance, is_known = self.believed_variance(psf), options.nsr is not None
        return fit_prior(power, psf, shape, variance, is_known, options.noise_floor_ratio)
