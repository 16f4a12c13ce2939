"""The luma of a picture, and of its centre, where what blurred it is looked for."""

from __future__ import annotations

import cv2
import numpy as np

from deblurcli.pictures.images import to_float

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
_LARGEST_SIDE = 2048
_STRIP = 256  # rows that are made float at a time, a multiple of all reductions


def to_luma(image: np.ndarray) -> np.ndarray:
    """The BT.601 luma of an image ``(H, W, 1 or 3)``, float32 ``(H, W)``."""
    image = to_float(image)
    return image[..., 0] if image.shape[2] == 1 else image @ LUMA_WEIGHTS


def central_luma(image: np.ndarray, times: int = 1) -> np.ndarray:
    """The luma of the centre of an image so many times smaller, float32 ``(H, W)``, at most 2048 a side."""
    height, width = (min(length // times, _LARGEST_SIDE) * times for length in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    cut = image[top : top + height, left : left + width]
    strips = (cut[first : first + _STRIP] for first in range(0, height, _STRIP))
    return np.concatenate([_reduced(to_luma(strip), times) for strip in strips])


def _reduced(luma: np.ndarray, times: int) -> np.ndarray:
    size = luma.shape[1] // times, luma.shape[0] // times
    return luma if times == 1 else cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
