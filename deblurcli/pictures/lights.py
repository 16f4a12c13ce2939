"""Lights: pixels of a picture that are clipped at white, so that they tell less than was there.

Whatever blurs a picture adds up light before the sensor clips it. So what is around clipped pixels follows no PSF, and
its edges are steep however blurred the picture is.
"""

from __future__ import annotations

import cv2
import numpy as np

_WHITE = 1 - 0.5 / 255
_MANY = 0.05  # share of a picture: more clipped pixels are no lights but white paper, snow or sky
# Pixels a side of what is left out around a clipped one where a PSF is sought. 50 photographs, darkened, with lights,
# and shaken: the right PSF is ahead of no blur by 0.05 in 18 % of them as they are, in 60 % with 11 and 68 % with 15; a
# wrong one never.
AROUND = 15
_LOOKED_AT = 3  # pixels around what is filled in
_MOST_HIDDEN = 0.3  # share of a picture that is filled in: more is no few lights, but glitter all over
_STEP, _TALLEST = 6, 0.998  # pixels over which edges are measured; the quantile from which they are the tallest
_SHOWN = 0.1  # of the height of the tallest edges, to be left without lights; in those photographs at least 0.17


def white(image: np.ndarray) -> np.ndarray:
    """Which samples of an image in [0, 1] are clipped at white."""
    return image >= _WHITE


def clipped(image: np.ndarray) -> np.ndarray:
    """Where some channel of an image ``(H, W, C)`` in [0, 1] is clipped at white, ``(H, W)``."""
    return np.any(white(image), axis=2)


def are_lights(found: np.ndarray) -> bool:
    """Whether clipped pixels ``(H, W)`` are lights: few of all."""
    return bool(0 < found.mean() < _MANY)


def without(luma: np.ndarray, around: int = AROUND) -> np.ndarray:
    """A luma in which lights and what is close to them are filled in from around; itself where it shows no lights.

    luma: ``(H, W)``, float32 in [0, 1]; white in luma is what is clipped in all channels. around: pixels a side of what
    is close to a clipped one.

    What is white is no light where nothing else is to be seen, as on a dark page with white letters.
    """
    found = clipped(luma[..., None])
    if not are_lights(found):
        return luma
    near = cv2.dilate(found.astype(np.uint8), np.ones((around, around), np.uint8))
    if near.mean() > _MOST_HIDDEN:
        return luma
    filled = cv2.inpaint(np.ascontiguousarray(luma, np.float32), near, _LOOKED_AT, cv2.INPAINT_NS)
    return filled if _relief(filled) >= _SHOWN * _relief(luma) else luma


def _relief(luma: np.ndarray) -> float:
    """How tall the tallest edges of a luma ``(H, W)`` are."""
    down, across = luma[_STEP:] - luma[:-_STEP], luma[:, _STEP:] - luma[:, :-_STEP]
    heights = (np.abs(each[::2, ::2]) for each in (down, across) if each.size)
    return max((float(np.quantile(each, _TALLEST)) for each in heights), default=0.0)
