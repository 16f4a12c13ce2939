"""Streaks of lights: the path that they draw, and what is none."""

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.estimation import shake, streaks
from deblurcli.estimation.estimate import estimate, is_sharp, trusted
from deblurcli.pictures import images

PATH = psf.parse("trajectory:30,seed=11").array()


PLACES = [(60, 70), (80, 320), (220, 120), (240, 330), (150, 200)]


def night(path: np.ndarray, places: list[tuple[int, int]]) -> np.ndarray:
    """The light of a dark photograph with points of light, float32 ``(300, 400, 3)``, seen through a PSF.

    The streaks of all but the last are not quite white.
    """
    light = 0.12 * images.to_float(skimage.data.coffee()[:300, 60:460]) ** np.float32(2.2)
    for row, column in places:
        light[row, column] = 7
    light[places[-1]] = 30
    return np.clip(30 * blur(light / 30, path), 0, 1)


def test_lights_draw_the_path_of_the_camera():
    drawn = streaks.psf(night(PATH, PLACES).mean(axis=2))
    assert drawn is not None and drawn.sum() == pytest.approx(1)
    assert shake.alike(drawn, PATH) > 0.95


def test_two_lights_are_too_few():
    assert streaks.psf(night(PATH, PLACES[:2]).mean(axis=2)) is None


def test_figures_that_differ_are_no_streaks():
    light = np.full((300, 400), 0.02, np.float32)
    for index, (row, column) in enumerate(PLACES):
        path = psf.parse(f"trajectory:{24 + 2 * index},seed={index}").array()
        height, width = path.shape
        light[row : row + height, column : column + width] += (path / path.max()).astype(np.float32)
    assert streaks.psf(np.clip(light, 0, 1)) is None


def test_a_night_is_found_by_its_lights():
    seen = images.from_float(night(PATH, PLACES) ** np.float32(1 / 2.2), np.uint8)
    found = estimate(seen)
    assert found.family == "general" and trusted(found)
    assert shake.alike(found.psf, PATH) > 0.9


def test_the_same_letter_over_and_over_is_no_streak():
    page = np.full((300, 400, 1), 0.03, np.float32)
    for row, column in PLACES:
        page[row : row + 24, column : column + 3] = page[row : row + 3, column : column + 18] = 1
    assert is_sharp(estimate(page))
