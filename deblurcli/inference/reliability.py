"""How much of what a network made of a picture is to be kept at each place, told by a small network that sees both.

Where a network met what it knows, nearly all of its change is right; where the blur is too wide for it, or nothing is
blurred, little is. The small network looks at the luma of the picture, of the restored one, and at the change. It was
fitted to what brings the result nearest to the sharp picture (see ``training/reliability``).
"""

from __future__ import annotations

import numpy as np

from deblurcli.inference.helpers import helper
from deblurcli.pictures.luma import to_luma

NAME = "reliability"
CELL = 16  # pixels a side of the places
TILE = 512  # pixels a side that the network looks at together, a multiple of `CELL`
CHANGE, MOST = 5.0, 1.5  # by which the change is brought to about the scale of the picture, and what counts at most


def shares(blurred: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """The share of the change that is to be kept in each cell, float32 ``(⌈H / CELL⌉, ⌈W / CELL⌉)``, 0 to 1.25.

    blurred, restored: ``(H, W, C)``, of one type.

    Raises ModelError when its weights are missing or damaged.
    """
    rows = [
        np.concatenate([_of_tile(blurred, restored, top, left) for left in range(0, blurred.shape[1], TILE)], axis=1)
        for top in range(0, blurred.shape[0], TILE)
    ]
    return np.concatenate(rows)


def _of_tile(blurred: np.ndarray, restored: np.ndarray, top: int, left: int) -> np.ndarray:
    before, after = (to_luma(image[top : top + TILE, left : left + TILE]) for image in (blurred, restored))
    return helper(NAME)(planes(before, after)[None])[0, 0]


def planes(blurred: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """What the network looks at, float32 ``(3, H, W)``, of two lumas ``(H, W)`` in [0, 1]."""
    change = np.clip((restored - blurred) * CHANGE, -MOST, MOST)
    return np.stack([blurred - 0.5, restored - 0.5, change]).astype(np.float32)
