"""Images side by side under titles, as a notebook shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deblurcli.errors import ImageError
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture, checked
from deblurcli.reports import drawing

WIDTH = 400  # of a column, in pixels


@dataclass(frozen=True)
class SideBySide:
    """A drawing of several images; a notebook shows it where it is the last value of a cell.

    pixels: uint8 ``(H, W, 3)``.
    """

    pixels: np.ndarray

    def save(self, path: str | Path) -> None:
        """Write it as a picture, in the format that the ending of its name says; ImageError where that fails."""
        images.write_picture(path, Picture(self.pixels))

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return images.encode(Picture(self.pixels), "png")


def show(*, width: int = WIDTH, **pictures: np.ndarray) -> SideBySide:
    """Images side by side, under the names that they are given by: ``show(blurred=a, restored=b)``.

    pictures: images ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16. Larger ones are reduced to a width; the
    pixels of smaller ones become squares.
    width: of a column, 32 pixels or more.

    >>> import numpy as np
    >>> from deblurcli import show
    >>> show(black=np.zeros((40, 60, 3)), white=np.ones((40, 60, 1))).pixels.shape[2]
    3

    Raises ImageError when one is no image, or there is none.
    """
    if not pictures:
        raise ImageError("there is nothing to show; give images with their titles, such as show(blurred=a, restored=b)")
    shown = [drawing.reduced(_eight_bits(image), None, width) for image in pictures.values()]
    cells = [drawing.Cell(image) for image in shown]
    return SideBySide(drawing.draw([cells], [title.replace("_", " ") for title in pictures], width))


def _eight_bits(image: np.ndarray) -> np.ndarray:
    """An image as uint8."""
    return images.from_float(images.to_float(checked(image)), np.uint8)
