"""Sixteen photographs that real cameras blurred: ``python -m tests.bench.shake real``. No sharp picture exists of them.

Writes a sheet for each into the folder `--out`: blurred, ours and what was published, side by side, first the whole
pictures 500 pixels high, then the 350 × 350 pixels with the most detail at their own size. Prints what the report says
of each. Look at the sheets, and say which is better.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from deblurcli.choices import REFINE
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from tests.bench.canvas import BLACK, PALE, Sheet
from tests.bench.shake import markdown, tool
from tests.bench.shake.options import Options

BLURRED, PUBLISHED = "real/blurred", "real/published"
TITLES = ("blurred", "deblur", "published")
TALL, CROP = 500, 350  # pixels
_GAP, _HEAD = 8, 26
_CLIPPED = 250  # of 255: what is brighter than this, and what is near it, is no detail but a light
_BRIGHT_REACH = 31


def main(options: Options) -> None:
    """Write the sheets and print the table."""
    files = {path.stem: path for path in options.pictures(BLURRED)}
    restored = tool.deblurred(files)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        published = options.data / PUBLISHED / f"{name}.png"
        pictures = [
            images.read_picture(path).pixels,
            restored[name].pixels,
            images.read_picture(published).pixels if published.is_file() else None,
        ]
        images.write_picture(options.out / f"{name}.png", Picture(sheet(pictures)))
    rows = [[name, _size(files[name]), *each.told, tool.shown(each.row["seconds"])] for name, each in restored.items()]
    print(markdown.table(["picture", "size", *tool.TOLD, "seconds"], rows))
    undone = sum(each.row["method"] == REFINE for each in restored.values())
    print(f"\nrestored with the blur that was found: {undone} of {len(restored)}; sheets in {options.out}")


def _size(path: Path) -> str:
    width, height = images.read_picture(path).size
    return f"{width} × {height}"


def sheet(pictures: list[np.ndarray | None]) -> np.ndarray:
    """Pictures of one size beside each other under their titles, and the most detailed part of each below; uint8.

    pictures: ``(H, W, 1 or 3)``, uint8, the first of them blurred; None where there is none.
    """
    blurred = pictures[0]
    assert blurred is not None
    region = most_detailed(blurred)
    shapes = [_resized(blurred).shape, blurred[region].shape]
    rows = [
        [_framed(_resized(each), shapes[0]) if each is not None else _framed(None, shapes[0]) for each in pictures],
        [_framed(each[region] if each is not None else None, shapes[1]) for each in pictures],
    ]
    bands = [np.hstack(row) for row in rows]
    width = max(band.shape[1] for band in bands)
    return np.vstack([_titles(width, bands[0].shape[1] // len(pictures)), *(_widened(band, width) for band in bands)])


def most_detailed(picture: np.ndarray, side: int = CROP) -> tuple[slice, slice]:
    """Rows and columns of the part with the strongest gradients, lights and their surroundings apart.

    picture: ``(H, W, 1 or 3)``, uint8. side: of the part in pixels, or the picture's where that is smaller.
    """
    grey = picture.mean(axis=2).astype(np.float32)
    strength = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    lights = cv2.dilate((grey > _CLIPPED).astype(np.uint8), np.ones((_BRIGHT_REACH, _BRIGHT_REACH), np.uint8))
    height, width = (min(side, length) for length in grey.shape)
    sums = cv2.boxFilter(strength * (1 - lights), cv2.CV_32F, (width, height), anchor=(0, 0))
    inside = sums[: grey.shape[0] - height + 1, : grey.shape[1] - width + 1]
    top, left = (int(index) for index in np.unravel_index(inside.argmax(), inside.shape))
    return slice(top, top + height), slice(left, left + width)


def _resized(picture: np.ndarray) -> np.ndarray:
    """A picture `TALL` pixels high."""
    height, width = picture.shape[:2]
    smaller = cv2.INTER_AREA if height > TALL else cv2.INTER_CUBIC
    made = cv2.resize(picture, (round(width * TALL / height), TALL), interpolation=smaller)
    return made.reshape(*made.shape[:2], picture.shape[2])


def _framed(picture: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """A picture of a shape, or a pale field in its place, with a white gap to the right and below."""
    framed = np.full((shape[0] + _GAP, shape[1] + _GAP, 3), 255, np.uint8)
    framed[: shape[0], : shape[1]] = PALE if picture is None else picture[: shape[0], : shape[1]]
    return framed


def _widened(band: np.ndarray, width: int) -> np.ndarray:
    return np.pad(band, ((0, 0), (0, width - band.shape[1]), (0, 0)), constant_values=255)


def _titles(width: int, column: int) -> np.ndarray:
    """A line with the titles of the columns."""
    made = Sheet(width, _HEAD)
    for index, title in enumerate(TITLES):
        made.text((index * column + 4, 4), title, 16, BLACK)
    return made.pixels()
