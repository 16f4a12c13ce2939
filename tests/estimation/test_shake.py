"""PSFs of any form, found from the picture alone."""

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.estimation import psf_shape, shake
from deblurcli.estimation.psf_shape import alike


@pytest.fixture(scope="module")
def coffee() -> np.ndarray:
    """Luma of a photograph, float32 (400, 480)."""
    return np.ascontiguousarray(skimage.data.coffee()[:, 60:540].mean(axis=2).astype(np.float32) / 255)


def shaken(sharp, truth, noise=0.005):
    """A luma blurred, with noise."""
    blurred = blur(sharp[..., None], truth)[..., 0]
    return (blurred + np.random.default_rng(0).normal(0, noise, blurred.shape)).astype(np.float32)


def rated_by_objective(luma):
    """Of PSFs that may have blurred a luma, how much better than no blur each is by the L0 objective."""
    return lambda psfs: 1 - np.array(shake.ratios(luma, psfs))


@pytest.mark.parametrize("spec", ["trajectory:20,seed=2", "trajectory:45,seed=1"])
def test_camera_shake_of_unknown_size_is_among_the_candidates(coffee, spec):
    truth = psf.parse(spec).array()
    blurred = shaken(coffee, truth)
    psfs = shake.candidates(blurred, shake.begun(blurred), rated_by_objective(blurred))
    assert max(alike(psf, truth) for psf in psfs) > 0.8
    for found in psfs:
        assert found.shape[0] == found.shape[1] and found.sum() == pytest.approx(1) and found.min() >= 0


def test_a_right_psf_explains_the_picture_better_than_no_blur(coffee):
    truth = psf.parse("trajectory:20,seed=2").array()
    point, right, turned = shake.ratios(shaken(coffee, truth), [np.ones((1, 1)), truth, truth[:, ::-1]])
    assert point == 1 and right < 0.97 and right < turned


def test_a_small_picture_is_searched_as_far_as_it_goes(coffee):
    blurred = shaken(coffee, psf.parse("trajectory:12,seed=2").array())
    small, smaller = blurred[:128, :128], blurred[:127, :400]
    assert shake.candidates(smaller, shake.begun(smaller), rated_by_objective(smaller)) == []
    assert len(shake.candidates(small, shake.begun(small), rated_by_objective(small))) == 2


def test_in_a_sharp_picture_none_is_sought(coffee):
    assert shake.candidates(coffee, shake.begun(coffee), rated_by_objective(coffee)) == []


def test_the_sizes_that_begin_best_go_on(coffee):
    asked = []

    def rated(psfs):
        asked.append([len(psf) for psf in psfs])
        return np.array([len(psf) == 59 for psf in psfs], float)

    blurred = shaken(coffee, psf.parse("trajectory:20,seed=2").array())
    psfs = shake.candidates(blurred, shake.begun(blurred), rated)
    assert asked[0] == [25, 59, 79] and [len(psf) for psf in psfs] == [59, 59, 25, 25]


def test_large_psfs_go_on_from_a_smaller_picture(coffee):
    truth = families.centred(psf.parse("trajectory:30,seed=5").array())
    blurred = shaken(coffee, truth)
    halved = next(search for search in shake._searches(blurred) if search.times == 2)
    improved, enlarged = shake._gone_on(blurred, halved, rated_by_objective(blurred))
    assert alike(improved, truth) > 0.8 and len(enlarged) == len(improved) == 79


def test_on_the_way_to_full_size_a_psf_stays_where_it_was(coffee):
    noise = np.random.default_rng(1).random(coffee.shape).astype(np.float32)
    line = np.zeros((39, 39))
    line[19, 8:31] = 1 / 23
    improved, enlarged = shake.at_full_size(noise, line, 4)
    assert psf_shape.extent(enlarged) >= 4 * 22 and improved.sum() == pytest.approx(1)
    assert np.ptp(np.nonzero(improved)[0]) < 30
