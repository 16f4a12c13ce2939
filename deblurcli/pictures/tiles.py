"""A large picture worked on in tiles, their results blended.

A tile is made from the picture's own samples and goes back into them, so that no whole picture is ever held as
float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from deblurcli.pictures import images, tiling
from deblurcli.pictures.tiling import Span

Window = tuple[Span, Span]
Map = Callable[[Callable[[Window], np.ndarray], Iterable[Window]], Iterable[np.ndarray]]
Progress = Callable[[float], None]  # takes the share of the work that was done since it was last called


def unwatched(_: float) -> None:
    """The `Progress` that tells nobody."""


def assembled(
    pixels: np.ndarray,
    rows: list[Span],
    columns: list[Span],
    restore: Callable[[Window], np.ndarray],
    spread: Map = map,
    progress: Progress = unwatched,
) -> np.ndarray:
    """Pixels of the shape and type of those given, blended from the results for all windows.

    pixels: ``(H, W, C)``, uint8, uint16 or float32.
    rows, columns: tiles along both axes, as `tiling.spans` cuts them; they may reach beyond the picture.
    restore: what a window's tile becomes, float32 ``(h, w, C)``, cut to what is kept of it; see `kept`.
    spread: runs that over many windows, in order; `map`, or an executor's. progress: called after each window.
    """
    height, width, channels = pixels.shape
    if len(rows) == len(columns) == 1:  # no need to hand one tile to another thread, or to blend it
        whole = _samples(restore((rows[0], columns[0]))[:height, :width], pixels.dtype)
        progress(1)
        return whole
    whole, first = images.empty_like(pixels), 0
    tiles = _watched(spread(restore, windows(rows, columns)), progress, 1 / (len(rows) * len(columns)))
    for strip in _strips(rows, columns, tiles, channels):
        part = whole[first : first + len(strip)]
        part[:] = _samples(strip[: len(part), :width], pixels.dtype)
        first += len(strip)
    return whole


def _watched(tiles: Iterable[np.ndarray], progress: Progress, share: float) -> Iterator[np.ndarray]:
    """The tiles, with a word to `progress` as each comes."""
    for tile in tiles:
        progress(share)
        yield tile


def windows(rows: list[Span], columns: list[Span]) -> Iterator[Window]:
    """All pairs of tiles along both axes, row by row."""
    return ((row, column) for row in rows for column in columns)


def cut(image: np.ndarray, window: Window) -> np.ndarray:
    """What lies in a window of an image ``(H, W, C)``, no further than the image goes."""
    row, column = window
    return image[row.start : row.stop, column.start : column.stop]


def kept(result: np.ndarray, window: Window) -> np.ndarray:
    """What is kept of the result ``(h, w, C)`` for a whole tile."""
    row, column = window
    return result[
        row.keep_start - row.start : row.keep_stop - row.start,
        column.keep_start - column.start : column.keep_stop - column.start,
    ]


def _strips(rows: list[Span], columns: list[Span], tiles: Iterator[np.ndarray], channels: int) -> Iterator[np.ndarray]:
    """Finished strips of the whole image from top to bottom, float32 ``(h, W, C)``, blended."""
    across, down = tiling.weights(columns), tiling.weights(rows)
    carried = np.zeros((0, columns[-1].keep_stop, channels), np.float32)
    for index, (row, fade) in enumerate(zip(rows, down)):
        strip = np.zeros((len(fade), columns[-1].keep_stop, channels), np.float32)
        for column, weight in zip(columns, across):
            strip[:, column.keep_start : column.keep_stop] += next(tiles) * weight[:, None]
        strip *= fade[:, None, None]
        strip[: len(carried)] += carried
        ready = rows[index + 1].keep_start - row.keep_start if index + 1 < len(rows) else len(strip)
        carried = strip[ready:]
        yield strip[:ready]


def _samples(image: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return np.clip(image, 0, 1) if dtype == np.float32 else images.from_float(image, dtype)
