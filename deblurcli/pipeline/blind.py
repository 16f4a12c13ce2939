"""Restoration by a network that is given nothing but the picture, at the size at which it does most.

A network knows blurs up to some width. In a picture made smaller a wide blur is a narrow one, and what the network
changes there can be brought back to full size. Which size is best shows what is kept of the change (see `reliability`):
an estimate that is right on the mean takes the square of its change off the squared error. So the size is taken at
which that square, on the mean over the part of the picture with most to see, is largest. A size at which the picture
looks sharp is not tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from deblurcli.estimation import edges, shake
from deblurcli.inference import reliability
from deblurcli.pictures.images import Picture, from_float, to_float
from deblurcli.pictures.luma import central_luma, to_luma
from deblurcli.pictures.tiles import Progress, unwatched

TIMES = 1, 2, 4  # how many times smaller a picture may be looked at
_LEAST_SIDE = 128  # pixels that it keeps
_LOOKED = 448  # pixels a side of the part by which the size is chosen
_AROUND = 64  # pixels around that part that the network sees as well, at the size that it sees
_SHARP = 0.5  # from which on a picture is more likely sharp than not
_STRIP, _REACH = 256, 4  # rows that are written together, and around them that enlarging looks at


class Network(Protocol):
    """Restores pictures; `restorer.Restorer` and `restorer.Deferred` do."""

    def __call__(self, picture: Picture, progress: Progress = unwatched) -> Picture:
        """The restored picture."""
        ...

    def restore(self, pixels: np.ndarray, *, progress: Progress = unwatched) -> np.ndarray:
        """Restored pixels, of the same shape and type."""
        ...


@dataclass(frozen=True)
class Blind:
    """A network for pictures of whose blur nothing is known; call it with a picture."""

    network: Network

    def __call__(self, picture: Picture, progress: Progress = unwatched) -> Picture:
        """The restored picture, of the same size, depth and kind; its alpha is kept as it is.

        progress: called as parts of the work are done.
        """
        times = self.times(picture.pixels)
        if times == 1:
            return self.network(picture, progress)
        small = reduced(picture.pixels, times)
        restored = self.network.restore(small, progress=progress)
        return picture.with_pixels(_enlarged(picture.pixels, small, restored, times))

    def times(self, pixels: np.ndarray) -> int:
        """How many times smaller the network is to see a picture ``(H, W, C)``."""
        tried = [times for times in TIMES if min(pixels.shape[:2]) >= times * _LEAST_SIDE]
        luma = central_luma(pixels)
        rows, columns = (
            slice(part.start + (length - seen) // 2, part.stop + (length - seen) // 2)
            for part, length, seen in zip(shake.place(luma, _LOOKED), pixels.shape, luma.shape)
        )
        return max(self._worth(pixels, rows, columns, tried))[1]

    def _worth(self, pixels: np.ndarray, rows: slice, columns: slice, tried: Sequence[int]) -> list[tuple[float, int]]:
        """The mean square of the change that is kept in a part, at each size at which it is not sharp."""
        worth = []
        for times in tried:
            around = tuple(_grown(each, times, length) for each, length in zip((rows, columns), pixels.shape))
            small = reduced(pixels[around], times)
            if times > 1 and edges.sharpness(to_luma(small)) >= _SHARP:
                break
            restored = self.network.restore(small)
            change = reliability.shares_of_pixels(small, restored) * (to_luma(restored) - to_luma(small))
            inside = tuple(
                slice((part.start - each.start) // times, (part.stop - each.start) // times)
                for part, each in zip((rows, columns), around)
            )
            worth.append((float(np.square(change[inside]).mean()), times))
        return worth or [(0.0, 1)]


def _grown(part: slice, times: int, length: int) -> slice:
    """A part with what lies around it, begun at a multiple of so many pixels."""
    begin, end = part.start - times * _AROUND, part.stop + times * _AROUND
    return slice(max(0, begin) // times * times, min(end, length))


def reduced(pixels: np.ndarray, times: int) -> np.ndarray:
    """A picture ``(H, W, C)`` so many times smaller, in 16 bits where it is; rows and columns that are left over go."""
    if times == 1:
        return pixels
    height, width = (length // times for length in pixels.shape[:2])
    small = np.empty((height, width, pixels.shape[2]), np.uint16)
    for first in range(0, height, _STRIP):
        strip = to_float(pixels[first * times : min(first + _STRIP, height) * times, : width * times])
        rows = len(strip) // times
        made = cv2.resize(strip, (width, rows), interpolation=cv2.INTER_AREA).reshape(rows, width, -1)
        small[first : first + rows] = from_float(made, np.uint16)
    return small


def _enlarged(pixels: np.ndarray, small: np.ndarray, restored: np.ndarray, times: int) -> np.ndarray:
    """A picture with the change, so far as it is kept, that a network made in the smaller picture."""
    share, made = reliability.shares_of_pixels(small, restored), np.empty_like(pixels)
    height, width = (length * times for length in small.shape[:2])
    missing = (0, pixels.shape[0] - height), (0, pixels.shape[1] - width), (0, 0)
    for first in range(0, len(small), _STRIP):
        seen = slice(max(0, first - _REACH), first + _STRIP + _REACH)
        change = share[seen, :, None] * (to_float(restored[seen]) - to_float(small[seen]))
        wide = cv2.resize(change, (width, len(change) * times), interpolation=cv2.INTER_CUBIC)
        wide = wide.reshape(len(wide), width, -1)[(first - seen.start) * times :][: _STRIP * times]
        is_last = first + _STRIP >= len(small)
        grown = np.pad(wide, (missing[0] if is_last else (0, 0), *missing[1:]), mode="edge")
        rows = slice(first * times, first * times + len(grown))
        made[rows] = from_float(to_float(pixels[rows]) + grown, pixels.dtype)
    return made
