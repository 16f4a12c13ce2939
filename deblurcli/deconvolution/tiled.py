"""A method of restoration applied tile by tile: to a large picture, or to one whose PSF is another at every place.

In the latter tiles are so small that the PSF hardly changes within one. Each is restored with the PSF at its middle,
and neighbours are blended over a fourth of their length.

Source: M. Hirsch, S. Sra, B. Schölkopf and S. Harmeling, Efficient filter flow for space-variant multiframe blind
deconvolution, CVPR 2010.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deblurcli import parallel
from deblurcli.blur import families
from deblurcli.blur.poses import PoseDensity
from deblurcli.deconvolution.observation import checked_inputs
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.statistics import ImageStatistics
from deblurcli.pictures import noise, tiles, tiling
from deblurcli.pictures.images import to_float
from deblurcli.pictures.tiles import Progress, Window, unwatched
from deblurcli.pictures.tiling import Span

# Side in pixels of what is restored at once, and what neighbours share. On 12 megapixels 832 takes 1.07 times the CPU
# time, 1100 saves 1 % of it. Pictures of more than so many pixels leave less memory for tiles.
TILE, OVERLAP = 960, 16
_LARGE, _TILE_OF_LARGE = 24_000_000, 640
CHANGE = 0.5  # pixels, standard deviation, by which a roll shifts the rim of a tile against its middle at most
SMALLEST_TILE = 192  # pixels a side that are kept of a tile, however much the PSF changes
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
    psf: np.ndarray | PoseDensity,
    options: DeconvolutionOptions,
    progress: Progress = unwatched,
    context: int | None = 0,
    seen: Callable[[np.ndarray], np.ndarray] = to_float,
) -> np.ndarray:
    """Pixels of the same shape and type, restored tile by tile, several at a time where threads are to spare.

    method: restores a tile, float32 ``(h, w, C)``, to float32 of the same shape. The statistics it is given are the
        same for all tiles: the picture's noise, its colours and the prior.
    pixels: ``(H, W, 1 or 3)``, uint8, uint16 or float in [0, 1].
    psf: ``(K, L)``, one for all of the picture, or a density that tells it at every place.
    seen: what the method is given for samples, float32 in [0, 1]; what it returns are values as in the picture.
    context: pixels that the method looks at around each, besides those that the PSF mixes into it; None for one that
        looks at the whole picture, which is then not cut.
    """
    field = _Field.of(psf, pixels.shape[:2])
    pixels, _ = checked_inputs(pixels, field.largest)
    reach = None if context is None else max(field.largest.shape) + context
    height, width = pixels.shape[:2]
    side = TILE if height * width <= _LARGE else min(TILE, _TILE_OF_LARGE)
    rows, columns = (_spans(length, side, reach, field.constant_over) for length in (height, width))
    windows = [*tiles.windows(rows, columns)]
    statistics = _statistics(pixels, windows, field, options, seen) if len(windows) > 1 else None

    def restored(window: Window) -> np.ndarray:
        part = _Part(progress, 1 / len(windows))
        tile = method(seen(tiles.cut(pixels, window)), field.at(window), options, statistics, part)
        part.over()
        return tiles.kept(tile, window)

    return tiles.assembled(pixels, rows, columns, restored, parallel.spread)


def _statistics(
    pixels: np.ndarray,
    windows: list[Window],
    field: _Field,
    options: DeconvolutionOptions,
    seen: Callable[[np.ndarray], np.ndarray],
) -> ImageStatistics:
    """What a picture tells as a whole, from a sample of it and, where its PSF is but one, some of its tiles."""
    sample = seen(noise.sample(pixels))
    if field.constant_over is not None:  # what a tile's spectrum is expected to be depends on its own PSF
        return ImageStatistics.from_image(sample, options)
    looked_at = windows[:: -(-len(windows) // MOST_LOOKED_AT)]
    samples = (seen(tiles.cut(pixels, window)) for window in looked_at)
    return ImageStatistics.from_tiles(sample, samples, field.largest, options)


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


def _spans(length: int, side: int, reach: int | None, constant_over: int | None) -> list[Span]:
    """Tiles along one axis, for a method that sees so far; one tile where it sees all.

    side: of a tile, where the PSF does not change. constant_over: pixels over which the PSF hardly changes; None where
    it does not change.
    """
    if reach is None:
        return [Span(0, length, 0, length)]
    halo = reach + reach % 2
    if constant_over is None:
        return tiling.spans(length, max(side, 4 * halo + OVERLAP), halo, OVERLAP, 1)
    overlap = constant_over // 8 * 2
    return tiling.spans(length, constant_over + overlap + 2 * halo, halo, overlap, 1)


@dataclass(frozen=True)
class _Field:
    """The PSFs over a picture.

    at: of a window. largest: of all those in the picture. constant_over: pixels over which they hardly change;
    None where there is but one.
    """

    at: Callable[[Window], np.ndarray]
    largest: np.ndarray
    constant_over: int | None = None

    @classmethod
    def of(cls, psf: np.ndarray | PoseDensity, shape: tuple[int, int]) -> _Field:
        """Of a picture of that shape."""
        if not isinstance(psf, PoseDensity):
            one = families.checked(psf)
            return cls(lambda _: one, one)
        height, width = shape
        corners = [psf.psf(x, y) for x in (-width / 2, width / 2) for y in (-height / 2, height / 2)]
        constant = int(np.clip(2 * CHANGE / max(psf.deviation, 1e-9), SMALLEST_TILE, TILE))

        def at(window: Window) -> np.ndarray:
            y, x = ((span.keep_start + span.keep_stop - length) / 2 for span, length in zip(window, shape))
            return psf.psf(x, y)

        return cls(at, max(corners, key=len), constant)
