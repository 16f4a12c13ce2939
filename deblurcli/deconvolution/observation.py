"""A blurred picture as deconvolution sees it: what is told of it, its noise and spectrum, and what of it was seen.

What lies outside the picture is taken for unknown, and so is what lights hide that are clipped at white: a margin is
restored as well, but what is seen alone is to be explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from deblurcli.blur import families
from deblurcli.deconvolution import fourier
from deblurcli.deconvolution import prior as priors
from deblurcli.deconvolution.prior import Prior
from deblurcli.errors import PSFError
from deblurcli.pictures.images import checked, to_float
from deblurcli.pictures.noise import NSR, noise, signal

ITERATIONS = 30
_WHITE = 1 - 0.5 / 255
# Least variances to believe in where the PSF is no mirror image of itself, and where lights are clipped; with less,
# what is wrong about them rings whatever the number of steps.
_NOISE_OF_BORDERS, _NOISE_OF_LIGHTS = 1e-6, 1e-4
_FEW, _MANY = 2e-4, 0.05  # shares of clipped pixels: fewer are no lights, more are white paper
_LEAST_NOISE = 1e-5
_DOUBT, _DOUBT_OF_JPEG = 1.0, 100.0  # chosen on a few photographs


@dataclass(frozen=True)
class Settings:
    """What the methods of restoration may be told.

    nsr: noise-to-signal ratio of variances, 1e-12 to 1000; larger is smoother and rings less; None estimates it.
    iterations: of Richardson–Lucy, 1 or more; more is sharper and noisier.
    least_noise: standard deviation that an estimate of the noise does not go below, such as that of rounding.
    compressed: the picture went through JPEG or the like, whose noise is not white; ignored when nsr is given.
    tick: called after each iteration of a method that iterates, with the share of the work that it is.
    whole: what is told of the picture that an image is a tile of; None for an image on its own.
    """

    nsr: float | None = None
    iterations: int = ITERATIONS
    least_noise: float = _LEAST_NOISE
    compressed: bool = False
    tick: Callable[[float], None] | None = None
    whole: Whole | None = None

    def __post_init__(self) -> None:
        if self.nsr is not None and not NSR[0] <= self.nsr <= NSR[1]:
            raise ValueError(f"nsr is {self.nsr}; it must be from {NSR[0]:g} to {NSR[1]:g}")
        if self.iterations < 1:
            raise ValueError(f"iterations are {self.iterations}; give 1 or more")

    @property
    def doubt(self) -> float:
        """How much signal over noise it takes to be believed; see `fourier.prior`."""
        return 0.0 if self.nsr is not None else _DOUBT_OF_JPEG if self.compressed else _DOUBT

    def variance(self, image: np.ndarray) -> float:
        """Variance of the noise in an image, or in the picture it is a tile of."""
        if self.whole is not None:
            return self.whole.variance
        if self.nsr is None:
            return max(noise(image), self.least_noise) ** 2
        return max(self.nsr * signal(image, 0.0), self.least_noise**2 * 1e-6)

    def ticked(self, share: float) -> None:
        """Tell that a share of the work is done."""
        if self.tick is not None:
            self.tick(share)


DEFAULTS = Settings()


def fitting(image: np.ndarray, psf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An image as float32 and a PSF that fits into it; see `matched`."""
    image, psf = matched(image, psf)
    return to_float(image), psf


def matched(image: np.ndarray, psf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An image, checked, and a PSF that fits into it; ImageError or PSFError when they do not."""
    image, psf = checked(image), families.checked(psf)
    height, width, _ = image.shape
    if psf.shape[0] > height or psf.shape[1] > width:
        sizes = f"{psf.shape[1]}×{psf.shape[0]} PSF, {width}×{height} picture"
        raise PSFError(f"the PSF is larger than the picture ({sizes}); give a smaller PSF")
    return image, psf


@dataclass(frozen=True)
class Whole:
    """What is told of a picture as a whole, and holds for each of its tiles.

    variance: of the noise. rotation: to colours that are not correlated, see `fourier.decorrelation`. all_seen: no
    lights are clipped. prior: of the tiles' spectra; None to fit it to the spectrum at hand.
    """

    variance: float
    rotation: np.ndarray
    all_seen: bool
    prior: Prior | None = None


def overview(image: np.ndarray, settings: Settings) -> Whole:
    """What an image ``(H, W, C)`` float32 tells, or a `noise.sample` of it, before its spectrum is looked at."""
    return Whole(settings.variance(image), fourier.decorrelation(image), not _FEW < _white(image).mean() < _MANY)


def surveyed(sample: np.ndarray, tiles: Iterable[np.ndarray], psf: np.ndarray, settings: Settings) -> Whole:
    """What a picture in tiles tells: a `noise.sample` of it, and some tiles, float32 ``(h, w, C)``, all of one size."""
    whole = overview(sample, settings)
    powers = []
    for tile in tiles:
        extended = fourier.periodic(fourier.rotated(tile, whole.rotation), psf.shape)
        powers.append(priors.power(fourier.forward(extended), psf, extended.shape[1:]))
    return replace(whole, prior=_prior(np.mean(powers, axis=0), psf, extended.shape[1:], whole, settings))


def _prior(power: np.ndarray, psf: np.ndarray, shape: tuple[int, int], whole: Whole, settings: Settings) -> Prior:
    return priors.prior(power, psf, shape, _believed(whole, psf), settings.nsr is not None, settings.doubt)


def _believed(whole: Whole, psf: np.ndarray) -> float:
    """The variance of the noise to restore with."""
    return max(whole.variance, _NOISE_OF_BORDERS * (not _symmetric(psf)), _NOISE_OF_LIGHTS * (not whole.all_seen))


def _symmetric(psf: np.ndarray) -> bool:
    """Whether a PSF is its own mirror image along both axes."""
    return all(np.allclose(psf, np.flip(psf, axis), atol=1e-4 * psf.max()) for axis in (0, 1))


def _white(image: np.ndarray) -> np.ndarray:
    """Where some channel is clipped, ``(H, W)``."""
    return (image >= _WHITE).any(axis=2)


class Observed:
    """A blurred picture on a periodic grid, in colours that are not correlated, and the spectra to restore it with.

    planes: the picture itself, ``(C, h, w)``. seen: where it tells something, ``(h, w)``, all but clipped lights.
    otf: of the PSF, passed its squared modulus. prior: noise over signal, for every frequency. noises: variance of
    each plane's, ``(C, 1, 1)``. symmetric: whether the PSF is its own mirror image along both axes. spectrum: of the
    extended picture, whatever fills the extension at the time.
    """

    def __init__(self, image: np.ndarray, psf: np.ndarray, settings: Settings):
        whole = settings.whole or overview(image, settings)
        self.rotation, self.all_seen = whole.rotation, whole.all_seen
        self.planes = fourier.rotated(image, self.rotation)
        self.seen = np.float32(1) if self.all_seen else (~_white(image)).astype(np.float32)
        self.image, self.size = image, image.shape[:2]
        self.symmetric, self.variance = _symmetric(psf), _believed(whole, psf)
        self._margins = psf.shape
        extended = fourier.periodic(self.planes, self._margins)
        self.shape = extended.shape[1:]
        self.otf = fourier.otf(psf, self.shape)
        self.passed = np.square(np.abs(self.otf))
        self.spectrum = fourier.forward(extended)
        prior = whole.prior or _prior(priors.power(self.spectrum, psf, self.shape), psf, self.shape, whole, settings)
        self.prior, self.noises = prior.spread(psf, self.shape), prior.noises[:, None, None]

    def wiener(self, more: float = 1.0) -> np.ndarray:
        """Spectrum of the Wiener filter's answer, for noise of so many times the variance."""
        return self.spectrum * (np.conj(self.otf) / (self.passed + np.float32(more) * self.prior))

    def fill(self, restored: np.ndarray) -> None:
        """Fill in what was not seen with the blur of what a spectrum says is there."""
        predicted = fourier.back(restored * self.otf, self.shape)
        inside = self._inside(predicted)
        inside += self.seen * (self.planes - inside)
        self.spectrum = fourier.forward(predicted)

    def blurred_where_seen(self, restored: np.ndarray) -> np.ndarray:
        """What the spectrum of a plane comes to: blurred, cut to what was seen, blurred with the mirrored PSF."""
        return self._back_projected(self._inside(fourier.back(restored * self.otf, self.shape)))

    def _back_projected(self, inside: np.ndarray) -> np.ndarray:
        """Spectrum of planes ``(…, h, w)``, where they were seen, blurred with the mirrored PSF."""
        placed = np.zeros((*inside.shape[:-2], *self.shape), np.float32)
        self._inside(placed)[:] = self.seen * inside
        return np.conj(self.otf) * fourier.forward(placed)

    def observed(self) -> np.ndarray:
        """Spectrum of what was seen, blurred with the mirrored PSF."""
        return self._back_projected(self.planes)

    def missed(self, restored: np.ndarray) -> np.ndarray:
        """What was seen less the blur of what a spectrum says is there, planes ``(C, h, w)``; 0 where nothing was."""
        return self.seen * (self.planes - self._inside(fourier.back(restored * self.otf, self.shape)))

    def transformed(self, planes: np.ndarray) -> np.ndarray:
        """Spectrum of planes ``(C, h, w)``, extended as the picture's own are."""
        return fourier.forward(fourier.periodic(planes, self._margins))

    def cut(self, restored: np.ndarray) -> np.ndarray:
        """The image that a spectrum of planes stands for, cut to size."""
        return fourier.derotated(self._inside(fourier.back(restored, self.shape)), self.rotation)

    def _inside(self, planes: np.ndarray) -> np.ndarray:
        return planes[..., : self.size[0], : self.size[1]]

    def picture(self, restored: np.ndarray) -> np.ndarray:
        """The image that a spectrum of planes stands for, cut to size, within [0, 1]; clipped lights stay on."""
        image = self.cut(restored)
        if not self.all_seen:
            image = np.where(self.seen[..., None] > 0, image, np.maximum(image, self.image))
        return np.clip(image, 0, 1)
