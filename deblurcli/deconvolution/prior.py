"""What is expected of a picture's spectrum: a power law behind the blur, and the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deblurcli.deconvolution.fourier import cached, frequency, otf

_BANDS, _LEVELS = 24, 12  # cells in which a spectrum is averaged: by frequency, and by how much of it the PSF lets pass
_LEAST_PASSED = 1e-6
_LEAST_AMPLITUDE = 1e-20
_EXPONENTS = np.arange(0.0, 3.9, 0.3)[:, None]
_FACTORS = 4.0 ** np.arange(6)  # of the least noise there may be
_ROUNDS = 8


@dataclass(frozen=True)
class Prior:
    """What is expected of a picture's spectrum: noise over signal in each cell of it.

    ratios: ``(C, cells)``. variances: of each plane's noise, ``(C,)``.
    """

    ratios: np.ndarray
    variances: np.ndarray

    def spread(self, psf: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Noise over signal at each frequency, float32 ``(C, H, W // 2 + 1)``, 0 at DC; see `mean_power`."""
        cells = _Cells.of(psf, shape)
        return np.stack([cells.spread(ratio) for ratio in self.ratios]).reshape(len(self.ratios), shape[0], -1)


def mean_power(spectrum: np.ndarray, psf: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The mean power per pixel of blurred planes, extended to `shape`, in each cell of the spectrum, ``(C, cells)``."""
    cells = _Cells.of(psf, shape)
    return np.stack([cells.mean(np.square(np.abs(plane))) for plane in spectrum]) / (shape[0] * shape[1])


def fit_prior(
    power: np.ndarray,
    psf: np.ndarray,
    shape: tuple[int, int],
    variance: float,
    is_known: bool = True,
    noise_floor_ratio: float = 0.0,
) -> Prior:
    """What the power of a blurred picture's spectrum tells of the sharp one's, and of the noise.

    The power of a photograph falls as a power of frequency (van der Schaaf and van Hateren, Vision Research 36,
    1996). For each plane the model ``A · f^-p · |OTF|² + noise`` is fitted to the blurred picture's spectrum by
    maximum likelihood, its coefficients taken for independent, complex and normal (Whittle, 1953).

    power: of the planes, as `mean_power` has it; or the mean of many pictures' of one size.
    variance: of white noise in every plane, known, or the least there may be.
    noise_floor_ratio: where the PSF lets less signal through than so many times the noise, what is seen is taken for
        noise, white or not; compression makes such.
    """
    cells = _Cells.of(psf, shape)
    factors = _FACTORS[:1] if is_known else _FACTORS
    fits = [_Fit.of(plane, cells, variance * factors) for plane in power]
    ratios = np.stack([fit.noise(noise_floor_ratio) * fit.inverse_power for fit in fits])
    return Prior(ratios, np.array([fit.variance for fit in fits], np.float32))


@dataclass(frozen=True)
class _Fit:
    """The likeliest power law and white noise behind the mean power of every cell.

    power, signal: seen and of the law, ``(cells,)``. inverse_power: of the sharp picture. variance: of the noise.
    """

    power: np.ndarray
    signal: np.ndarray
    inverse_power: np.ndarray
    variance: float

    @classmethod
    def of(cls, power: np.ndarray, cells: _Cells, variances: np.ndarray) -> _Fit:
        """The fit to the power of one plane; variances: of the noise to choose from."""
        law = cells.squared ** (-_EXPONENTS / 2)
        passed, noise = cells.passed * law, variances[:, None, None]  # (exponents, cells), (variances, 1, 1)
        count, excess = cells.count, power - noise
        amplitude = np.maximum(
            (count * excess).sum(2, keepdims=True) / (count * passed).sum(1)[:, None], _LEAST_AMPLITUDE
        )
        for _ in range(_ROUNDS):
            model = np.square(amplitude * passed + noise)
            amplitude = (count * passed * excess / model).sum(2, keepdims=True)
            amplitude = np.maximum(amplitude / (count * passed**2 / model).sum(2, keepdims=True), _LEAST_AMPLITUDE)
        model = amplitude * passed + noise
        misfit = (count * (np.log(model) + power / model)).sum(2)
        which, exponent = np.unravel_index(misfit.argmin(), misfit.shape)
        inverse_power = 1 / (amplitude[which, exponent] * law[exponent])
        return cls(power, cells.passed / inverse_power, inverse_power, float(variances[which]))

    def noise(self, noise_floor_ratio: float) -> np.ndarray:
        """The noise's power in every cell: all that is seen, where the signal is less than so many times the noise."""
        drowned = self.signal < noise_floor_ratio * self.variance
        return np.where(drowned, np.maximum(self.power, self.variance), self.variance)


class _Cells:
    """Coefficients of a spectrum in groups of like frequency that the PSF lets pass alike.

    count: coefficients in each cell. squared, passed: the mean of `frequency` and of ``|OTF|²`` there.
    """

    def __init__(self, psf: np.ndarray, shape: tuple[int, int]):
        squared, passed = frequency(shape).ravel(), np.square(np.abs(otf(psf, shape))).ravel()
        band = np.log(np.maximum(squared, squared[1]) / squared[1]) / np.log(8.001 / squared[1]) * _BANDS
        level = np.log(np.clip(passed, _LEAST_PASSED, 1)) / np.log(_LEAST_PASSED) * (_LEVELS - 1)
        self._cell = band.astype(np.int64) * _LEVELS + np.rint(level).astype(np.int64)
        self._cell[0] = _BANDS * _LEVELS  # DC is no sample of the law
        self._size = np.bincount(self._cell, minlength=_BANDS * _LEVELS + 1)
        self._kept = np.flatnonzero(self._size[:-1])
        self.count = self._size[self._kept]
        self.squared, self.passed = self.mean(squared), np.maximum(self.mean(passed), _LEAST_PASSED**2)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean in every cell that is not empty."""
        sums = np.bincount(self._cell, values.ravel(), minlength=len(self._size))
        return sums[self._kept] / self._size[self._kept]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A value of every cell, given to each of its coefficients; 0 at DC."""
        table = np.zeros(len(self._size), np.float32)
        table[self._kept] = np.minimum(values, np.finfo(np.float32).max / 1e6)
        return table[self._cell]

    @staticmethod
    def of(psf: np.ndarray, shape: tuple[int, int]) -> _Cells:
        """The cells for a PSF and an extended size; kept for the next picture of that size."""
        return _cells(psf.tobytes(), psf.shape, shape)


@cached
def _cells(data: bytes, size: tuple[int, int], shape: tuple[int, int]) -> _Cells:
    return _Cells(np.frombuffer(data).reshape(size), shape)
