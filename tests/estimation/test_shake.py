"""PSFs of any form, found from the picture alone."""

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.estimation import shake
from deblurcli.estimation.shake import alike


@pytest.fixture(scope="module")
def coffee() -> np.ndarray:
    """Luma of a photograph, float32 (400, 480)."""
    return np.ascontiguousarray(skimage.data.coffee()[:, 60:540].mean(axis=2).astype(np.float32) / 255)


def shaken(sharp, truth, noise=0.005):
    """A luma blurred, with noise."""
    blurred = blur(sharp[..., None], truth)[..., 0]
    return (blurred + np.random.default_rng(0).normal(0, noise, blurred.shape)).astype(np.float32)


@pytest.mark.parametrize("spec", ["trajectory:20,seed=2", "trajectory:45,seed=1"])
def test_camera_shake_of_unknown_size_is_among_the_candidates(coffee, spec):
    truth = psf.parse(spec).array()
    psfs = shake.candidates(shaken(coffee, truth))
    assert max(alike(psf, truth) for psf in psfs) > 0.8
    for found in psfs:
        assert found.shape[0] == found.shape[1] and found.sum() == pytest.approx(1) and found.min() >= 0


def test_a_right_psf_explains_the_picture_better_than_no_blur(coffee):
    truth = psf.parse("trajectory:20,seed=2").array()
    point, right, turned = shake.ratios(shaken(coffee, truth), [np.ones((1, 1)), truth, truth[:, ::-1]])
    assert point == 1 and right < 0.97 and right < turned


def test_a_small_picture_is_searched_as_far_as_it_goes(coffee):
    assert shake.candidates(coffee[:127, :400]) == []
    assert len(shake.candidates(coffee[:128, :128])) == 2


def test_large_psfs_go_on_from_a_smaller_picture(coffee):
    truth = families.centred(psf.parse("trajectory:30,seed=5").array())
    found = shake._sought(shaken(coffee, truth), 2)
    assert max(alike(psf, truth) for psf in found) > 0.8


def test_psfs_are_alike_wherever_they_lie_and_whatever_surrounds_them():
    one, other = families.motion(9, 30), families.motion(9, 120)
    assert alike(one, np.pad(one, ((4, 0), (0, 2)))) == pytest.approx(1)
    assert alike(one, other) == pytest.approx(alike(other, one)) and 0 < alike(one, other) < 0.6


def test_of_a_large_picture_the_part_with_most_to_see_is_looked_at(coffee):
    wall = np.full((1300, 1500), 0.5, np.float32)
    wall[860:1260, 100:500] = coffee[:, :400]
    np.testing.assert_array_equal(shake.part(wall, 400), wall[860:1260, 100:500])
    assert shake.part(np.zeros((90, 1000), np.float32), 400).shape == (90, 400)
    small = coffee[:300, :200]
    np.testing.assert_array_equal(shake.part(small, 400), small)
