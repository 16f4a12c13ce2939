"""Pages of letters: what is written on them, and the picture, as a scanner or a camera sees it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, MARGIN = 600, 400, 24
FONTS = ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "DejaVuSansMono", "DejaVuSerif-Bold")
SIZES = (18, 20, 24, 28)
_INK, _PAPER = 0.12, 0.93  # of a scanned page
_SHADE = (0.35, 0.75)  # share of the light in the darkest corner of a photographed page
_TINT = np.array([1.0, 0.97, 0.9])  # paper under a lamp
SENTENCES = (
    "The light in the old harbour was soft that morning.",
    "Please return this form before the end of the month.",
    "A tripod keeps the camera still while the shutter is open.",
    "We counted forty birds on the wire above the station.",
    "The invoice lists two lenses, a filter and a leather bag.",
    "Nobody remembered who had taken the first photograph.",
    "Turn the ring slowly until the letters look sharp.",
    "Her notes were written in pencil on thin yellow paper.",
    "The museum opens at nine and closes at half past five.",
    "Rain had washed most of the chalk from the wall.",
    "Keep the negatives in a cool and dry place.",
    "He measured the room twice and drew a careful plan.",
    "Short exposures need more light or a wider aperture.",
    "The train to the coast leaves from platform seven.",
    "Every page of the album has a date and a name.",
    "They agreed on a price and shook hands.",
    "Wind moved the branches during the long exposure.",
    "The label on the box says: do not bend.",
    "Children ran across the square when the bell rang.",
    "A blurred sign can often still be read by a machine.",
)


@dataclass(frozen=True)
class Page:
    """A page: what is written on it, and its picture of 8 bits, ``(400, 600, 1)`` scanned, ``(400, 600, 3)`` in colour.

    kind: ``scanned``, in even light, or ``photographed``, under a lamp.
    """

    name: str
    kind: str
    text: str
    pixels: np.ndarray


def page(index: int) -> Page:
    """The page of a number from 0 on; even ones are scanned, odd ones photographed.

    The first 20 have each font in each size once.
    """
    rng = np.random.default_rng(index)
    name, size = FONTS[index % len(FONTS)], SIZES[index % len(SIZES)]
    kind = "photographed" if (index // 2 + index) % 2 else "scanned"
    lines = _lines(rng, _font(name, size), HEIGHT - 2 * MARGIN, size)
    paper = _drawn(lines, _font(name, size), size)
    seen = _photographed(paper, rng) if kind == "photographed" else paper[..., None]
    pixels = np.round(255 * np.clip(seen, 0, 1)).astype(np.uint8)
    return Page(f"{index:02d}-{name}-{size}", kind, "\n".join(lines), pixels)


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font that matplotlib brings along; size: in pixels."""
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)


def _lines(rng: np.random.Generator, font: ImageFont.FreeTypeFont, height: int, size: int) -> list[str]:
    """Sentences in an order by chance, in lines that fill a page."""
    words = " ".join(SENTENCES[index] for index in rng.permutation(len(SENTENCES))).split()
    lines: list[str] = []
    while words and len(lines) < height // _pitch(size):
        line = words.pop(0)
        while words and font.getlength(f"{line} {words[0]}") <= WIDTH - 2 * MARGIN:
            line += f" {words.pop(0)}"
        lines.append(line)
    return lines


def _pitch(size: int) -> int:
    """From one line to the next, in pixels."""
    return round(1.5 * size)


def _drawn(lines: list[str], font: ImageFont.FreeTypeFont, size: int) -> np.ndarray:
    """Black letters on white paper, float32 ``(H, W)`` in [0, 1]."""
    canvas = Image.new("L", (WIDTH, HEIGHT), round(255 * _PAPER))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((MARGIN, MARGIN + number * _pitch(size)), line, fill=round(255 * _INK), font=font)
    return np.asarray(canvas, np.float32) / 255


def _photographed(paper: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The page under a lamp that stands to one side, in colour, float32 ``(H, W, 3)``."""
    down, right = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    lamp = rng.uniform(-0.2, 1.2, 2)
    distance = np.hypot(down - lamp[0], right - lamp[1])
    light = 1 - (1 - rng.uniform(*_SHADE)) * (distance / distance.max()) ** 1.5
    return paper[..., None] * light[..., None] * _TINT
