"""A blurred picture as deconvolution sees it: its noise and spectrum, and what of it was seen.

What lies outside the picture is taken for unknown: a margin is restored as well, but what is seen alone is to be
explained. Of lights that are clipped, what is beyond white is taken off first, see `beyond_white`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deblurcli.blur import families
from deblurcli.deconvolution import fourier
from deblurcli.deconvolution.beyond_white import Dimmed
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.prior import mean_power
from deblurcli.deconvolution.statistics import ImageStatistics, is_symmetric
from deblurcli.errors import PSFError
from deblurcli.pictures.images import checked, to_float


def checked_inputs(image: np.ndarray, psf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An image, checked, and a PSF that fits into it; ImageError or PSFError when they do not."""
    image, psf = checked(image), families.checked(psf)
    height, width, _ = image.shape
    if psf.shape[0] > height or psf.shape[1] > width:
        sizes = f"{psf.shape[1]}×{psf.shape[0]} PSF, {width}×{height} picture"
        raise PSFError(f"the PSF is larger than the picture ({sizes}); give a smaller PSF")
    return image, psf


def float_inputs(image: np.ndarray, psf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An image as float32 and a PSF that fits into it; see `checked_inputs`."""
    image, psf = checked_inputs(image, psf)
    return to_float(image), psf


@dataclass(frozen=True)
class Observation:
    """A blurred picture on a periodic grid, in colours that are not correlated, and the spectra to restore it with.

    image: the picture, without the light beyond white, float32 ``(h, w, C)``; beyond: that light, see
    `beyond_white.Dimmed`. planes: the image in decorrelated colours, ``(C, h, w)``; rotation: to those colours.
    margins: how far it is extended before it becomes periodic. shape: of the grid.
    otf: of the PSF, ``(H, W // 2 + 1)``; otf_power: its squared modulus. prior: noise over signal at every frequency,
    ``(C, H, W // 2 + 1)``. plane_variances: of each plane's noise, ``(C, 1, 1)``; variance: to restore with.
    is_symmetric: whether the PSF is its own mirror image along both axes.
    spectrum: of the extended picture, whatever fills the extension.
    """

    image: np.ndarray
    beyond: np.ndarray
    planes: np.ndarray
    rotation: np.ndarray
    margins: tuple[int, int]
    shape: tuple[int, int]
    otf: np.ndarray
    otf_power: np.ndarray
    prior: np.ndarray
    plane_variances: np.ndarray
    variance: float
    is_symmetric: bool
    spectrum: np.ndarray

    @classmethod
    def of(
        cls,
        image: np.ndarray,
        psf: np.ndarray,
        options: DeconvolutionOptions,
        statistics: ImageStatistics | None = None,
    ) -> Observation:
        """The observation of a blurred image.

        image: ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16. psf: ``(K, L)``, origin at the centre.
        statistics: of the picture that the image is a tile of; its own when left out.

        Raises ImageError or PSFError when they do not go together.
        """
        image, psf = float_inputs(image, psf)
        statistics = statistics or ImageStatistics.from_image(image, options)
        dimmed = Dimmed.of(image, psf)
        planes = fourier.rotated(dimmed.image, statistics.rotation)
        margins = psf.shape[0], psf.shape[1]
        extended = fourier.periodic(planes, margins)
        shape = extended.shape[1], extended.shape[2]
        spectrum, otf = fourier.forward(extended), fourier.otf(psf, shape)
        prior = statistics.prior
        if prior is None:
            prior = statistics.fitted_prior(mean_power(spectrum, psf, shape), psf, shape, options)
        return cls(
            image=dimmed.image,
            beyond=dimmed.beyond,
            planes=planes,
            rotation=statistics.rotation,
            margins=margins,
            shape=shape,
            otf=otf,
            otf_power=np.square(np.abs(otf)),
            prior=prior.spread(psf, shape),
            plane_variances=prior.variances[:, None, None],
            variance=statistics.believed_variance(psf),
            is_symmetric=is_symmetric(psf),
            spectrum=spectrum,
        )

    def wiener(self, noise_factor: float = 1.0) -> np.ndarray:
        """Spectrum that the Wiener filter gives, for noise of so many times the variance."""
        return self.spectrum * (np.conj(self.otf) / (self.otf_power + np.float32(noise_factor) * self.prior))

    def extrapolate(self, restored: np.ndarray) -> Observation:
        """The same, what was not seen filled in with the blur of what a restored spectrum says is there."""
        predicted = fourier.back(restored * self.otf, self.shape)
        self._inside(predicted)[:] = self.planes
        return replace(self, spectrum=fourier.forward(predicted))

    def normal_operator(self, restored: np.ndarray) -> np.ndarray:
        """``AᵀA x`` as a spectrum: blurred, cut to what was seen, blurred with the mirrored PSF."""
        return self._back_projected(self._inside(fourier.back(restored * self.otf, self.shape)))

    def normal_target(self) -> np.ndarray:
        """``Aᵀ y`` as a spectrum: what was seen, blurred with the mirrored PSF."""
        return self._back_projected(self.planes)

    def _back_projected(self, inside: np.ndarray) -> np.ndarray:
        """Spectrum of planes ``(…, h, w)`` as they were seen, blurred with the mirrored PSF."""
        placed = np.zeros((*inside.shape[:-2], *self.shape), np.float32)
        self._inside(placed)[:] = inside
        return np.conj(self.otf) * fourier.forward(placed)

    def residual(self, restored: np.ndarray) -> np.ndarray:
        """What was seen less the blur of what a spectrum says is there, planes ``(C, h, w)``."""
        return self.planes - self._inside(fourier.back(restored * self.otf, self.shape))

    def transform(self, planes: np.ndarray) -> np.ndarray:
        """Spectrum of planes ``(C, h, w)``, extended as the picture's own are."""
        return fourier.forward(fourier.periodic(planes, self.margins))

    def to_image(self, spectrum: np.ndarray) -> np.ndarray:
        """The image ``(h, w, C)`` that a spectrum of planes stands for."""
        return fourier.derotated(self._inside(fourier.back(spectrum, self.shape)), self.rotation)

    def to_clipped_image(self, spectrum: np.ndarray) -> np.ndarray:
        """The image that a spectrum of planes stands for, within [0, 1], without the light beyond white."""
        return np.clip(self.to_image(spectrum), 0, 1)

    def lit(self, restored: np.ndarray) -> np.ndarray:
        """A restored image ``(h, w, C)`` in [0, 1] with the light beyond white, as a picture shows it."""
        return np.minimum(restored + self.beyond, 1)

    def _inside(self, planes: np.ndarray) -> np.ndarray:
        height, width, _ = self.image.shape
        return planes[..., :height, :width]
