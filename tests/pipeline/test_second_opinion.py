"""Two restorations blended by where they agree."""

import numpy as np
import pytest
import skimage.data

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution import methods
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.inference.restorer import restorer
from deblurcli.pictures.images import Picture
from deblurcli.pipeline import second_opinion
from deblurcli.pipeline.blind import Blind
from deblurcli.pipeline.restoration import Restoration
from deblurcli.pipeline.second_opinion import OF_ANY_FORM, WITH_A_FORMULA
from deblurcli.pipeline.sources import Finding

rng = np.random.default_rng(3)
SEEN = rng.integers(60, 190, (160, 1024, 3)).astype(np.int16)
CHANGE = rng.integers(-40, 41, SEEN.shape).astype(np.int16)
OTHER = rng.integers(-40, 41, SEEN.shape).astype(np.int16)


def picture(values) -> Picture:
    return Picture(values.astype(np.uint8))


def test_a_network_that_changes_less_in_the_same_direction_leaves_all_to_the_psf():
    made, share = second_opinion.blended(
        picture(SEEN), picture(SEEN + CHANGE), picture(SEEN + CHANGE // 3), OF_ANY_FORM
    )
    assert share > 0.99 and np.abs(made.pixels.astype(int) - (SEEN + CHANGE)).max() <= 1


def test_a_network_that_does_nothing_has_no_opinion():
    made, share = second_opinion.blended(picture(SEEN), picture(SEEN + CHANGE), picture(SEEN), OF_ANY_FORM)
    assert share > 0.99 and np.abs(made.pixels.astype(int) - (SEEN + CHANGE)).max() <= 1


def test_beside_a_formula_a_network_that_changes_as_much_in_the_same_direction_is_believed_more():
    """Both alike has an opposition of 0: the PSF's share is 1 / (1 + exp(-0.15 / 0.26)), whatever the changes are."""
    _, share = second_opinion.blended(picture(SEEN), picture(SEEN + CHANGE), picture(SEEN + CHANGE), WITH_A_FORMULA)
    assert share == pytest.approx(0.640, abs=0.005)
    _, share = second_opinion.blended(picture(SEEN), picture(SEEN + CHANGE), picture(SEEN + CHANGE), OF_ANY_FORM)
    assert share > 0.99


def test_where_both_differ_and_the_network_changes_more_it_is_believed_there_alone():
    small = CHANGE // 4
    blindly = SEEN + small
    blindly[:, :512] = (SEEN + OTHER)[:, :512]
    made, share = second_opinion.blended(picture(SEEN), picture(SEEN + small), picture(blindly), OF_ANY_FORM)
    assert 0.25 < share < 0.5
    np.testing.assert_array_equal(made.pixels[:, :400], blindly[:, :400])
    assert np.abs(made.pixels[:, -200:].astype(int) - (SEEN + small)[:, -200:]).max() <= 1


@pytest.mark.parametrize("shape", [(40, 33, 1), (17, 300, 3), (270, 20, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_size_depth_and_kind(shape, dtype):
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    one, two, three = ((top * np.random.default_rng(seed).random(shape)).astype(dtype) for seed in range(3))
    made, share = second_opinion.blended(Picture(one), Picture(two.copy()), Picture(three), WITH_A_FORMULA)
    assert made.pixels.shape == shape and made.pixels.dtype == dtype and 0 <= share <= 1
    low, high = np.minimum(two, three), np.maximum(two, three)
    assert (made.pixels >= low).all() and (made.pixels <= high).all()


@pytest.mark.parametrize("given, right", [("motion:length=15,angle=20", True), ("motion:length=15,angle=110", False)])
def test_a_wrong_psf_with_a_formula_does_not_hold(given, right):
    sharp = skimage.data.astronaut()[:320, :420]
    blurred = picture(255 * blur(sharp / np.float32(255), psf.parse("motion:length=15,angle=20").array()))
    restored = methods.restore(blurred, psf.parse(given).array(), DeconvolutionOptions(nsr=0.003), "wiener")
    assert second_opinion.holds(blurred, restored, Blind(restorer(workers=1))) == right


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("forced", [True, False])
def test_a_psf_that_does_not_hold_is_not_used(monkeypatch, holds, forced):
    blurred, other = picture(SEEN // 4 + 100), picture(SEEN // 4 + 131)
    monkeypatch.setattr(second_opinion, "holds", lambda *_: holds)
    found = Finding(psf.parse("gaussian:1").array(), {}, "moved", nsr=1.0, is_estimated=True)
    work = Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", blind=lambda *_: other, forced=forced)
    made = work(blurred, "a")
    if holds or forced:
        assert made.psf is not None and made.note == "restored, moved"
    else:
        assert made.picture is other and made.psf is None
        assert made.note == "restored blindly by photo, the blur that was found does not hold"


def test_the_part_with_most_detail_is_looked_at(monkeypatch):
    flat = np.full((900, 1200, 3), 90, np.uint8)
    flat[440:840, 700:1100] = SEEN[:100, :100].repeat(4, 0).repeat(4, 1)
    seen = []
    monkeypatch.setattr(second_opinion.reliability, "preferred", lambda *each: seen.extend(each) or np.ones((2, 2)))
    assert second_opinion.holds(Picture(flat), Picture(flat + 1), lambda part, _: part)
    assert {each.shape for each in seen} == {(400, 400, 3)}
    np.testing.assert_array_equal(seen[0], flat[440:840, 700:1100])
    np.testing.assert_array_equal(seen[2], seen[0] + 1)


@pytest.mark.parametrize("share, method", [(0.05, "photo"), (0.5, "wiener")])
@pytest.mark.parametrize(
    "free_form, reason", [(True, "its blur is not the same all over"), (False, "the blur that was found does not hold")]
)
def test_a_psf_that_the_network_opposes_nearly_everywhere_is_dropped(share, method, free_form, reason, monkeypatch):
    blurred, other, trusts = picture(SEEN // 4 + 100), picture(SEEN // 4 + 131), []

    def blended(seen, restored, blindly, trust):
        trusts.append(trust)
        return restored, share

    monkeypatch.setattr(second_opinion, "blended", blended)
    found = Finding(
        psf.parse("gaussian:1").array(),
        {},
        "shaken",
        nsr=1.0,
        linear_nsr=1.0,
        is_free_form=free_form,
        is_estimated=True,
    )
    work = Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", blind=lambda given, progress: other)
    made = work(blurred, "a")
    assert trusts == [OF_ANY_FORM if free_form else WITH_A_FORMULA]
    assert made.fields["method"] == method and (made.picture is other) == (made.psf is None) == (method == "photo")
    assert made.fields.get("photo_share") == (None if method == "photo" else 0.5)
    if method == "photo":
        assert made.note == f"restored blindly by photo, {reason}"
