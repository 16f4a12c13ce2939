"""A method of restoration applied to a large picture tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from deblurcli import parallel
from deblurcli.deconvolution.observation import checked_inputs
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.statistics import ImageStatistics
from deblurcli.pictures import noise, tiles, tiling
from deblurcli.pictures.images import to_float
from deblurcli.pictures.tiles import Progress, Window, unwatched
from deblurcli.pictures.tiling import Span

TILE, OVERLAP = 832, 16  # side in pixels of what is restored at once, and what neighbours share
MOST_LOOKED_AT = 9  # tiles, to tell the spectrum of all


class Method(Protocol):
    """Restores a tile, float32 ``(h, w, C)``, to float32 of the same shape.

    statistics: what the picture tells that the tile is of; None where the tile is all of it.
    """

    def __call__(
        self,
        image: np.ndarray,
        psf: np.ndarray,
        options: DeconvolutionOptions,
        statistics: ImageStatistics | None = None,
        progress: Progress = unwatched,
        /,
    ) -> np.ndarray: ...


def in_tiles(
    method: Method,
    pixels: np.ndarray,
    psf: np.ndarray,
    options: DeconvolutionOptions,
    progress: Progress = unwatched,
    context: int | None = 0,
    seen: Callable[[np.ndarray], np.ndarray] = to_float,
) -> np.ndarray:
    """Pixels of the same shape and type, restored tile by tile, several at a time where threads are to spare.

    method: restores a tile, float32 ``(h, w, C)``, to float32 of the same shape. The statistics it is given are the
        same for all tiles: the picture's noise, its colours and the prior.
    pixels: ``(H, W, 1 or 3)``, uint8, uint16 or float in [0, 1].
    seen: what the method is given for samples, float32 in [0, 1]; what it returns are values as in the picture.
    context: pixels that the method looks at around each, besides those that the PSF mixes into it; None for one that
        looks at the whole picture, which is then not cut.
    """
    pixels, psf = checked_inputs(pixels, psf)
    reach = None if context is None else max(psf.shape) + context
    rows, columns = (_spans(length, reach) for length in pixels.shape[:2])
    windows = [*tiles.windows(rows, columns)]
    statistics = _statistics(pixels, windows, psf, options, seen) if len(windows) > 1 else None

    def restored(window: Window) -> np.ndarray:
        part = _Part(progress, 1 / len(windows))
        tile = method(seen(tiles.cut(pixels, window)), psf, options, statistics, part)
        part.over()
        return tiles.kept(tile, window)

    return tiles.assembled(pixels, rows, columns, restored, parallel.spread)


def _statistics(
    pixels: np.ndarray,
    windows: list[Window],
    psf: np.ndarray,
    options: DeconvolutionOptions,
    seen: Callable[[np.ndarray], np.ndarray],
) -> ImageStatistics:
    """What a picture tells as a whole, from a sample of it and some of its tiles."""
    looked_at = windows[:: -(-len(windows) // MOST_LOOKED_AT)]
    samples = (seen(tiles.cut(pixels, window)) for window in looked_at)
    return ImageStatistics.from_tiles(seen(noise.sample(pixels)), samples, psf, options)


class _Part:
    """Progress on one tile: what the method has not reported is reported at the end."""

    def __init__(self, progress: Progress, size: float):
        self._progress, self._size, self._left = progress, size, 1.0

    def __call__(self, share: float) -> None:
        self._left -= share
        self._progress(share * self._size)

    def over(self) -> None:
        """The tile is done."""
        self(self._left)


def _spans(length: int, reach: int | None) -> list[Span]:
    """Tiles along one axis, for a method that sees so far; one tile where it sees all."""
    if reach is None:
        return [Span(0, length, 0, length)]
    halo = reach + reach % 2
    return tiling.spans(length, max(TILE, 4 * halo + OVERLAP), halo, OVERLAP, 1)
