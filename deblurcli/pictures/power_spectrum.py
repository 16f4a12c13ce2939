"""The mean power spectrum of a picture's patches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft

SPECTRUM_SIDE = 64  # of the patches whose power networks look at
SPECTRUM_SHAPE = SPECTRUM_SIDE, SPECTRUM_SIDE // 2 + 1
LEAST_POWER = 1e-6
_LOWEST = 2.5  # in lines of the spectrum: below, the window's own transform reaches over the origin
_REFERENCE = 0.1  # cycles per pixel, where the constant feature is the spectrum
_MOST_PATCHES = 64
GRAIN = 0.007  # noise assumed on top: without it the depth of the zeros, which no window shows, decides (0.005 to 0.01)


@dataclass(frozen=True)
class Spectrum:
    """Mean power of a picture's patches over half the frequency plane.

    power: ``(F,)``, positive; white noise of variance v has power v, and a little is added.
    across, down: ``(F,)``, frequencies in cycles per pixel along the rows (to the right) and down the columns.
    side: of the patches, in pixels.
    """

    power: np.ndarray
    across: np.ndarray
    down: np.ndarray
    side: int

    @cached_property
    def radius(self) -> np.ndarray:
        """The frequencies without their direction, ``(F,)``."""
        return np.hypot(self.across, self.down)

    @cached_property
    def features(self) -> np.ndarray:
        """The regressors x of the sharp spectrum's logarithm, ``(F, 6)``."""
        direction = np.arctan2(self.down, self.across)
        waves = [wave(turns * direction) for turns in (2, 4) for wave in (np.cos, np.sin)]
        logarithm = np.log(self.radius / _REFERENCE)
        return np.ascontiguousarray(np.stack([np.ones_like(logarithm), logarithm, *waves]).T)


def measure(luma: np.ndarray, side: int, highest: float) -> Spectrum:
    """The spectrum of a grey picture ``(H, W)``: Welch's mean over patches that overlap by half, under Hann windows.

    side: of the square patches in pixels, at most the picture's; larger resolves finer zeros and averages less.
    highest: frequency in cycles per pixel up to which the spectrum is kept, at most 0.5.

    Of a large picture only the 64 patches with the most contrast count.
    """
    power = _mean_power(luma, side)
    down, across = np.meshgrid(scipy.fft.fftfreq(side), scipy.fft.rfftfreq(side), indexing="ij")
    radius = np.hypot(across, down)
    kept = (radius >= _LOWEST / side) & (radius <= highest) & ~((across == 0) & (down < 0))
    return Spectrum(power[kept].astype(np.float64) + GRAIN**2, across[kept], down[kept], side)


def log_power_spectrum(luma: np.ndarray) -> np.ndarray:
    """The logarithm of a grey picture's mean power as networks take it, float32 ``(64, 33)``.

    Over patches of 64 × 64, as `measure` takes them; the origin lies in the middle row. A picture ``(H, W)`` that is
    smaller is mirrored.
    """
    missing = [(0, max(SPECTRUM_SIDE - side, 0)) for side in luma.shape]
    power = _mean_power(np.pad(luma, missing, mode="reflect"), SPECTRUM_SIDE)
    return scipy.fft.fftshift(np.log(power + LEAST_POWER), axes=0).astype(np.float32)


def turn_spectrum(spectrum: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """What `log_power_spectrum` gives, ``(…, 64, 33)``, of a turned picture.

    turns: of 90°. mirrored: whether the picture is mirrored left to right before.

    It turns as `numpy.rot90` does.
    """
    half = spectrum.shape[-1] - 1
    opposite = _about_origin(spectrum, -2)
    right = opposite if mirrored else spectrum
    left = (spectrum if mirrored else opposite)[..., half:0:-1]
    plane = np.concatenate([left, right[..., :half]], axis=-1)
    for _ in range(turns % 4):
        plane = _about_origin(np.swapaxes(plane, -1, -2), -2)
    return np.concatenate([plane[..., half:], plane[..., :1]], axis=-1)


def _about_origin(plane: np.ndarray, axis: int) -> np.ndarray:
    """A spectrum mirrored along an axis about its origin, which lies in the middle."""
    return np.roll(np.flip(plane, axis), 1, axis)


def _mean_power(luma: np.ndarray, side: int) -> np.ndarray:
    """The mean power of a picture's patches, ``(side, side / 2 + 1)``."""
    window = np.outer(*2 * [np.hanning(side + 1)[:side]])
    window /= np.sqrt((window**2).sum())
    patches = _patches(luma, side)
    total = np.zeros((side, side // 2 + 1))
    for patch in patches:
        total = total + _periodogram(patch, window)
    return total / len(patches)


def _periodogram(patch: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The power of a patch about its level, under a window."""
    level = (patch * window).sum() / window.sum()
    transform = scipy.fft.rfft2((patch - level) * window)
    return transform.real**2 + transform.imag**2


def _patches(luma: np.ndarray, side: int) -> list[np.ndarray]:
    """Patches ``(side, side)`` spread evenly over the picture, views of it."""
    rows, columns = ([*starts(length, side)] for length in luma.shape)
    corners = [(row, column) for row in rows for column in columns]
    if len(corners) > _MOST_PATCHES:
        contrast = [luma[row : row + side : 4, column : column + side : 4].std() for row, column in corners]
        corners = [corners[index] for index in np.argsort(contrast)[-_MOST_PATCHES:]]
    return [luma[row : row + side, column : column + side] for row, column in corners]


def starts(length: int, side: int) -> np.ndarray:
    """Where patches start along an axis: about half a side apart, the first and last at the ends."""
    count = int(np.ceil(2 * (length - side) / side)) + 1
    return np.linspace(0, length - side, count).round().astype(int)


def power_of(psf: np.ndarray, spectrum: Spectrum) -> np.ndarray:
    """The power of a PSF's transfer function at a spectrum's frequencies, ``(F,)``; at least 1e-9.

    psf: ``(K, L)``, no larger than the spectrum's patches.
    """
    side = spectrum.side
    plane = np.abs(scipy.fft.rfft2(psf, s=(side, side))) ** 2
    rows, columns = (np.rint(part * side).astype(int) for part in (spectrum.down, spectrum.across))
    return np.maximum(plane[rows % side, columns], 1e-9)
