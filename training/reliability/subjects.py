"""What the scenes show: photographs and drawings, patterns that repeat, and writing, some of it soft."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deblurcli.pictures.images import to_float
from training.data.degradation import piece
from training.data.sources import Pictures, fitted_photographs, fitting_split
from training.recipe import Recipe

_DRAWN, _REPEATING, _WRITTEN = 0.1, 0.12, 0.1  # shares; the others are photographs
_SIDES = 320, 400, 480, 560  # pixels, at most
_REDUCED = 0.25  # share of those made smaller, and so sharper
_PERIODS = 10, 90  # pixels
_LETTERS = np.array([*"abcdefghijklmnopqrstuvwxyzeeeetttaaooiinnABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;-"])
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


class Subjects:
    """Sharp pictures, of those that a recipe fits on and made of them."""

    def __init__(self, pictures: Pictures, recipe: Recipe):
        self._pictures = pictures
        count = len(pictures)
        fitted = np.sort(fitting_split(recipe, count)[0])
        self._photographs = np.sort(fitted_photographs(recipe, count))
        self._drawings = fitted[fitted >= count - recipe.data.drawings]

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """A sharp picture, float32 ``(H, W, 3)`` in [0, 1], and the number of the one that it was made of."""
        share = rng.random()
        is_drawn = share < _DRAWN and len(self._drawings) > 0
        number = int(rng.choice(self._drawings if is_drawn else self._photographs))
        picture = self._piece(number, rng)
        if _DRAWN <= share < _DRAWN + _REPEATING:
            picture = repeating(picture, rng)
        elif _DRAWN + _REPEATING <= share < _DRAWN + _REPEATING + _WRITTEN:
            picture = written(picture, rng)
        return picture, number

    def _piece(self, number: int, rng: np.random.Generator) -> np.ndarray:
        picture = to_float(self._pictures[number])
        size = tuple(min(int(rng.choice(_SIDES)), length) for length in picture.shape[:2])
        sharp, margin = piece(picture, (size[0], size[1]), 1.0, rng)
        inside = tuple(slice(margin, length - margin) for length in sharp.shape[:2])
        sharp = np.ascontiguousarray(sharp[inside])
        if rng.random() < _REDUCED and min(size) > 260:
            scale = rng.uniform(0.6, 1)
            sharp = cv2.resize(sharp, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return sharp


def softened(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture as a plain lens or a larger copy shows it, of the same size."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.8))
    height, width = picture.shape[:2]
    times = rng.uniform(1.2, 2.2)
    cut = picture[: int(height / times), : int(width / times)]
    how = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]))
    return np.clip(cv2.resize(cut, (width, height), interpolation=how), 0, 1)


def repeating(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A wall, a fence or a cloth: a patch of a picture over and over, each a little different, with joints or none."""
    height, width = picture.shape[:2]
    rows, columns = (int(np.exp(rng.uniform(*np.log(_PERIODS)))) for _ in range(2))
    top, left = (int(rng.integers(length - side + 1)) for length, side in zip((height, width), (rows, columns)))
    cell = picture[top : top + rows, left : left + columns]
    joint, offset = int(rng.integers(0, 4)), int(rng.choice([0, columns // 2, columns // 3]))
    tone, unlike = np.float32(rng.uniform(0, 1)), rng.uniform(0, 0.35)
    down, along = height // rows + 1, width // columns + 1
    wall = np.empty((down * rows, along * columns, 3), np.float32)
    for row in range(down):
        for column in range(along):
            place = slice(row * rows, (row + 1) * rows), slice(column * columns, (column + 1) * columns)
            wall[place] = cell * np.float32(1 + unlike * rng.uniform(-1, 1))
            if joint:
                wall[place][:joint] = wall[place][:, :joint] = tone
        begun = row * rows
        wall[begun : begun + rows] = np.roll(wall[begun : begun + rows], (row % 2) * offset, axis=1)
    wall = wall[:height, :width]
    strength = np.float32(rng.uniform(0, 0.6))  # of what else the picture shows
    return np.clip(wall * (1 - strength) + strength * picture, 0, 1)


def written(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lines of letters on paper, or on a picture that is faint or not."""
    height, width = picture.shape[:2]
    paper = np.float32(rng.uniform(0.6, 1) if rng.random() < 0.8 else rng.uniform(0, 0.3))
    seen = np.float32(rng.choice([0, 0, rng.uniform(0, 0.3), rng.uniform(0.5, 1)]))
    page = Image.fromarray(np.rint(255 * (paper * (1 - seen) + picture * seen)).astype(np.uint8))
    size, ink = float(np.exp(rng.uniform(np.log(9), np.log(60)))), (float(paper) < 0.5)
    colour = tuple(int(255 * abs(ink - part)) for part in rng.uniform(0, 0.35) * rng.random(3))
    top = float(rng.uniform(0, size))
    by_pillow, font, thick = rng.random() < 0.5, int(rng.choice(_FONTS)), int(rng.integers(1, 3 + int(size > 25)))
    while top < height:
        line = "".join(rng.choice(_LETTERS, int(rng.integers(1, 9)))) + " "
        while len(line) * size < 3 * width and rng.random() < 0.93:
            line += "".join(rng.choice(_LETTERS, int(rng.integers(1, 11)))) + " "
        left = float(rng.uniform(0, width / 4))
        if by_pillow:
            ImageDraw.Draw(page).text((left, top), line, fill=colour, font=ImageFont.load_default(size))
        else:
            canvas = np.array(page)
            at = int(left), int(top + size)
            cv2.putText(canvas, line, at, font, size / 30, colour, thick, cv2.LINE_AA)
            page = Image.fromarray(canvas)
        top += size * float(rng.uniform(1.2, 2.2))
    return to_float(np.array(page))
