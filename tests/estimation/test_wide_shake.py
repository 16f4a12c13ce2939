"""PSFs that are found and judged in a picture made smaller."""

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.estimation import psf_shape, shake, wide_shake
from deblurcli.estimation.psf_shape import alike

TRUTH = families.centred(psf.parse("trajectory:60,seed=2").array())  # 38 pixels wide


def every(luma, psf):
    """A judge that believes all."""
    return True


@pytest.fixture(scope="module")
def shaken() -> np.ndarray:
    """Luma of a shaken photograph, float32 (512, 512)."""
    sharp = skimage.data.astronaut().mean(axis=2, keepdims=True).astype(np.float32) / 255
    return (blur(sharp, TRUTH)[..., 0] + np.random.default_rng(0).normal(0, 0.002, sharp.shape[:2])).astype(np.float32)


@pytest.fixture(scope="module")
def wide(shaken) -> wide_shake.Wide:
    """What is found in it."""
    found = wide_shake.found(shaken, shake.begun(shaken), every)
    assert found is not None
    return found


def test_a_wide_psf_is_found_and_believed(shaken, wide):
    assert wide.times == 2 and wide.share > 0.8
    assert max(alike(found, TRUTH) for found in wide.at_full_size(shaken)) > 0.85


def test_another_psf_is_allowed_when_it_restores_the_picture_too(wide):
    assert wide.allows(TRUTH)
    assert not wide.allows(TRUTH[:, ::-1]) and not wide.allows(np.ones((1, 1)))


def test_of_a_search_that_found_nothing_wide_no_more_is_asked(shaken):
    narrow = psf.parse("trajectory:8,seed=2").array()

    def further():
        raise AssertionError("asked for more turns")
        yield

    search = shake.Search(2, narrow, further())
    assert wide_shake.found(shaken, [search], every) is None


def test_a_wrong_psf_is_not_believed(shaken):
    wrong = psf_shape.resized(psf_shape.framed(TRUTH[:, ::-1], len(TRUTH)), 39)
    search = shake.Search(2, wrong, iter(()))
    assert psf_shape.extent(wrong) >= 16 and wide_shake.found(shaken, [search], every) is None


def test_one_that_the_smaller_picture_does_not_show_is_not_believed(shaken):
    assert wide_shake.found(shaken, shake.begun(shaken), lambda luma, psf: False) is None
