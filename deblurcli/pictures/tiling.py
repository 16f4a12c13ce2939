"""Where the tiles of a large picture lie and how neighbours are blended: pure functions of sizes.

Each axis is cut on its own. A tile reaches `halo` pixels further than what is kept of it, wherever the
picture goes on; neighbours share `overlap` kept pixels, over which one fades into the other. A tile at
the picture's edge has no halo there, so that a network sees that edge as it would untiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in pixels of the padded picture.

    start, stop: what the network sees. keep_start, keep_stop: what is kept of its output.
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int


def padded(length: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that is at least `length`."""
    return -(-length // multiple) * multiple


def spans(length: int, tile: int, halo: int, overlap: int, multiple: int) -> list[Span]:
    """Tiles that cover an axis, in order, evenly spread, each starting at a multiple of `multiple`.

    length: of the axis, a multiple of `multiple`.
    tile: what the network sees at most, less where as many smaller tiles do; a multiple of `multiple`, larger
        than ``2·halo + overlap`` by at least `multiple`.
    halo: context thrown away on each inner side, at least.
    overlap: kept pixels shared by neighbours, even.

    Raises ValueError when the sizes cannot make progress along the axis.
    """
    if length <= tile:
        return [Span(0, length, 0, length)]
    stride = (tile - 2 * halo - overlap) // multiple * multiple
    if stride <= 0 or length % multiple or tile % multiple or overlap % 2:
        raise ValueError(f"tile {tile} is too small or uneven for halo {halo}, overlap {overlap}, multiple {multiple}")
    count = -(-(length - tile) // stride) + 1
    tile = min(tile, padded(-(-(length + (count - 1) * (2 * halo + overlap)) // count) + multiple, multiple))
    starts = [(length - tile) * index // (count - 1) // multiple * multiple for index in range(count)]
    cuts = [(following + start + tile) // 2 for start, following in pairwise(starts)]
    keep_starts = [0, *(cut - overlap // 2 for cut in cuts)]
    keep_stops = [*(cut + overlap // 2 for cut in cuts), length]
    return [Span(start, start + tile, first, last) for start, first, last in zip(starts, keep_starts, keep_stops)]


def weights(axis: list[Span]) -> list[np.ndarray]:
    """Blend weights of each tile's kept pixels, float32; over the whole axis they sum to 1 everywhere."""
    faded = [np.ones(span.keep_stop - span.keep_start, np.float32) for span in axis]
    for index, (left, right) in enumerate(pairwise(axis)):
        ramp = _ramp(left.keep_stop - right.keep_start)
        faded[index][len(faded[index]) - len(ramp) :] *= 1 - ramp
        faded[index + 1][: len(ramp)] *= ramp
    total = np.zeros(axis[-1].keep_stop, np.float32)
    for span, weight in zip(axis, faded):
        total[span.keep_start : span.keep_stop] += weight
    return [weight / total[span.keep_start : span.keep_stop] for span, weight in zip(axis, faded)]


def _ramp(length: int) -> np.ndarray:
    return ((np.arange(length) + 0.5) / max(length, 1)).astype(np.float32)
