"""The pose density of a camera that rolled, found from the picture alone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data

from deblurcli.blur.poses import PoseDensity
from deblurcli.blur.varying import Layer, exposed
from deblurcli.deconvolution.methods import restore
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation import estimate, free_form, rolling
from deblurcli.estimation.estimate import Estimate
from deblurcli.metrics.table import psnr
from deblurcli.pictures.images import Picture, from_float
from deblurcli.pipeline import sources

SHIFTS, ROLL = (9, 4), 0.9  # pixels across and down, degrees


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    """Luma of a photograph, float32 (768, 960)."""
    picture = skimage.data.astronaut()[..., :].mean(axis=2).astype(np.float32) / 255
    grown = np.pad(picture, ((0, 256), (0, 448)), mode="reflect")
    return np.ascontiguousarray(cv2.GaussianBlur(grown, (0, 0), 0.5))


@pytest.fixture(scope="module")
def poses() -> np.ndarray:
    time = np.linspace(-0.5, 0.5, 25)
    return np.stack([SHIFTS[0] * time, SHIFTS[1] * (time**2 - 1 / 12), np.deg2rad(ROLL) * time, np.ones(25)], axis=1)


@pytest.fixture(scope="module")
def rolled(sharp, poses) -> np.ndarray:
    moved = exposed([Layer(sharp[..., None], None, poses)])[..., 0]
    return (moved + np.random.default_rng(0).normal(0, 0.003, moved.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def found(rolled) -> PoseDensity | None:
    return rolling.sought(rolled)


def test_a_roll_is_found_about_as_large_as_it_was(found):
    assert found is not None
    assert found.deviation == pytest.approx(np.deg2rad(ROLL) / np.sqrt(12), rel=0.4)  # the roll was even
    assert found.density.sum() == pytest.approx(1) and found.density.min() >= 0


def test_it_explains_the_picture_better_than_one_psf(rolled, found):
    rolls, one, nothing = rolling.evidence(rolled, [found, found.psf(0, 0), np.ones((1, 1))])
    assert rolls.score > one.score
    assert (nothing.lead, nothing.fall) == pytest.approx((0, 0), abs=1e-6)


@pytest.mark.parametrize("family, confidence", [("general", 0.5), ("general", 0.7), ("gaussian", 0.4), ("none", 0.1)])
def test_rolls_are_looked_for_where_no_family_is_certain(family, confidence, rolled):
    found = estimate.with_rolls(rolled[..., None], Estimate(None, np.ones((1, 1)), confidence, family))
    assert found.poses is not None and found.family == "general" and 0 < found.confidence < 1
    np.testing.assert_array_equal(found.psf, found.poses.psf(0, 0))


@pytest.mark.parametrize("family, confidence", [("motion", 0.9), ("none", 0.9)])
def test_what_is_certain_stays(family, confidence, rolled):
    found = Estimate(None, np.ones((1, 1)), confidence, family)
    assert estimate.with_rolls(rolled[..., None], found) is found


def test_a_psf_that_is_certain_stays_where_a_roll_is_not(rolled, monkeypatch):
    found = Estimate(None, np.ones((1, 1)), 0.9, "general")
    monkeypatch.setattr(free_form, "sure", lambda *_: 0.3)
    assert estimate.with_rolls(rolled[..., None], found) is found
    unsure = replace(found, confidence=0.1)
    assert estimate.with_rolls(rolled[..., None], unsure).poses is not None


def test_deblur_asks_for_rolls_where_it_is_told_to(rolled, monkeypatch):
    """And tells so; without the option it does not ask."""
    one = Estimate(None, np.ones((3, 3)) / 9, 0.9, "general")
    density = _density(np.zeros((1, 4)))
    monkeypatch.setattr(estimate, "estimate", lambda pixels: one)
    monkeypatch.setattr(estimate, "with_rolls", lambda pixels, found: replace(found, poses=density))
    picture = Picture(from_float(rolled[:64, :64, None], np.uint8))
    plain, asked = (sources.Estimated(rolls=rolls)(picture, "a") for rolls in (False, True))
    assert plain.poses is None and plain.note == "camera shake (any form)"
    assert asked.poses is density and asked.note == "camera shake and rotation"


def test_the_true_poses_restore_the_picture_better_than_one_psf(sharp, rolled, poses):
    """In tiles, each with a PSF of its own."""
    picture, truth = Picture(from_float(rolled[..., None], np.uint8)), from_float(sharp[..., None], np.uint8)
    options, inside = DeconvolutionOptions(nsr=1e-2), (slice(30, -30), slice(30, -30))
    true = _density(poses)
    varying, single = (
        psnr(restore(picture, psf, options, "sparse").pixels[inside], truth[inside]) for psf in (true, true.psf(0, 0))
    )
    assert varying > single + 1 and varying > psnr(picture.pixels[inside], truth[inside]) + 3


def _density(poses: np.ndarray) -> PoseDensity:
    """That of instants: a shift of p by d in `varying.warped` shows it at p − d, rolled the other way round."""
    shares = np.zeros((len(poses), 13, 13))
    for share, (right, down, *_) in zip(shares, -poses):
        top, left = int(np.floor(down)), int(np.floor(right))
        for i, j in np.ndindex(2, 2):
            share[6 + top + i, 6 + left + j] = abs(1 - i - down + top) * abs(1 - j - right + left) / len(poses)
    return PoseDensity(poses[:, 2], shares)


def test_in_small_pictures_none_is_sought(rolled):
    assert rolling.sought(rolled[:511]) is None
