"""Values of cells at the pixels of a picture."""

import numpy as np
import pytest

from deblurcli.pictures.cells import at_pixels


@pytest.mark.parametrize("rows", [slice(0, 70), slice(0, 20), slice(16, 48), slice(37, 70), slice(64, 70)])
def test_they_are_linear_between_the_middles_of_the_cells_whatever_rows_are_asked_for(rows):
    """Also where the picture ends within a cell: 70 and 41 pixels of cells of 16."""
    down, across = np.meshgrid(np.arange(5.0), np.arange(3.0), indexing="ij")
    cells = (10 * down + across).astype(np.float32)
    y, x = (np.clip((np.arange(length) + 0.5) / 16 - 0.5, 0, most) for length, most in ((70, 4), (41, 2)))
    wanted = 10 * y[:, None] + x
    np.testing.assert_allclose(at_pixels(cells, 16, rows, 41), wanted[rows], atol=1e-4)
