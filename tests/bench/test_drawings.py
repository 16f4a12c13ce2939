"""The drawings are twenty, of useful sizes, and the same ones every time."""

import hashlib

import numpy as np
import pytest

from tests.bench.canvas import BLACK, Sheet
from tests.bench.drawings import DRAWINGS


def test_there_are_twenty_and_no_two_are_the_same():
    made = {hashlib.sha256(make().tobytes()).hexdigest() for make in DRAWINGS.values()}
    assert len(DRAWINGS) == len(made) == 20


@pytest.mark.parametrize("name", DRAWINGS)
def test_each_is_the_same_every_time_and_shows_something(name):
    pixels = DRAWINGS[name]()
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    assert min(pixels.shape[:2]) >= 400 and pixels.std() > 5
    assert np.array_equal(pixels, DRAWINGS[name]())


def test_a_finer_sheet_has_smooth_edges():
    levels = []
    for finer in (1, 4):
        sheet = Sheet(40, 40, finer=finer)
        sheet.pen.ellipse([5, 5, 34, 34], BLACK)
        levels.append(len(np.unique(sheet.pixels())))
    assert levels[0] == 2 and levels[1] > 4
