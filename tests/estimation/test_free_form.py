"""A PSF of any form, and whether it is believed."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation import shake
from deblurcli.estimation.estimate import estimate, trusted
from deblurcli.estimation.shake import alike
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.restoration import restoration
from deblurcli.pipeline.sources import AUTO


@pytest.fixture(scope="module")
def coffee() -> np.ndarray:
    """A photograph, float32 (400, 480, 3)."""
    return images.to_float(skimage.data.coffee()[:, 60:540])


def shaken(sharp, spec, noise=0.008):
    """The picture blurred, with noise, at 8 bits."""
    blurred = blur(sharp, psf.parse(spec).array())
    return images.from_float(blurred + np.random.default_rng(0).normal(0, noise, blurred.shape), np.uint8)


@pytest.mark.parametrize("spec", ["trajectory:20,seed=2", "trajectory:12,seed=4"])
def test_camera_shake_is_found_believed_and_undone(coffee, spec):
    picture = Picture(shaken(coffee, spec))
    found = estimate(picture.pixels)
    assert found.family == "general" and trusted(found) and alike(found.psf, psf.parse(spec).array()) > 0.8
    made = restoration(AUTO, DeconvolutionOptions(), "wiener", Path())(picture, "a")
    assert psnr(images.to_float(made.picture.pixels), coffee) > psnr(images.to_float(picture.pixels), coffee) + 2
    assert made.fields["family"] == "general" and made.fields["psf"] is None
    assert made.note == "restored, camera shake (any form)"


def test_of_a_sharp_picture_the_halves_are_not_looked_at(coffee, monkeypatch):
    looked = []
    found = shake.find
    monkeypatch.setattr(shake, "find", lambda luma, size: (looked.append(luma.shape), found(luma, size))[1])
    sharp, blurred = (estimate(shaken(coffee, spec)) for spec in ("box:1", "trajectory:20,seed=2"))
    assert sharp.family == "none" and blurred.family == "general"
    assert looked == [(400, 480), (400, 480), (200, 400), (200, 400)]


def test_psfs_are_alike_wherever_they_lie_and_whatever_surrounds_them():
    one, other = families.motion(9, 30), families.motion(9, 120)
    assert alike(one, np.pad(one, ((4, 0), (0, 2)))) == pytest.approx(1)
    assert alike(one, other) == pytest.approx(alike(other, one)) and 0 < alike(one, other) < 0.6


def test_of_a_large_picture_the_part_with_most_to_see_is_looked_at(coffee):
    wall = np.full((1300, 1500), 0.5, np.float32)
    wall[860:1260, 100:500] = coffee.mean(axis=2)[:, :400]
    np.testing.assert_array_equal(shake.part(wall), wall[860:1260, 100:500])
    assert shake.part(np.zeros((90, 1000), np.float32)).shape == (90, 400)
    small = coffee.mean(axis=2)[:300, :200]
    np.testing.assert_array_equal(shake.part(small), small)
