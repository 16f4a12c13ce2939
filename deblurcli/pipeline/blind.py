"""Restoration by a network that is given nothing but the picture, at the size at which it does most.

A network knows blurs up to some width. In a picture made smaller a wide blur is a narrow one, and what the network
changes there can be brought back to full size. Which size is best shows what is kept of the change (see `reliability`):
an estimate that is right on the mean takes the square of its change off the squared error. So the size is taken at
which that square, on the mean over the part of the picture with most to see, is largest. A size at which the picture
looks sharp is not tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from deblurcli.estimation import edges, views
from deblurcli.inference import reliability
from deblurcli.pictures import cells
from deblurcli.pictures.images import Picture, from_float, to_float
from deblurcli.pictures.luma import to_luma
from deblurcli.pictures.tiles import Progress, unwatched

TIMES = 1, 2, 4  # how many times smaller a picture may be looked at
_LEAST_SIDE = 128  # pixels that it keeps
_LOOKED = 448  # pixels a side of the part by which the size is chosen
_AROUND = 64  # pixels around that part that the network sees as well, at the size that it sees
_WHOLE = 2 * (_LOOKED + 2 * _AROUND) ** 2  # pixels of a picture up to which it is looked at as a whole
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
class Look:
    """A part of a picture as the network sees it, so many times smaller, and what it makes of that.

    is_whole: whether the part is all of the picture.
    inside: rows and columns by which sizes are compared.
    """

    times: int
    is_whole: bool
    small: np.ndarray
    restored: np.ndarray
    inside: tuple[slice, ...]

    @property
    def worth(self) -> float:
        """The mean square of the change that is kept."""
        before, after = to_luma(self.small), to_luma(self.restored)
        share = reliability.shares(self.small, self.restored)
        change = cells.at_pixels(share, reliability.CELL, slice(0, len(before)), before.shape[1]) * (after - before)
        return float(np.square(change[self.inside]).mean())


@dataclass(frozen=True)
class Blind:
    """A network for pictures of whose blur nothing is known; call it with a picture."""

    network: Network

    def __call__(self, picture: Picture, progress: Progress = unwatched) -> Picture:
        """The restored picture, of the same size, depth and kind; its alpha is kept as it is.

        progress: called as parts of the work are done.
        """
        best = self.best(picture.pixels)
        if best is None or (best.times == 1 and not best.is_whole):
            return self.network(picture, progress)
        small, restored = best.small, best.restored
        if best.is_whole:
            progress(1)
        else:
            small = reduced(picture.pixels, best.times)
            restored = self.network.restore(small, progress=progress)
        if best.times == 1:
            return picture.with_pixels(restored)
        return picture.with_pixels(_enlarged(picture.pixels, small, restored, best.times))

    def best(self, pixels: np.ndarray) -> Look | None:
        """The look at a picture ``(H, W, C)`` that is worth most; None where there is but one size to look at it."""
        part = _compared(pixels)
        seen = list(_seen(pixels, part))
        if len(seen) == 1:
            return None
        looks = (self._look(pixels, part, *each) for each in seen)
        return max(looks, key=lambda look: look.worth)

    def _look(
        self, pixels: np.ndarray, part: tuple[slice, ...], times: int, around: tuple[slice, ...], small: np.ndarray
    ) -> Look:
        """What the network makes of a part with what lies around it."""
        inside = tuple(
            slice((each.start - wide.start) // times, (each.stop - wide.start) // times)
            for each, wide in zip(part, around)
        )
        is_whole = all(wide == slice(0, length) for wide, length in zip(around, pixels.shape))
        return Look(times, is_whole, small, self.network.restore(small), inside)


def _compared(pixels: np.ndarray) -> tuple[slice, ...]:
    """The rows and columns of a picture by which sizes are compared: those with most to see; of a small one, all."""
    if pixels.shape[0] * pixels.shape[1] <= _WHOLE:
        return tuple(slice(0, length) for length in pixels.shape[:2])
    return views.detailed(pixels, _LOOKED)


def _seen(pixels: np.ndarray, part: tuple[slice, ...]) -> Iterator[tuple[int, tuple[slice, ...], np.ndarray]]:
    """The sizes at which a picture may be looked at, the part with what lies around it, and its pixels at that size.

    They end where the picture would be too small or looks sharp.
    """
    for times in TIMES:
        if times > 1 and min(pixels.shape[:2]) < times * _LEAST_SIDE:
            return
        around = tuple(_grown(each, times, length) for each, length in zip(part, pixels.shape))
        small = reduced(pixels[around], times)
        if times > 1 and edges.sharpness(to_luma(small)) >= _SHARP:
            return
        yield times, around, small


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
    shares, made = reliability.shares(small, restored), np.empty_like(pixels)
    height, width = (length * times for length in small.shape[:2])
    missing = (0, pixels.shape[0] - height), (0, pixels.shape[1] - width), (0, 0)
    for first in range(0, len(small), _STRIP):
        seen = slice(max(0, first - _REACH), min(first + _STRIP + _REACH, len(small)))
        share = cells.at_pixels(shares, reliability.CELL, seen, small.shape[1])[..., None]
        change = share * (to_float(restored[seen]) - to_float(small[seen]))
        wide = cv2.resize(change, (width, len(change) * times), interpolation=cv2.INTER_CUBIC)
        wide = wide.reshape(len(wide), width, -1)[(first - seen.start) * times :][: _STRIP * times]
        is_last = first + _STRIP >= len(small)
        grown = np.pad(wide, (missing[0] if is_last else (0, 0), *missing[1:]), mode="edge")
        rows = slice(first * times, first * times + len(grown))
        made[rows] = from_float(to_float(pixels[rows]) + grown, pixels.dtype)
    return made
