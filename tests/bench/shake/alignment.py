"""How near a restored picture is to the sharp one wherever it lies: PSNR after the best shift.

A PSF that is found from a picture alone has no place of its own. Where it is shifted, what is restored with it is
shifted the other way, and is no worse for that.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from deblurcli.metrics.table import psnr
from deblurcli.pictures import images

BORDER = 23  # pixels on each side that are left out
MOST = 12  # pixels that a picture may be shifted each way, at most the border
_MARGIN = MOST + 3  # around what is compared: room for the shift and for interpolation
_ROUNDS, _STILL = 20, 1e-4  # of the search below a pixel: at most so many, until it moves by less


def aligned_psnr(restored: np.ndarray, sharp: np.ndarray, border: int = BORDER) -> float:
    """PSNR in dB, without the border, after the shift of the restored picture that makes it largest.

    restored, sharp: ``(H, W, 1 or 3)`` of one shape, uint8, uint16 or float in [0, 1]. border: at least 15 pixels.
    """
    return psnr(aligned(restored, sharp, border), _inner(images.to_float(sharp), border))


def aligned(restored: np.ndarray, sharp: np.ndarray, border: int = BORDER) -> np.ndarray:
    """The restored picture shifted to where it fits best, without the border; float32 in [0, 1]."""
    restored = images.to_float(restored)
    shift = best_shift(restored, sharp, border)
    planes = [_Plane.of(restored[..., channel], border).moved(shift) for channel in range(restored.shape[2])]
    return np.clip(np.dstack(planes), 0, 1).astype(np.float32)


def best_shift(restored: np.ndarray, sharp: np.ndarray, border: int = BORDER) -> tuple[float, float]:
    """How far down and to the right the restored picture lies of where it fits the sharp one best, in pixels.

    First by whole pixels, all of them within `MOST`, then by Gauss–Newton steps on cubic splines:
    ``(Σ g gᵀ) δ = Σ g (s − r)`` with the gradient g of the shifted picture r.
    """
    plane, target = (images.to_float(image).mean(axis=2) for image in (restored, sharp))
    target = _inner(target, border)
    best = _whole_shift(plane, target, border)
    moving = _Plane.of(plane, border)
    least, shift = moving.error(best, target), best
    for _ in range(_ROUNDS):
        step = moving.step(shift, target)
        shift = (shift[0] + step[0], shift[1] + step[1])
        error = moving.error(shift, target) if max(map(abs, shift)) <= MOST + 1 else np.inf
        if error >= least:
            break
        least, best = error, shift
        if max(map(abs, step)) < _STILL:
            break
    return best


def _inner(image: np.ndarray, border: int) -> np.ndarray:
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


def _whole_shift(plane: np.ndarray, target: np.ndarray, border: int) -> tuple[float, float]:
    """The best shift by whole pixels."""
    around = _inner(plane, border - MOST) - np.float32(0.5)
    errors = cv2.matchTemplate(around.astype(np.float32), target.astype(np.float32) - np.float32(0.5), cv2.TM_SQDIFF)
    down, right = np.unravel_index(errors.argmin(), errors.shape)
    return float(down) - MOST, float(right) - MOST


class _Plane:
    """One channel as the coefficients of a cubic spline, of which shifted versions are read."""

    def __init__(self, coefficients: np.ndarray) -> None:
        self._coefficients = coefficients

    @classmethod
    def of(cls, plane: np.ndarray, border: int) -> _Plane:
        """From a channel ``(H, W)``, of which `border` pixels on each side are not wanted."""
        around = _inner(plane, border - _MARGIN)
        return cls(np.asarray(ndimage.spline_filter(around.astype(np.float64), 3, mode="mirror")))

    def moved(self, shift: tuple[float, float]) -> np.ndarray:
        """What lies so far down and right of the inner part."""
        back = (-shift[0], -shift[1])
        whole = ndimage.shift(self._coefficients, back, order=3, mode="mirror", prefilter=False)
        return np.asarray(_inner(whole, _MARGIN))

    def error(self, shift: tuple[float, float], target: np.ndarray) -> float:
        """The mean squared error at a shift."""
        return float(np.square(self.moved(shift) - target).mean())

    def step(self, shift: tuple[float, float], target: np.ndarray) -> tuple[float, float]:
        """The step of Gauss–Newton from a shift, at most half a pixel each way."""
        moved = self.moved(shift)
        gradients = [gradient.ravel() for gradient in np.gradient(moved)]
        matrix = np.array([[one @ other for other in gradients] for one in gradients])
        right = np.array([gradient @ (target - moved).ravel() for gradient in gradients])
        step = np.clip(np.linalg.lstsq(matrix, right, rcond=None)[0], -0.5, 0.5)
        return float(step[0]), float(step[1])
