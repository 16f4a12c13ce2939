"""Restoration with a known PSF: a table METHODS of Wiener, sparse prior, Richardson–Lucy and plain division.

All but plain division take what lies outside the picture for unknown, and those in the Fourier domain also what
lights hide that are clipped at white: a margin is restored as well, but what is seen alone is to be explained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.fft

from deblurcli import fourier
from deblurcli import psf as psfs
from deblurcli.errors import PSFError
from deblurcli.images import Picture, checked, from_float, to_float
from deblurcli.noise import NSR, noise, rounding_noise, signal

MUCH_NOISE = 3e-3  # variance that the first of several Wiener filters takes for granted
FALL = 3.0  # of that variance from one filter to the next, at most
EXPONENT = 0.8  # of the hyper-Laplacian
PENALTIES = 2.0 ** np.arange(-1, 8)  # of half-quadratic splitting, in turn
FIDELITY = 0.15  # weight of the sparse prior; chosen, as the two above, on eight photographs
ITERATIONS = 30
DAMPING = 2.0  # standard deviations of noise below which Richardson–Lucy changes little
_SHARPNESS = 10  # of the damping's onset
_WHITE = 1 - 0.5 / 255
# Least variances to believe in where the PSF is no mirror image of itself, and where lights are clipped; with less,
# what is wrong about them rings whatever the number of steps.
_NOISE_OF_BORDERS, _NOISE_OF_LIGHTS = 1e-6, 1e-4
_FEW, _MANY = 2e-4, 0.05  # shares of clipped pixels: fewer are no lights, more are white paper
_LEAST_NOISE = 1e-5
_LITTLE_NOISE = 1.2e-5
_DOUBT, _DOUBT_OF_JPEG = 1.0, 100.0  # chosen on a few photographs
_LOSSY = ("jpeg", "webp", "avif")
_BOLD = 0.1  # of the noise, to leave in what a network looks at besides
_PRECISION = 1e-8  # variance that single precision costs
_LEAST_OTF = 1e-4
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Settings:
    """What the methods of restoration may be told.

    nsr: noise-to-signal ratio of variances, 1e-12 to 1000; larger is smoother and rings less; None estimates it.
    iterations: of Richardson–Lucy, 1 or more; more is sharper and noisier.
    least_noise: standard deviation that an estimate of the noise does not go below, such as that of rounding.
    compressed: the picture went through JPEG or the like, whose noise is not white; ignored when nsr is given.
    tick: called after each iteration of a method that iterates.
    """

    nsr: float | None = None
    iterations: int = ITERATIONS
    least_noise: float = _LEAST_NOISE
    compressed: bool = False
    tick: Callable[[], None] | None = None

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
        """Variance of the noise in an image."""
        if self.nsr is None:
            return max(noise(image), self.least_noise) ** 2
        return max(self.nsr * signal(image, 0.0), self.least_noise**2 * 1e-6)


DEFAULTS = Settings()


class _Blurred:
    """A blurred picture on a periodic grid, in colours that are not correlated, and the spectra to restore it with.

    planes: the picture itself, ``(C, h, w)``. seen: where it tells something, ``(h, w)``, all but clipped lights.
    otf: of the PSF, passed its squared modulus. prior: noise over signal, for every frequency. noises: variance of
    each plane's, ``(C, 1, 1)``. symmetric: whether the PSF is its own mirror image along both axes. spectrum: of the
    extended picture, whatever fills the extension at the time.
    """

    def __init__(self, image: np.ndarray, psf: np.ndarray, settings: Settings):
        variance = settings.variance(image)
        self.rotation = fourier.decorrelation(image)
        self.planes = fourier.rotated(image, self.rotation)
        white = (image >= _WHITE).any(axis=2)
        self.all_seen = not _FEW < white.mean() < _MANY
        self.seen = np.float32(1) if self.all_seen else (~white).astype(np.float32)
        self.image, self.size = image, image.shape[:2]
        self.symmetric = all(np.allclose(psf, np.flip(psf, axis), atol=1e-4 * psf.max()) for axis in (0, 1))
        least = [_NOISE_OF_BORDERS * (not self.symmetric), _NOISE_OF_LIGHTS * (not self.all_seen)]
        self.variance = variance = max(variance, *least)
        extended = fourier.periodic(self.planes, psf.shape)
        self.shape = extended.shape[1:]
        self.otf = fourier.otf(psf, self.shape)
        self.passed = np.square(np.abs(self.otf))
        self.spectrum = fourier.forward(extended)
        known = settings.nsr is not None
        self.prior, noises = fourier.prior(self.spectrum, psf, self.shape, variance, known, settings.doubt)
        self.noises = noises[:, None, None]

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

    def _inside(self, planes: np.ndarray) -> np.ndarray:
        return planes[..., : self.size[0], : self.size[1]]

    def picture(self, restored: np.ndarray) -> np.ndarray:
        """The image that a spectrum of planes stands for, cut to size, within [0, 1]; clipped lights stay on."""
        image = fourier.derotated(self._inside(fourier.back(restored, self.shape)), self.rotation)
        if not self.all_seen:
            image = np.where(self.seen[..., None] > 0, image, np.maximum(image, self.image))
        return np.clip(image, 0, 1)


@dataclass(frozen=True)
class _Effort:
    """How long conjugate gradients go on: errors not worth a first and another step, in units of the noise."""

    good_guess: float
    good_enough: float
    most: int


_QUICK = _Effort(7e-4, 7e-4, 30)
_THOROUGH = _Effort(5e-4, 5e-5, 100)


def _solved(blurred: _Blurred, guess: np.ndarray, effort: _Effort) -> np.ndarray:
    """Spectrum of the picture whose blur explains best what was seen, and that is as likely as the prior allows.

    Minimises ``|h * x − y|²`` where y was seen, plus the prior, for each plane by conjugate gradients, with the Wiener
    filter's answer for a picture seen everywhere as preconditioner.
    """
    weight = np.full(blurred.otf.shape, 2, np.float32)  # a half plane stands for the other half as well
    weight[:, 0] = 1
    weight[:, -1] -= 1 - blurred.shape[1] % 2
    scale = max(blurred.variance, _PRECISION) * np.prod(blurred.shape, dtype=float) ** 2 / len(guess)
    planes = zip(guess, blurred.observed(), blurred.prior)
    return np.stack([_descended(blurred, *plane, weight / scale, effort) for plane in planes])


def _descended(
    blurred: _Blurred, x: np.ndarray, seen: np.ndarray, prior: np.ndarray, weight: np.ndarray, effort: _Effort
) -> np.ndarray:
    """Conjugate gradients for one plane, from a first guess."""
    inverse = 1 / np.maximum(blurred.passed + prior, _TINY)
    residual = seen - blurred.blurred_where_seen(x) - prior * x
    direction = inverse * residual
    slope = _product(weight, residual, direction)
    if slope < effort.good_guess:
        return x
    for _ in range(effort.most):
        curved = blurred.blurred_where_seen(direction) + prior * direction
        step = np.float32(slope / max(_product(weight, direction, curved), _TINY))
        x = x + step * direction
        residual -= step * curved
        towards = inverse * residual
        before, slope = slope, _product(weight, residual, towards)
        if slope < effort.good_enough:
            break
        direction = towards + np.float32(slope / before) * direction
    return x


def _product(weight: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """Inner product of two spectra."""
    return float(np.vdot(weight * one, other).real)


def wiener(image: np.ndarray, psf: np.ndarray, nsr: float | None = None, settings: Settings = DEFAULTS) -> np.ndarray:
    """Wiener filter, with the spectrum of natural images, fitted to this one, as prior.

    ``R = H* B / (|H|² + σ² / P)``, where P is the expected power spectrum of the sharp image, a power of frequency
    (`fourier.prior`), and σ² the variance of the noise, in a colour space where channels are not correlated.

    That formula is for a picture without borders. Conjugate gradients lead on from its answer to the one for a
    picture that is seen in its frame only, and not where lights are clipped.

    image: ``(H, W, 1 or 3)``, blurred; float in [0, 1], uint8 or uint16.
    psf: ``(K, L)``, origin at the centre, odd sides.
    nsr: noise-to-signal ratio of variances, 1e-12 to 1000; larger is smoother and rings less; None leaves it to
        the settings.

    Returns float32 ``(H, W, C)``, clipped to [0, 1]. Raises PSFError when the PSF is larger than the
    image or its sides are even, ImageError when the image is none, ValueError when nsr is out of range.

    Source: N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949.
    """
    image, psf = _checked(image, psf)
    settings = settings if nsr is None else replace(settings, nsr=nsr)
    return _filtered(_Blurred(image, psf, settings))[0]


def wiener_twice(image: np.ndarray, psf: np.ndarray, settings: Settings = DEFAULTS) -> tuple[np.ndarray, np.ndarray]:
    """The Wiener filter's answer, and a bolder one, as for a tenth of the noise: with more detail, and more noise.

    Both together tell a network more than one does. Arguments, results and errors as for `wiener`.
    """
    blurred = _Blurred(*_checked(image, psf), settings)
    careful, spectrum = _filtered(blurred)
    blurred.fill(spectrum)
    return careful, blurred.picture(blurred.wiener(_BOLD))


def _filtered(blurred: _Blurred) -> tuple[np.ndarray, np.ndarray]:
    """The Wiener filter's answer and its spectrum."""
    effort = _THOROUGH if blurred.variance < _LITTLE_NOISE else _QUICK  # what little noise there is hides no error
    spectrum = _wiener(blurred, effort)
    return blurred.picture(spectrum), spectrum


def _wiener(blurred: _Blurred, effort: _Effort) -> np.ndarray:
    """Spectrum of the Wiener filter's answer for a picture seen in its frame only."""
    if not (blurred.all_seen and blurred.symmetric):  # else the extended picture is nearly a blurred one
        for more in _falling(blurred.variance):
            blurred.fill(blurred.wiener(more))
    return _solved(blurred, blurred.wiener(), effort)


def _falling(variance: float) -> list[float]:
    """How many times the real noise a row of filters takes for granted: from much to a little more than it."""
    ratio = max(MUCH_NOISE / variance, 1)
    count = int(np.ceil(np.log(ratio) / np.log(FALL)))
    return [ratio ** (1 - step / count) for step in range(count)]


def sparse(image: np.ndarray, psf: np.ndarray, settings: Settings = DEFAULTS) -> np.ndarray:
    """Deconvolution with a hyper-Laplacian prior on gradients: few of them, but any size.

    Minimises ``|h * x − y|² / 2σ² + μ Σ |∂x / s|^0.8`` by half-quadratic splitting: gradients are shrunk one by one,
    then the picture is fitted to both in the Fourier domain, with a penalty on their difference that grows. The
    scale s of the gradients is that of the restoration so far, for each direction and each decorrelated channel.

    image, psf, result and errors as for `wiener`, which is the beginning.

    Source: D. Krishnan and R. Fergus, Fast Image Deconvolution using Hyper-Laplacian Priors, NIPS 2009.
    """
    image, psf = _checked(image, psf)
    blurred = _Blurred(image, psf, settings)
    restored = _wiener(blurred, _THOROUGH)
    blurred.fill(restored)
    gradients = _gradients(blurred.shape)
    for penalty in PENALTIES:
        restored = _half_quadratic(blurred, restored, gradients, penalty)
        blurred.fill(restored)
        _tick(settings)
    return blurred.picture(restored)


def _gradients(shape: tuple[int, int]) -> list[np.ndarray]:
    """Spectra of the differences to the next pixel, down and across."""
    down = np.exp(2j * np.pi * scipy.fft.fftfreq(shape[0]))[:, None] - 1
    across = np.exp(2j * np.pi * scipy.fft.rfftfreq(shape[1]))[None] - 1
    return [part.astype(np.complex64) for part in (down, across)]


def _half_quadratic(blurred: _Blurred, restored: np.ndarray, gradients: list[np.ndarray], penalty: float) -> np.ndarray:
    """One round of splitting: shrink the gradients, then fit the picture to them and to what was seen."""
    pulls, total = np.conj(blurred.otf) * blurred.spectrum, np.repeat(blurred.passed[None], len(restored), axis=0)
    table = _shrinkage(penalty)
    for gradient in gradients:
        steps = fourier.back(restored * gradient, blurred.shape)
        scale = _scale(steps)
        pull = np.float32(FIDELITY * penalty) * blurred.noises / np.square(scale)
        shrunk = scale * _shrunk(steps / scale, table)
        pulls += pull * (np.conj(gradient) * fourier.forward(shrunk))
        total += pull * np.square(np.abs(gradient))
    return pulls / np.maximum(total, _TINY)


def _scale(steps: np.ndarray) -> np.ndarray:
    """The likeliest scale of a hyper-Laplacian for each plane of gradients, ``(C, 1, 1)``."""
    sample = np.abs(steps[:, ::2, ::2])  # powers are slow
    moment = np.mean(sample ** np.float32(EXPONENT), axis=(1, 2), keepdims=True)
    return np.maximum((EXPONENT * moment) ** (1 / EXPONENT), 1e-6).astype(np.float32)


def _shrinkage(penalty: float, largest: float = 64.0, entries: int = 4096) -> tuple[np.ndarray, np.ndarray]:
    """A table from v to the w ≥ 0 that minimises ``w^0.8 + penalty / 2 · (w − v)²``."""
    given = np.linspace(0, largest, entries)
    best = given.copy()
    for _ in range(8):  # Newton's method from above; where the curve bends down, zero is the minimum
        safe = np.maximum(best, 1e-6)
        slope = EXPONENT * safe ** (EXPONENT - 1) + penalty * (best - given)
        bend = EXPONENT * (EXPONENT - 1) * safe ** (EXPONENT - 2) + penalty
        best = np.where(bend > 0, np.clip(best - slope / np.where(bend > 0, bend, 1), 0, given), 0)
    pays = best**EXPONENT + penalty / 2 * (best - given) ** 2 < penalty / 2 * given**2
    return given.astype(np.float32), np.where(pays, best, 0).astype(np.float32)


def _shrunk(values: np.ndarray, table: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Values through a table of shrinkage; beyond its end all shrink by as much."""
    size = np.abs(values)
    shrunk = np.interp(size, *table) + np.maximum(size - table[0][-1], 0)
    return np.copysign(shrunk, values).astype(np.float32)


def richardson_lucy(image: np.ndarray, psf: np.ndarray, settings: Settings = DEFAULTS) -> np.ndarray:
    """Richardson–Lucy iterations, damped where the blurred picture is explained to within its noise.

    ``x ← x / (h' * m) · h' * (m · (1 + d · (y − h * x) / (h * x)))`` with h' the mirrored PSF and m one inside the
    picture and zero around it. The damping d falls from one to zero as the error falls below two standard
    deviations of the noise.

    image, psf, result and errors as for `wiener`. Nothing becomes negative.

    Source: W. H. Richardson, JOSA 62, 1972; L. B. Lucy, Astronomical Journal 79, 1974; the damping after
    R. L. White, Proc. SPIE 2198, 1994; the mask after M. Bertero and P. Boccacci, A&A 437, 2005.
    """
    image, psf = _checked(image, psf)
    height, width, _ = image.shape
    around = [side // 2 for side in psf.shape]
    shape = tuple(scipy.fft.next_fast_len(n + 4 * m, real=True) for n, m in zip(image.shape, around))
    inside = (slice(None), slice(around[0], around[0] + height), slice(around[1], around[1] + width))
    transfer = fourier.otf(psf, shape)
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    margins = [(m, s - n - m) for n, m, s in zip(image.shape, around, shape)]
    estimate = np.maximum(np.pad(planes, [(0, 0), *margins], mode="symmetric"), 1e-4)
    mask = np.zeros((1, *shape), np.float32)
    mask[inside] = 1
    seen = np.maximum(fourier.back(fourier.forward(mask) * np.conj(transfer), shape), 0.01)
    scale = DAMPING * np.sqrt(settings.variance(image))
    for _ in range(settings.iterations):
        predicted = np.maximum(fourier.back(fourier.forward(estimate) * transfer, shape)[inside], 1e-4)
        ratio = np.zeros_like(estimate)
        ratio[inside] = 1 + _damped(planes - predicted, scale) / predicted
        step = fourier.back(fourier.forward(ratio) * np.conj(transfer), shape) / seen
        estimate *= np.maximum(step, 0)
        _tick(settings)
    return np.clip(estimate[inside].transpose(1, 2, 0), 0, 1)


def _damped(error: np.ndarray, scale: float) -> np.ndarray:
    """Errors, those well below a scale reduced to nearly nothing."""
    share = np.minimum(np.square(error / np.float32(scale)), 1)
    return error * share ** (_SHARPNESS - 1) * (_SHARPNESS - (_SHARPNESS - 1) * share)


def inverse(image: np.ndarray, psf: np.ndarray, settings: Settings = DEFAULTS) -> np.ndarray:
    """Plain division by the transform of the PSF, ``R = B / H``, as the paper tried: noise drowns everything.

    Kept to show why not. Where ``|H|`` is below 1e-4 it divides by that much instead.

    image, psf, result and errors as for `wiener`.
    """
    image, psf = _checked(image, psf)
    extended = fourier.periodic(np.ascontiguousarray(image.transpose(2, 0, 1)), psf.shape)
    transfer = fourier.otf(psf, extended.shape[1:])
    size = np.abs(transfer)
    divisor = np.where(size < _LEAST_OTF, _LEAST_OTF, transfer)
    restored = fourier.back(fourier.forward(extended) / divisor, extended.shape[1:])
    return np.clip(restored[:, : image.shape[0], : image.shape[1]].transpose(1, 2, 0), 0, 1)


def _tick(settings: Settings) -> None:
    if settings.tick is not None:
        settings.tick()


def _checked(image: np.ndarray, psf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An image as float32 and a PSF that fits into it."""
    image, psf = to_float(checked(image)), psfs.checked(psf)
    height, width, _ = image.shape
    if psf.shape[0] > height or psf.shape[1] > width:
        sizes = f"{psf.shape[1]}×{psf.shape[0]} PSF, {width}×{height} picture"
        raise PSFError(f"the PSF is larger than the picture ({sizes}); give a smaller PSF")
    return image, psf


Method = Callable[[np.ndarray, np.ndarray, Settings], np.ndarray]

METHODS: dict[str, Method] = {
    "wiener": lambda image, psf, settings: wiener(image, psf, settings=settings),
    "richardson-lucy": richardson_lucy,
    "sparse": sparse,
    "inverse": inverse,
}


def steps(method: str, iterations: int) -> int:
    """How often a method calls `Settings.tick`."""
    return {"richardson-lucy": iterations, "sparse": len(PENALTIES)}.get(method, 0)


def restore(picture: Picture, psf: np.ndarray, settings: Settings = DEFAULTS, method: str = "wiener") -> Picture:
    """The picture restored by one of `METHODS`, of the same size, depth and kind; alpha is kept.

    psf: ``(K, L)``, origin at the centre.
    """
    image = METHODS[method](picture.pixels, psf, suited(settings, picture))
    return picture.with_pixels(from_float(image, picture.pixels.dtype))


def suited(settings: Settings, picture: Picture) -> Settings:
    """The settings for a picture: its noise is at least that of rounding, and it may have been compressed."""
    least = max(settings.least_noise, rounding_noise(picture.pixels.dtype))
    return replace(settings, least_noise=least, compressed=settings.compressed or picture.format in _LOSSY)
