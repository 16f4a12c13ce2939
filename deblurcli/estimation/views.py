"""Pictures made smaller to look at, and the part of one that shows most."""

from __future__ import annotations

import cv2
import numpy as np

from deblurcli.estimation import l0
from deblurcli.pictures.luma import central_luma

STEP = np.sqrt(2)  # from one scale to the next
_PACE = 20  # pixels from one part that may be looked at to the next


def reduced(luma: np.ndarray, times: int) -> np.ndarray:
    """The luma of a picture so many times smaller."""
    return resized(luma, 1 / times)


def part(luma: np.ndarray, side: int) -> np.ndarray:
    """The square part of a picture's luma with the strongest gradients, of so many pixels a side at most."""
    return np.ascontiguousarray(luma[place(luma, side)])


def place(luma: np.ndarray, side: int) -> tuple[slice, slice]:
    """The rows and columns of that part."""
    height, width = (min(length, side) for length in luma.shape)
    strength = cv2.boxFilter(np.hypot(*l0.gradients(luma)), cv2.CV_32F, (width, height), anchor=(0, 0))
    inside = strength[: luma.shape[0] - height + 1 : _PACE, : luma.shape[1] - width + 1 : _PACE]
    top, left = (_PACE * int(index) for index in np.unravel_index(inside.argmax(), inside.shape))
    return slice(top, top + height), slice(left, left + width)


def detailed(pixels: np.ndarray, side: int) -> tuple[slice, slice]:
    """The rows and columns of a picture ``(H, W, C)`` where its middle has the strongest gradients; see `place`."""
    luma = central_luma(pixels)
    rows, columns = (
        slice(each.start + (length - seen) // 2, each.stop + (length - seen) // 2)
        for each, length, seen in zip(place(luma, side), pixels.shape, luma.shape)
    )
    return rows, columns


def scales(times: int) -> np.ndarray:
    """Those on the way from a picture so many times smaller to the picture itself, without the former, with 1."""
    return STEP ** np.arange(1 - 2 * np.log2(times), 1)


def resized(picture: np.ndarray, scale: float) -> np.ndarray:
    """A picture ``(H, W)`` so many times as large."""
    if scale == 1:
        return picture
    height, width = (max(8, round(length * scale)) for length in picture.shape)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
