"""The strongest gradients of a picture that is nearly sharp, and the PSF that blurs them into those of the blurred one.

``min over k of Σ ‖k ∗ ∇s − ∇y‖²`` has normal equations that need not be solved on the picture's grid: the gradients'
autocorrelation and their correlation with what was seen, as far as the PSF reaches, hold all there is to know of k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft

from deblurcli.deconvolution import fourier
from deblurcli.estimation import l0
from deblurcli.estimation.l0 import Extended

FALL = 1.1  # of the threshold of gradients, and of λ, from one round to the next


class StrongGradients:
    """The strongest gradients of latent pictures: above a threshold that falls from one picture to the next.

    count: kept at first in each of four directions.
    """

    def __init__(self, count: int):
        self._count = count
        self._threshold: float | None = None  # of squared gradients

    def of(self, restored: np.ndarray, blurred: Extended) -> list[np.ndarray]:
        """Gradients across and down on the periodic grid, 0 where they are weak or nothing was seen."""
        across, down = l0.gradients(restored)
        height, width = blurred.luma.shape
        for part in (across, down):
            part[height - 1 :], part[:, width - 1 :] = 0, 0
        strength = across * across + down * down
        if self._threshold is None:
            self._threshold = _first_threshold(across, down, strength, self._count)
        kept = strength >= min(self._threshold, strength.max())
        self._threshold /= FALL
        return [across * kept, down * kept]


def _first_threshold(across: np.ndarray, down: np.ndarray, strength: np.ndarray, wanted: int) -> float:
    """The highest threshold that leaves so many gradients in each of four directions, where there are as many."""
    direction = np.floor((np.arctan2(down, across) % np.pi) / (np.pi / 4)).astype(int) % 4
    strongest = [np.sort(strength[direction == each])[-wanted:] for each in range(4)]
    return float(min(values[0] if values.size else 0.0 for values in strongest))


@dataclass(frozen=True)
class NormalEquations:
    """``operator(psf) = target`` for the PSF that blurs gradients into a picture's.

    target: ``(side, side)``.
    """

    target: np.ndarray
    _spectrum: np.ndarray

    @classmethod
    def of(cls, sharp: list[np.ndarray], blurred: Extended, side: int) -> NormalEquations:
        """From `StrongGradients` across and down, for a PSF of so many pixels a side, odd."""
        spectra = [fourier.forward(each) for each in sharp]
        matched = np.sum([np.conj(each) * seen for each, seen in zip(spectra, blurred.gradient_spectra)], axis=0)
        energy = np.sum([np.square(np.abs(each)) for each in spectra], axis=0)
        placed = np.zeros((_padded(side),) * 2, np.float32)
        placed[: 2 * side - 1, : 2 * side - 1] = _around(fourier.back(energy, blurred.shape), side - 1)
        turned = np.roll(placed, (1 - side, 1 - side), (0, 1))
        return cls(_around(fourier.back(matched, blurred.shape), side // 2), scipy.fft.rfft2(turned))

    def operator(self, psf: np.ndarray) -> np.ndarray:
        """A PSF ``(side, side)`` convolved with the gradients' autocorrelation."""
        side = len(self.target)
        shape = (_padded(side),) * 2
        return scipy.fft.irfft2(scipy.fft.rfft2(psf, s=shape) * self._spectrum, s=shape)[:side, :side]


def _padded(side: int) -> int:
    return scipy.fft.next_fast_len(2 * side - 1, real=True)


def _around(periodic: np.ndarray, reach: int) -> np.ndarray:
    """The values of a periodic array from −reach to reach about its origin."""
    index = np.arange(-reach, reach + 1)
    return periodic[np.ix_(index, index)]
