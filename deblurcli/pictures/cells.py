"""What is known of square cells of a picture, at its pixels."""

from __future__ import annotations

import cv2
import numpy as np


def at_pixels(cells: np.ndarray, side: int, rows: slice, width: int) -> np.ndarray:
    """Values of cells at each pixel of some rows, float32 ``(h, width)``: linear between the middles of the cells.

    cells: float32 ``(m, n)``, of so many pixels a side; the last of a row or column may reach beyond the picture.
    """
    first, last = max(0, rows.start // side - 1), rows.stop // side + 2
    wide = cv2.resize(cells[first:last], None, fx=side, fy=side, interpolation=cv2.INTER_LINEAR)
    return wide[rows.start - first * side : rows.stop - first * side, :width]
