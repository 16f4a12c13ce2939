"""A picture in the frame that it was seen in, on a periodic grid that holds its surroundings too.

Richardson–Lucy iterations restore both; what is seen in the frame alone has to be explained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.fft

from deblurcli.deconvolution import fourier

_LEAST_COVERAGE = 0.01


@dataclass(frozen=True)
class Frame:
    """The place of a picture ``(h, w)`` on a grid ``(H, W)``, which is larger by as much as a PSF reaches.

    around: pixels above and left of it. otf: of the PSF, ``(H, W // 2 + 1)``. coverage: share of what each pixel of the
    grid is spread to that the frame holds, ``(1, H, W)``, 0.01 at the least.
    """

    size: tuple[int, int]
    around: tuple[int, int]
    shape: tuple[int, int]
    otf: np.ndarray
    coverage: np.ndarray

    @classmethod
    def of(cls, size: tuple[int, int], psf: np.ndarray) -> Frame:
        """For a picture of that size and a PSF ``(K, L)``."""
        around = psf.shape[0] // 2, psf.shape[1] // 2
        rows, columns = (scipy.fft.next_fast_len(n + 4 * m, real=True) for n, m in zip(size, around))
        otf = fourier.otf(psf, (rows, columns))
        frame = cls(size, around, (rows, columns), otf, np.ones((1, rows, columns), np.float32))
        seen = frame.spread_back(np.ones((1, *size), np.float32))
        return replace(frame, coverage=np.maximum(seen, _LEAST_COVERAGE))

    def inside(self, grid: np.ndarray) -> np.ndarray:
        """The part of planes ``(C, H, W)`` that lies in the frame, ``(C, h, w)``; a view."""
        rows, columns = (slice(first, first + length) for first, length in zip(self.around, self.size))
        return grid[:, rows, columns]

    def surrounded(self, planes: np.ndarray) -> np.ndarray:
        """Planes ``(C, h, w)`` on the grid, mirrored around the frame."""
        margins = [(m, whole - n - m) for n, m, whole in zip(self.size, self.around, self.shape)]
        return np.pad(planes, [(0, 0), *margins], mode="symmetric")

    def alone(self, planes: np.ndarray) -> np.ndarray:
        """Planes ``(C, h, w)`` on the grid, nothing around the frame."""
        grid = np.zeros((len(planes), *self.shape), np.float32)
        self.inside(grid)[:] = planes
        return grid

    def blurred(self, grid: np.ndarray) -> np.ndarray:
        """What is seen in the frame of planes ``(C, H, W)`` that the PSF blurs, ``(C, h, w)``."""
        return self.inside(fourier.back(fourier.forward(grid) * self.otf, self.shape))

    def spread_back(self, planes: np.ndarray) -> np.ndarray:
        """Planes ``(C, h, w)`` in the frame, nothing around them, blurred with the mirrored PSF, ``(C, H, W)``."""
        return fourier.back(fourier.forward(self.alone(planes)) * np.conj(self.otf), self.shape)

    def correction(self, ratio: np.ndarray) -> np.ndarray:
        """By what Richardson and Lucy multiply the planes on the grid, for how many times too dark their blur is."""
        return np.maximum(self.spread_back(ratio) / self.coverage, 0)
