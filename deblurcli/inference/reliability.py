"""How much of a change to a picture is to be kept at each place, told by small networks that see it.

Where a network met what it knows, nearly all of its change is right; where the blur is too wide for it, or nothing is
blurred, little is. One small network looks at the luma of the picture, of the restored one, and at the change. A second
one looks at what a PSF makes of a picture beside what a network makes of it that knows of none, and tells how much of
the former is to be taken at each place: where the PSF is wrong, or does not hold, none. Both were fitted to what brings
the result nearest to the sharp picture (see ``training/reliability``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deblurcli.inference.helpers import helper
from deblurcli.pictures.luma import to_luma

NAME, PREFERENCE = "reliability", "preference"
CELL = 16  # pixels a side of the places
TILE = 512  # pixels a side that a network looks at together, a multiple of `CELL`
CHANGE, MOST = 5.0, 1.5  # by which the change is brought to about the scale of the picture, and what counts at most


def shares(blurred: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """The share of the change that is to be kept in each cell, float32 ``(⌈H / CELL⌉, ⌈W / CELL⌉)``, 0 to 1.25.

    blurred, restored: ``(H, W, C)``, of one type.

    Raises ModelError when its weights are missing or damaged.
    """
    return _told(NAME, blurred, restored)


def preferred(blurred: np.ndarray, blindly: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """The share that is to be taken of what a PSF restored, the rest of what was restored without; as `shares`.

    blindly: restored by the network `choices.BLIND`. restored: with a PSF that was found.
    """
    return _told(PREFERENCE, blurred, blindly, restored)


def share_preferred(blurred: np.ndarray, blindly: np.ndarray, restored: np.ndarray) -> float:
    """The share that is to be taken on the mean, 0 to 1; as `preferred`."""
    return float(np.minimum(preferred(blurred, blindly, restored), 1).mean())


def _told(name: str, *seen: np.ndarray) -> np.ndarray:
    """What a network tells of each cell of images of one shape, tile by tile."""
    height, width = seen[0].shape[:2]
    rows = [
        np.concatenate([_of_tile(name, seen, top, left) for left in range(0, width, TILE)], axis=1)
        for top in range(0, height, TILE)
    ]
    return np.concatenate(rows)


def _of_tile(name: str, seen: Sequence[np.ndarray], top: int, left: int) -> np.ndarray:
    lumas = [to_luma(image[top : top + TILE, left : left + TILE]) for image in seen]
    return helper(name)(planes(*lumas)[None])[0, 0]


def planes(*lumas: np.ndarray) -> np.ndarray:
    """What a network looks at, float32 ``(N + 1, H, W)``, of N lumas ``(H, W)`` in [0, 1], the last two compared."""
    change = np.clip((lumas[-1] - lumas[-2]) * CHANGE, -MOST, MOST)
    return np.stack([*(luma - 0.5 for luma in lumas), change]).astype(np.float32)
