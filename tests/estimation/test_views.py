"""Pictures made smaller, and the part of one that shows most."""

import numpy as np
import pytest
import skimage.data

from deblurcli.estimation import views


@pytest.fixture(scope="module")
def coffee() -> np.ndarray:
    """Luma of a photograph, float32 (400, 480)."""
    return np.ascontiguousarray(skimage.data.coffee()[:, 60:540].mean(axis=2).astype(np.float32) / 255)


def test_of_a_large_picture_the_part_with_most_to_see_is_looked_at(coffee):
    wall = np.full((1300, 1500), 0.5, np.float32)
    wall[860:1260, 100:500] = coffee[:, :400]
    np.testing.assert_array_equal(views.part(wall, 400), wall[860:1260, 100:500])
    assert views.part(np.zeros((90, 1000), np.float32), 400).shape == (90, 400)
    small = coffee[:300, :200]
    np.testing.assert_array_equal(views.part(small, 400), small)


def test_a_picture_made_smaller_keeps_its_mean(coffee):
    small = views.reduced(coffee, 4)
    assert small.shape == (100, 120) and small.mean() == pytest.approx(coffee.mean(), abs=1e-4)
    assert views.resized(coffee, 1) is coffee


def test_the_scales_on_the_way_from_a_fourth_to_the_whole():
    np.testing.assert_allclose(views.scales(4), [2**-1.5, 0.5, 2**-0.5, 1])
