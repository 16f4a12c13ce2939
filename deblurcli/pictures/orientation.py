"""How a stored picture is turned upright, by the orientation of EXIF and TIFF."""

from __future__ import annotations

import numpy as np

# By orientation: transpose first, then flip these axes.
UPRIGHT: dict[int, tuple[bool, tuple[int, ...]]] = {
    2: (False, (1,)),
    3: (False, (0, 1)),
    4: (False, (0,)),
    5: (True, ()),
    6: (True, (1,)),
    7: (True, (0, 1)),
    8: (True, (0,)),
}


def upright(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Samples ``(H, W)`` or ``(H, W, C)`` turned upright; as they are for orientations other than 2 to 8."""
    transpose, axes = UPRIGHT.get(orientation, (False, ()))
    turned = stored.swapaxes(0, 1) if transpose else stored
    return np.flip(turned, axes).copy() if axes or transpose else stored
