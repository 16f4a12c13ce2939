"""Regions of a picture, and the PSFs that hold in them."""

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.estimation import free_form, regions
from deblurcli.pictures import images
from deblurcli.pictures.luma import to_luma

SHAKEN, OTHERWISE = "trajectory:20,seed=2", "motion:length=19,angle=100"


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    """Half a photograph beside another one, so that both halves show much; float32 (384, 480)."""
    left, right = skimage.data.astronaut()[:384, 100:340], skimage.data.coffee()[:384, 200:440]
    return to_luma(images.to_float(np.hstack([left, right])))


def noisy(*parts: np.ndarray) -> np.ndarray:
    picture = np.hstack(parts)
    return (picture + np.random.default_rng(0).normal(0, 0.005, picture.shape)).astype(np.float32)


def blurred(picture: np.ndarray, spec: str) -> np.ndarray:
    return blur(picture[..., None], psf.parse(spec).array())[..., 0]


def test_regions_cover_a_picture_from_end_to_end():
    luma = np.arange(600 * 900, dtype=np.float32).reshape(600, 900)
    parts = regions.parts(luma, 256)
    assert len(parts) == 8
    places = {(x, y) for x, y, _ in parts}
    assert (-322.0, -172.0) in places and (322.0, 172.0) in places
    assert parts[0][2][0, 0] == luma[0, 0] and parts[-1][2][-1, -1] == luma[-1, -1]


def test_a_psf_leads_in_every_region_of_what_it_blurred_all_over(sharp):
    assert regions.least(noisy(blurred(sharp, SHAKEN)), psf.parse(SHAKEN).array()) > 0.05


def test_a_psf_does_not_lead_where_another_blurred(sharp):
    half = sharp.shape[1] // 2
    mixed = noisy(blurred(sharp, SHAKEN)[:, :half], blurred(sharp, OTHERWISE)[:, half:])
    true = psf.parse(SHAKEN).array()
    assert free_form.sure(mixed, true, 0.3) < free_form.CERTAIN < free_form.sure(mixed[:, :half], true, 0.3)


@pytest.mark.parametrize(("strange", "holds"), [(1, True), (3, False)])
def test_one_region_of_many_may_be_strange(sharp, strange, holds):
    many = np.tile(sharp, (2, 2))[:576, :768]
    assert len(regions.parts(many)) == 12
    mixed = blurred(many, SHAKEN)
    mixed[:192, : 192 * strange] = blurred(many, OTHERWISE)[:192, : 192 * strange]
    assert (regions.least(noisy(mixed), psf.parse(SHAKEN).array()) > 0.03) == holds


def test_a_flat_region_does_not_count(sharp):
    sky = np.full((384, 400), 0.6, np.float32)
    seen, true = blurred(sharp, SHAKEN), psf.parse(SHAKEN).array()
    beside = images.to_float(images.from_float(noisy(seen, sky), np.uint8))
    assert regions.least(beside, true) > 0.05


def test_a_frame_does_not_hide_that_a_psf_is_right(sharp):
    framed = np.zeros((480, 576), np.float32)
    framed[40:440, 40:536] = 1
    framed[48:432, 48:528] = sharp
    true = psf.parse(SHAKEN).array()
    assert regions.least(noisy(blurred(framed, SHAKEN)), true) > 0.03


def test_how_sure_a_psf_is_falls_with_the_region_it_explains_worst(sharp, monkeypatch):
    true = psf.parse(SHAKEN).array()
    sure = []
    for least in (0.3, 0.03, 0.0, -0.2):
        monkeypatch.setattr(regions, "least", lambda *_, value=least: value)
        sure.append(free_form.sure(sharp, true, 0.3))
    assert sure[0] > sure[1] > sure[2] > sure[3]
    assert sure[1] > free_form.CERTAIN > sure[2]
    assert sure[1] == pytest.approx(1 / (1 + np.exp(-2.70 * np.log(0.09) - 7.97)), abs=1e-6)
