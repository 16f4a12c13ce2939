"""A method of restoration applied to a large picture tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deblurcli import parallel
from deblurcli.deconvolution.observation import Settings, matched, surveyed
from deblurcli.pictures import noise, tiles, tiling
from deblurcli.pictures.images import to_float
from deblurcli.pictures.tiles import Window
from deblurcli.pictures.tiling import Span

TILE, OVERLAP = 832, 16  # side in pixels of what is restored at once, and what neighbours share
MOST_LOOKED_AT = 9  # tiles, to tell the spectrum of all
Method = Callable[[np.ndarray, np.ndarray, Settings], np.ndarray]


def in_tiles(method: Method, pixels: np.ndarray, psf: np.ndarray, settings: Settings, context: int = 0) -> np.ndarray:
    """Pixels of the same shape and type, restored tile by tile, several at a time where threads are to spare.

    method: restores a tile, float32 ``(h, w, C)``, to float32 of the same shape. The settings it is given hold what
        the picture tells as a whole: its noise, its colours and the prior are the same for all tiles.
    pixels: ``(H, W, 1 or 3)``, uint8, uint16 or float in [0, 1].
    context: pixels that the method looks at around each, besides those that the PSF mixes into it.
    """
    pixels, psf = matched(pixels, psf)
    rows, columns = (_spans(length, max(psf.shape) + context) for length in pixels.shape[:2])
    windows = [*tiles.windows(rows, columns)]
    if len(windows) > 1:
        looked_at = windows[:: -(-len(windows) // MOST_LOOKED_AT)]
        samples = (to_float(tiles.cut(pixels, window)) for window in looked_at)
        whole = surveyed(noise.sample(pixels), samples, psf, settings)
        settings = replace(settings, whole=whole)

    def answer(window: Window) -> np.ndarray:
        part = _Part(settings.tick, 1 / len(windows))
        restored = method(to_float(tiles.cut(pixels, window)), psf, replace(settings, tick=part))
        part.over()
        return tiles.kept(restored, window)

    return tiles.assembled(pixels, rows, columns, answer, parallel.spread)


class _Part:
    """Tells of the work on one tile, whatever the method tells: what it has not told is told at the end."""

    def __init__(self, tick: Callable[[float], None] | None, size: float):
        self._tick, self._size, self._left = tick, size, 1.0

    def __call__(self, share: float) -> None:
        self._left -= share
        if self._tick is not None:
            self._tick(share * self._size)

    def over(self) -> None:
        """The tile is done."""
        self(self._left)


def _spans(length: int, reach: int) -> list[Span]:
    """Tiles along one axis, for a method that sees so far."""
    halo = reach + reach % 2
    return tiling.spans(length, max(TILE, 4 * halo + OVERLAP), halo, OVERLAP, 1)
