"""Parts of pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from deblurcli.errors import ImageError
from deblurcli.pictures.images import Picture, to_float

_LOOKED_AT = 640  # pixels of a picture's longer side, to find where its detail is
_STRONG = 0.2  # edges stronger than this, such as those of lamps, count as this

Rows = tuple[slice, slice]  # of rows and of columns


@dataclass(frozen=True)
class Crop:
    """A part of a picture in pixels.

    x, y: of its upper left corner; None for the middle, where as much of it is taken as there is.
    """

    width: int
    height: int
    x: int | None = None
    y: int | None = None

    @classmethod
    def parse(cls, text: str) -> Crop:
        """The crop that ``X,Y,W,H`` or ``centre:SIDE`` means.

        >>> Crop.parse("10,20,300,200")
        Crop(width=300, height=200, x=10, y=20)
        >>> Crop.parse("centre:512")
        Crop(width=512, height=512, x=None, y=None)
        """
        _, colon, side = text.partition(":")
        if colon:
            return cls(int(side), int(side))
        x, y, width, height = map(int, text.split(","))
        return cls(width, height, x, y)

    def within(self, size: tuple[int, int]) -> Rows:
        """Rows and columns of the part in a picture of that width and height; ImageError when it is not all inside."""
        places = []
        for at, length, whole in ((self.y, self.height, size[1]), (self.x, self.width, size[0])):
            kept = min(length, whole) if at is None else length
            first = (whole - kept) // 2 if at is None else at
            if first + kept > whole:
                asked = f"{self.x},{self.y},{self.width},{self.height}"
                raise ImageError(f"{size[0]}×{size[1]} pixels do not hold {asked}; choose another --crop")
            places.append(slice(first, first + kept))
        return places[0], places[1]


def grown(part: Rows, by: int, size: tuple[int, int]) -> Rows:
    """Rows and columns so many pixels farther each way, as far as a picture of that width and height goes."""
    rows, columns = (
        slice(max(0, each.start - by), min(whole, each.stop + by)) for each, whole in zip(part, (size[1], size[0]))
    )
    return rows, columns


def inside(part: Rows, outer: Rows) -> Rows:
    """Where a part lies in a larger one."""
    rows, columns = (slice(each.start - of.start, each.stop - of.start) for each, of in zip(part, outer))
    return rows, columns


def cut(picture: Picture, part: Rows) -> Picture:
    """A part of a picture, as a picture."""
    alpha = None if picture.alpha is None else np.ascontiguousarray(picture.alpha[part])
    return replace(picture, pixels=np.ascontiguousarray(picture.pixels[part]), alpha=alpha)


def most_detailed(picture: Picture, width: int, height: int) -> Rows:
    """Rows and columns of the part of a size, or of less where the picture is smaller, that has the most edges."""
    wide, tall = min(width, picture.size[0]), min(height, picture.size[1])
    scale = min(1.0, _LOOKED_AT / max(picture.size))
    grey = to_float(np.ascontiguousarray(picture.pixels)).mean(axis=2)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = np.abs(cv2.Laplacian(small, cv2.CV_32F))
    sums = cv2.integral(np.minimum(edges, _STRONG))
    down, across = (max(1, min(round(side * scale), length)) for side, length in zip((tall, wide), small.shape))
    totals = sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across] + sums[:-down, :-across]
    top, left = np.unravel_index(np.argmax(totals), totals.shape)
    first, begin = min(round(top / scale), picture.size[1] - tall), min(round(left / scale), picture.size[0] - wide)
    return slice(first, first + tall), slice(begin, begin + wide)
