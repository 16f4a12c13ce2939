"""Streaks of lights: the path that they draw, and what is none."""

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.estimation import psf_shape, streaks
from deblurcli.estimation.estimate import estimate, trusted
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
    assert psf_shape.alike(drawn, PATH) > 0.95


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
    assert psf_shape.alike(found.psf, PATH) > 0.9


@pytest.mark.parametrize("grain", [0.0, 0.03, 0.06])
def test_the_same_letter_over_and_over_is_no_streak(grain):
    page = np.random.default_rng(0).normal(0.1, grain, (300, 400, 1)).astype(np.float32)
    for row, column in PLACES:
        page[row : row + 24, column : column + 3] = page[row : row + 3, column : column + 18] = 1
    page = np.clip(page, 0, 1)
    assert streaks.psf(page[..., 0] ** np.float32(2.2)) is not None, "the letters are alike"
    assert estimate(page).family == "none"


def test_letters_with_a_rim_on_a_white_plate_are_no_streaks():
    picture = np.random.default_rng(0).uniform(0, 0.15, (500, 600)).astype(np.float32)
    picture[100:190, 100:240] = 1
    for column in (130, 160, 190):
        picture[125:155, column - 3 : column + 6] = 0
        picture[128:152, column : column + 3] = 1
    assert streaks.psf(picture) is None


def test_a_tiny_picture_tells_no_blur():
    strip = np.random.default_rng(0).uniform(0, 0.2, (30, 280, 1)).astype(np.float32)
    strip[9:21, 40:260:60] = 1
    assert estimate(strip).confidence == 0
