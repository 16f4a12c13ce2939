"""Drawing a contact sheet: scaled pictures, text and geometry, on arrays.

A *sheet* is uint8 ``(H, W, 3)`` RGB: a line of titles, below it *strips* of *cells*, all in columns of one width.
Lengths are in pixels, or in sizes of the type (*em*), which goes with the width of a cell.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from deblurcli.pictures.images import from_float, to_float

TALLEST = 2  # a picture's height, in widths of a cell
WIDTH_IN_EMS, SMALLEST_EM, LARGEST_EM = 16, 11, 40
MARGIN, GAP, ROW_GAP, LEADING, LABEL_GAP, TITLE_GAP = 1.5, 0.9, 1.1, 1.4, 0.45, 0.3  # in ems
NARROWEST_IN_EMS = 8  # a column, so that a score fits into it
CHECKER, CHECKER_TONES = 8, (255, 220)

PAPER, FRAME, BLANK = (255, 255, 255), (205, 205, 205), (244, 244, 244)
INK, FAINT, WARNING = (25, 25, 25), (120, 120, 120), (170, 35, 25)
REGULAR, SEMIBOLD = 400, 600


@dataclass(frozen=True)
class Cell:
    """A picture as it is shown, with a label above.

    picture: uint8 ``(H, W, 3)``, or None. label: parts that are joined with commas, in as many lines as it takes.
    note: what stands in place of a missing picture. warns: whether the label tells that something is wrong.
    """

    picture: np.ndarray | None
    label: tuple[str, ...] = ()
    note: str = ""
    warns: bool = False


def height(strip: Sequence[Cell]) -> int:
    """Of the tallest picture in a row; 0 when there is none."""
    return max((cell.picture.shape[0] for cell in strip if cell.picture is not None), default=0)


def reduced(pixels: np.ndarray, alpha: np.ndarray | None, width: int) -> np.ndarray:
    """A picture as it is shown: uint8 ``(H, W, 3)``, at most `width` wide and `TALLEST` times as tall.

    pixels: uint8 or uint16 ``(H, W, 1 or 3)``; alpha: ``(H, W)`` of the same type, straight, or None.

    A larger picture is averaged over areas; the pixels of a smaller one become squares, by a whole factor.
    Transparency lies over a checkerboard.
    """
    scale = min(width / pixels.shape[1], TALLEST * width / pixels.shape[0])
    shown = _scaled(pixels, scale) if alpha is None else _over_checkers(to_float(pixels), to_float(alpha), scale)
    shown = shown if shown.dtype == np.uint8 else from_float(to_float(shown), np.uint8)
    return np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown


def _scaled(array: np.ndarray, scale: float) -> np.ndarray:
    """An array (H, W, C) at a scale; from 1 on, at the whole number below it."""
    if scale >= 1:
        return array.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    tall, wide = (max(1, round(side * scale)) for side in array.shape[:2])
    return cv2.resize(np.ascontiguousarray(array), (wide, tall), interpolation=cv2.INTER_AREA).reshape(tall, wide, -1)


def _over_checkers(pixels: np.ndarray, alpha: np.ndarray, scale: float) -> np.ndarray:
    """A picture over a checkerboard, float32; colours are weighted with alpha before they are averaged."""
    share = _scaled(alpha[..., None], scale)
    rows, columns = (np.arange(side) // CHECKER % 2 for side in share.shape[:2])
    board = np.array(CHECKER_TONES, np.float32)[rows[:, None] ^ columns] / 255
    return _scaled(pixels * alpha[..., None], scale) + (1 - share) * board[..., None]


@cache
def _font() -> cv2.FontFace:
    """OpenCV's own font, which has the letters of most languages."""
    return cv2.FontFace("sans")


def plain(text: str) -> str:
    """A text fit to be drawn: accents joined to their letters, and ? for what cannot be printed."""
    known = text.encode("utf-8", "replace").decode("utf-8")  # OpenCV crashes on half characters
    return "".join(char if char.isprintable() else "?" for char in unicodedata.normalize("NFC", known))


def extent(text: str, em: int, weight: int = REGULAR) -> int:
    """The width of a text in pixels."""
    return cv2.getTextSize((0, 0), text, (0, 0), _font(), em, weight)[2]


def shortened(text: str, room: int, em: int, weight: int = REGULAR) -> str:
    """A text that fits into a width in pixels; where it does not, an ellipsis stands for its middle."""

    def cut(kept: int) -> str:
        return f"{text[: (kept + 1) // 2].rstrip()}…{text[len(text) - kept // 2 :].lstrip()}"

    if extent(text, em, weight) <= room:
        return text
    return cut(bisect_left(range(1, len(text)), True, key=lambda kept: extent(cut(kept), em, weight) > room))


def wrapped(parts: Sequence[str], room: int, em: int) -> list[str]:
    """Parts joined with commas, in as few lines as a width in pixels allows."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}, {part}" if lines else part
        if lines and extent(joined, em) <= room:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


@dataclass(frozen=True)
class Grid:
    """Where things are on a sheet: the size of the type, and how many columns of what width there are."""

    em: int
    column: int
    columns: int

    def ems(self, share: float) -> int:
        """A length in pixels that is given in sizes of the type."""
        return round(share * self.em)

    @property
    def width(self) -> int:
        """Of the sheet."""
        return 2 * self.ems(MARGIN) + self.columns * self.column + (self.columns - 1) * self.ems(GAP)

    @property
    def centres(self) -> list[int]:
        """The middles of the columns."""
        begin = self.ems(MARGIN) + self.column // 2
        return [begin + index * (self.column + self.ems(GAP)) for index in range(self.columns)]

    @property
    def heading(self) -> int:
        """How far down the sheet the first strip begins."""
        return self.ems(MARGIN) + self.ems(LEADING) + self.ems(TITLE_GAP)

    def lines(self, strip: Sequence[Cell]) -> list[list[str]]:
        """The labels of a strip, each as lines."""
        return [wrapped([plain(part) for part in cell.label], self.column, self.em) for cell in strip]

    def above(self, strip: Sequence[Cell]) -> int:
        """The height of the labels of a strip, with the gap below them."""
        return self.ems(LEADING) * max(map(len, self.lines(strip))) + self.ems(LABEL_GAP)

    def below(self, strip: Sequence[Cell]) -> int:
        """The height of the pictures of a strip."""
        return height(strip) or self.column // 2


def grid(strips: Sequence[Sequence[Cell]], width: int) -> Grid:
    """The grid for strips in cells of a width; columns are narrower when neither picture nor label fills them."""
    em = min(max(width // WIDTH_IN_EMS, SMALLEST_EM), LARGEST_EM)
    cells = [cell for strip in strips for cell in strip]
    shown = max((cell.picture.shape[1] for cell in cells if cell.picture is not None), default=0)
    label = max(extent(", ".join(map(plain, cell.label)), em) for cell in cells)
    return Grid(em, max(shown, min(label, width), NARROWEST_IN_EMS * em), len(strips[0]))


def draw(strips: Sequence[Sequence[Cell]], titles: Sequence[str], width: int) -> np.ndarray:
    """The sheet of strips of equally many cells, under as many titles, in cells of a width."""
    made = grid(strips, width)
    heights = [made.above(strip) + made.below(strip) for strip in strips]
    total = made.heading + sum(heights) + made.ems(ROW_GAP) * (len(strips) - 1) + made.ems(MARGIN)
    sheet = np.full((total, made.width, 3), PAPER, np.uint8)
    for centre, title in zip(made.centres, titles):
        _write(sheet, plain(title), (centre, made.ems(MARGIN) + made.em), made, INK, SEMIBOLD)
    top = made.heading
    for strip, tall in zip(strips, heights):
        _draw_strip(sheet[top : top + tall + 1], strip, made)  # one more, for the frame
        top += tall + made.ems(ROW_GAP)
    return sheet


def _draw_strip(band: np.ndarray, strip: Sequence[Cell], made: Grid) -> None:
    """Labels, which stand on one line, and the pictures below them, into the strip's part of the sheet."""
    above, below = made.above(strip), made.below(strip)
    for centre, cell, lines in zip(made.centres, strip, made.lines(strip)):
        for index, line in enumerate(reversed(lines)):
            baseline = above - made.ems(LABEL_GAP) - made.ems((LEADING - 1) / 2 + 0.2) - index * made.ems(LEADING)
            _write(band, line, (centre, baseline), made, WARNING if cell.warns else INK)
        if cell.picture is None:
            _draw_blank(band[above : above + below], cell.note, centre, made)
        else:
            _draw_picture(band, cell.picture, centre - cell.picture.shape[1] // 2, above)


def _draw_picture(band: np.ndarray, picture: np.ndarray, x: int, y: int) -> None:
    """A picture, and a thin frame around it, so that white ones end somewhere."""
    tall, wide = picture.shape[:2]
    cv2.rectangle(band, (x - 1, y - 1), (x + wide, y + tall), FRAME, 1)
    band[y : y + tall, x : x + wide] = picture


def _draw_blank(space: np.ndarray, note: str, centre: int, made: Grid) -> None:
    """What stands where a picture is missing: a pale field as large as the cell, and a note."""
    begin = centre - made.column // 2
    space[:, begin : begin + made.column] = BLANK
    _write(space, note, (centre, (len(space) + made.ems(0.7)) // 2), made, FAINT)


def _write(
    place: np.ndarray, text: str, middle: tuple[int, int], made: Grid, colour: tuple, weight: int = REGULAR
) -> None:
    """A text of at most a column's width; `middle` is the middle of its baseline, (x, y)."""
    fitted = shortened(text, made.column, made.em, weight)
    begin = middle[0] - extent(fitted, made.em, weight) // 2
    cv2.putText(place, fitted, (begin, middle[1]), colour, _font(), made.em, weight)
