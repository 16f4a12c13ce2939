"""A PSF of any form, and whether it is believed."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation import families, free_form
from deblurcli.estimation.estimate import estimate, trusted
from deblurcli.estimation.psf_shape import alike
from deblurcli.estimation.shake import Search
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.luma import central_luma
from deblurcli.pipeline.restoration import restoration
from deblurcli.pipeline.sources import AUTO


@pytest.fixture(scope="module")
def coffee() -> np.ndarray:
    """A photograph, float32 (400, 480, 3)."""
    return images.to_float(skimage.data.coffee()[:, 60:540])


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """A photograph, float32 (512, 512, 3)."""
    return images.to_float(skimage.data.astronaut())


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


def test_a_psf_that_explains_the_picture_no_better_than_none_is_not_believed(monkeypatch, coffee):
    picture = Picture(shaken(coffee, "box:1"))
    wrong = psf.parse("trajectory:8,seed=2").array()
    monkeypatch.setattr(free_form.shake, "candidates", lambda luma, searches, rating: [wrong])
    monkeypatch.setattr(free_form.shake, "begun", lambda luma: [Search(1, wrong, iter(()))])
    luma = central_luma(picture.pixels)
    search = families.search(luma)
    found = free_form.find(luma, search.spectrum, search.no_blur)
    assert found is not None and found.confidence < 0.3 and estimate(picture.pixels).family == "none"


def test_a_rival_with_a_formula_stands_unless_another_is_clearly_better(coffee):
    for spec, stands in (("gaussian:sigma=1.5", True), ("trajectory:20,seed=2", False)):
        luma = central_luma(shaken(coffee, spec))
        search = families.search(luma)
        rival = psf.parse("gaussian:sigma=1.5").array()
        found = free_form.find(luma, search.spectrum, search.no_blur, rival)
        assert (found is None) == stands


def test_a_wide_psf_stands_for_one_that_is_certain_and_restores_nothing(monkeypatch, astronaut):
    truth = psf.parse("trajectory:60,seed=2").array()
    luma = central_luma(shaken(astronaut, "trajectory:60,seed=2", noise=0.004))
    search = families.search(luma)
    for other, stands in ((truth[:, ::-1].copy(), False), (truth, True)):
        monkeypatch.setattr(free_form.shake, "candidates", lambda *_, other=other: [other])
        monkeypatch.setattr(free_form, "sure", lambda *_: 0.95)
        found = free_form.find(luma, search.spectrum, search.no_blur)
        assert found is not None and found.confidence >= free_form.CERTAIN
        assert np.array_equal(found.psf, other) == stands and alike(found.psf, truth) > 0.85


def test_scattered_points_are_no_camera_shake_though_they_explain_the_picture(monkeypatch, astronaut):
    """Those of 33 times their width; even where they are what blurred it."""
    points = np.random.default_rng(1).random((45, 45))
    points /= points.sum()
    luma = central_luma(images.from_float(blur(images.to_float(astronaut), points), np.uint8))
    assert free_form.judged(luma, points).confidence < 0.1
    monkeypatch.setattr(free_form, "_WINDING", 34)
    assert free_form.judged(luma, points).confidence > free_form.CERTAIN


def test_a_picture_too_small_for_any_search_shows_none():
    luma = np.random.default_rng(0).random((120, 144), np.float32)
    search = families.search(luma)
    assert free_form.find(luma, search.spectrum, search.no_blur) is None


@pytest.mark.parametrize(
    "falls, chosen",
    [
        ((0.0, 0.0), 0),  # the spectrum alone decides
        ((0.0, 2.0), 1),  # the objective speaks for the other
        ((-2.0, 0.0), 0),  # it is no evidence against a PSF
    ],
)
def test_the_objective_counts_for_a_psf_and_never_against_one(monkeypatch, coffee, falls, chosen):
    luma = central_luma(shaken(coffee, "trajectory:20,seed=2"))
    search = families.search(luma)
    psfs = [psf.parse("trajectory:20,seed=2").array(), psf.parse("gaussian:sigma=1").array()]
    monkeypatch.setattr(free_form.shake, "candidates", lambda luma, searches, rating: psfs)
    monkeypatch.setattr(free_form.regions, "falls", lambda luma, asked: list(falls))
    found = free_form.find(luma, search.spectrum, search.no_blur)
    assert found is not None and found.psf is psfs[chosen]
