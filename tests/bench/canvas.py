"""A sheet to draw charts and screenshots on, with hard or smooth edges."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Places = Sequence[tuple[float, float]] | Sequence[float] | np.ndarray

WHITE, BLACK, GREY, PALE = (255, 255, 255), (0, 0, 0), (128, 128, 128), (238, 240, 243)


class Pen:
    """Draws shapes as Pillow does, everything so many times larger; coordinates are (x, y), a box two of them."""

    def __init__(self, image: Image.Image, times: int) -> None:
        self._pen, self._times = ImageDraw.Draw(image), times

    def _scaled(self, places: Places) -> list[float]:
        return (self._times * np.asarray(places, float)).ravel().tolist()

    def line(self, places: Places, colour: Colour, width: int = 1) -> None:
        """Lines from place to place."""
        joint = "curve" if len(places) > 2 else None
        self._pen.line(self._scaled(places), colour, self._times * width, joint)

    def rectangle(
        self, box: Places, colour: Colour | None = None, edge: Colour | None = None, width: int = 1, round: int = 0
    ) -> None:
        """A rectangle with an edge, its corners round with that radius."""
        if round:
            self._pen.rounded_rectangle(self._scaled(box), self._times * round, colour, edge, self._times * width)
        else:
            self._pen.rectangle(self._scaled(box), colour, edge, self._times * width)

    def ellipse(self, box: Places, colour: Colour | None = None, edge: Colour | None = None, width: int = 1) -> None:
        """An ellipse in a box."""
        self._pen.ellipse(self._scaled(box), colour, edge, self._times * width)

    def polygon(self, places: Places, colour: Colour, edge: Colour | None = None, width: int = 1) -> None:
        """A polygon with an edge."""
        self._pen.polygon(self._scaled(places), colour, edge, self._times * width)

    def slice(self, box: Places, begin: float, end: float, colour: Colour, edge: Colour) -> None:
        """A slice of an ellipse between angles in degrees."""
        self._pen.pieslice(self._scaled(box), begin, end, colour, edge, 2 * self._times)

    def arc(self, box: Places, begin: float, end: float, colour: Colour, width: int) -> None:
        """The outline of an ellipse between angles in degrees."""
        self._pen.arc(self._scaled(box), begin, end, colour, self._times * width)

    def text(self, place: tuple[float, float], text: str, size: int, colour: Colour) -> None:
        """A line of text, its top left corner at a place."""
        x, y = self._scaled(place)
        self._pen.text((x, y), text, fill=colour, font=_font(self._times * size))


class Sheet:
    """Something to draw on, and its pen.

    finer: how many times larger it is while it is drawn. With 1, edges are hard; with more, they are smooth.
    """

    def __init__(self, width: int, height: int, ground: Colour = WHITE, finer: int = 1) -> None:
        self.width, self.height, self._finer = width, height, finer
        self.image = Image.new("RGB", (finer * width, finer * height), ground)
        self.pen = Pen(self.image, finer)

    def text(self, place: tuple[float, float], text: str, size: int = 14, colour: Colour = BLACK) -> None:
        """A line of text, its top left corner at a place (x, y)."""
        self.pen.text(place, text, size, colour)

    def grid(self, place: tuple[float, float], text: str, colour: Colour) -> None:
        """A line of text whose characters are all as wide, as terminals show it."""
        for index, character in enumerate(text):
            self.text((place[0] + 9 * index, place[1]), character, 14, colour)

    def axes(self) -> tuple[int, int, int, int]:
        """The axes of a chart with pale lines and numbers; their box: left, top, right, bottom."""
        left, top, right, bottom = 60, 40, self.width - 30, self.height - 50
        for index, y in enumerate(np.linspace(bottom, top, 6).astype(int).tolist()):
            self.pen.line([(left, y), (right, y)], PALE)
            self.text((left - 34, y - 8), f"{20 * index}")
        self.pen.line([(left, top), (left, bottom)], BLACK, 2)
        self.pen.line([(left, bottom), (right, bottom)], BLACK, 2)
        return left, top, right, bottom

    def pixels(self) -> np.ndarray:
        """What was drawn, uint8 ``(H, W, 3)``."""
        return np.asarray(self.image.reduce(self._finer)).copy()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # comes with Pillow
