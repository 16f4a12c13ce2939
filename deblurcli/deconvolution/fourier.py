"""Pictures as spectra: what every method of restoration in the Fourier domain shares.

Here a picture is held as *planes*, float32 ``(C, H, W)``; a spectrum is a half plane of each, complex64
``(C, H, W // 2 + 1)``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps

import cv2
import numpy as np
import scipy.fft

from deblurcli import parallel

_KEPT = 4_000_000  # pixels up to which transforms and tables are kept for the next picture of the same size


def cached(function: Callable) -> Callable:
    """Keep a function's last few results, its last argument being a size; those of large pictures are let go."""
    keeping = lru_cache(maxsize=8)(function)

    @wraps(function)
    def chosen(*arguments):
        height, width = arguments[-1]
        return (keeping if height * width <= _KEPT else function)(*arguments)

    return chosen


def forward(planes: np.ndarray) -> np.ndarray:
    """Half-plane spectrum of real planes ``(..., H, W)``."""
    return scipy.fft.rfft2(planes, workers=parallel.spare())


def back(spectrum: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Real planes ``(..., H, W)`` of a half-plane spectrum."""
    return scipy.fft.irfft2(spectrum, s=shape, workers=parallel.spare())


def planes(image: np.ndarray) -> np.ndarray:
    """An image ``(H, W, C)`` as planes ``(C, H, W)``."""
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def image(planes: np.ndarray) -> np.ndarray:
    """The image ``(H, W, C)`` of planes ``(C, H, W)``."""
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def decorrelation(image: np.ndarray) -> np.ndarray:
    """The rotation of colour space in which an image's fine detail is uncorrelated, float32 ``(C, C)``.

    image: float32 ``(H, W, C)``. ``image @ rotation`` holds most of the detail in its first channel and little but
    noise in the last; white noise stays white (the Karhunen–Loève transform of the colour differences between
    neighbouring pixels).
    """
    channels = image.shape[2]
    down, across = image[1::3] - image[:-1:3], image[::3, 1:] - image[::3, :-1]  # every third row is enough
    steps = np.concatenate([down.reshape(-1, channels), across.reshape(-1, channels)])
    _, vectors = np.linalg.eigh(steps.T @ steps)
    return np.ascontiguousarray(vectors[:, ::-1], np.float32)


def rotated(image: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """``image @ rotation`` of an image ``(H, W, C)``, as planes ``(C, H, W)``."""
    return np.stack(cv2.split(cv2.transform(image, rotation.T)))


def derotated(planes: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """The image ``(H, W, C)`` whose `rotated` planes these are."""
    image = cv2.transform(cv2.merge([np.ascontiguousarray(plane) for plane in planes]), rotation)
    return image.reshape(*planes.shape[1:], -1)


def periodic(planes: np.ndarray, margins: tuple[int, int]) -> np.ndarray:
    """Planes grown at the bottom and right to a fast, periodic size without a jump anywhere.

    margins: along each axis, by how much each end is reflected before it fades into the other.
    """
    for axis, margin in zip((1, 2), margins):
        length = planes.shape[axis]
        gap = scipy.fft.next_fast_len(length + 4 * margin + 8, real=True) - length
        around = (np.arange(length, length + gap), np.arange(-gap, 0))
        tail, head = (np.take(planes, _mirrored(places, length), axis) for places in around)
        ramp = np.clip((np.arange(gap) + 1 - margin) / (gap + 1 - 2 * margin), 0, 1)
        fade = (0.5 - 0.5 * np.cos(np.pi * ramp)).astype(np.float32)
        fade = fade[:, None] if axis == 1 else fade
        planes = np.concatenate([planes, tail + (head - tail) * fade], axis)
    return planes


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Indices reflected about the outermost pixels into ``0 … length − 1``."""
    period = max(2 * length - 2, 1)
    places = np.abs(places) % period
    return np.minimum(places, period - places)


def otf(psf: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Half-plane transform of a PSF ``(K, L)``, its centre at the origin, complex64 ``(H, W // 2 + 1)``."""
    return _otf(psf.tobytes(), psf.shape, shape)


@cached
def _otf(data: bytes, size: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    placed = np.zeros(shape, np.float32)
    placed[: size[0], : size[1]] = np.frombuffer(data).reshape(size)
    placed = np.roll(placed, (-(size[0] // 2), -(size[1] // 2)), (0, 1))
    return _fixed(scipy.fft.rfft2(placed))


@cached
def frequency(shape: tuple[int, int]) -> np.ndarray:
    """``|1 − exp(iω)|²`` summed over both axes, about the squared frequency, float32 ``(H, W // 2 + 1)``."""
    rows = 2 - 2 * np.cos(2 * np.pi * scipy.fft.fftfreq(shape[0]))
    columns = 2 - 2 * np.cos(2 * np.pi * scipy.fft.rfftfreq(shape[1]))
    return _fixed((rows[:, None] + columns).astype(np.float32))


def _fixed(array: np.ndarray) -> np.ndarray:
    """The array, which is kept and shared, made read-only."""
    array.flags.writeable = False
    return array
