import json
import tracemalloc

import numpy as np
import pytest
import scipy.ndimage
import skimage.data

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.choices import ESTIMATED
from deblurcli.errors import ImageError, PSFError
from deblurcli.estimation import estimate as estimation
from deblurcli.estimation import whittle
from deblurcli.estimation.estimate import (
    Estimate,
    estimate,
    from_psf,
    is_sharp,
    trusted,
)
from deblurcli.estimation.families import PARAMETRIC
from deblurcli.estimation.noise_to_signal import NSR_SAFETY, noise_to_signal
from deblurcli.estimation.psf_shape import alike
from deblurcli.pictures import images, noise, power_spectrum
from deblurcli.pictures.luma import LUMA_WEIGHTS
from tests.bench.estimation import separation
from tests.conftest import DATA

TOLERANCE = {"motion": (1.0, 3.0), "gaussian": (0.35,), "defocus": (0.25,)}


@pytest.fixture(scope="module")
def coffee() -> np.ndarray:
    """A photograph, float32 (400, 480, 3)."""
    return images.to_float(skimage.data.coffee()[:, 60:540])


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    """A soft photograph, float32 (H, W, 3)."""
    return images.read(DATA / "sharp" / "cat.png")


def seen_through(sharp, spec, noise=0.01, seed=0):
    """The picture blurred, with noise, at 8 bits."""
    blurred = blur(sharp, psf.parse(spec).array())
    noisy = blurred + np.random.default_rng(seed).normal(0, noise, blurred.shape).astype(np.float32)
    return images.from_float(noisy, np.uint8)


def assert_close(found: Estimate, spec: str):
    wanted = psf.parse(spec)
    assert found.family == wanted.family
    values = [value for name, value in wanted.values if name in dict(found.parameters)]
    errors = [abs(value - truth) for (_, value), truth in zip(found.parameters, values)]
    if found.family == "motion":
        errors[1] = abs((errors[1] + 90) % 180 - 90)
    assert all(error <= most for error, most in zip(errors, TOLERANCE[found.family])), (found.about(), spec)


@pytest.mark.parametrize(
    "spec",
    [
        "motion:length=6,angle=120",
        "motion:length=14.5,angle=31",
        "motion:length=24,angle=0",
        "gaussian:sigma=1.2",
        "gaussian:sigma=3.5",
        "defocus:radius=3.2",
        "defocus:radius=7",
    ],
)
def test_the_parameters_are_found(coffee, spec):
    found = estimate(seen_through(coffee, spec))
    assert_close(found, spec)
    assert trusted(found)


@pytest.mark.parametrize("spec", ["motion:length=12,angle=135", "gaussian:sigma=2"])
def test_the_parameters_are_found_in_a_small_picture(sharp, spec):
    assert_close(estimate(seen_through(sharp, spec, noise=0.005)), spec)


@pytest.mark.parametrize("noise", [0, 0.03])
def test_noise_matters_little(coffee, noise):
    assert_close(estimate(seen_through(coffee, "motion:length=15,angle=60", noise)), "motion:length=15,angle=60")


def test_a_picture_turned_a_quarter_has_its_angle_turned(coffee):
    blurred = seen_through(coffee, "motion:length=15,angle=30")
    assert_close(estimate(np.rot90(blurred)), "motion:length=15,angle=120")


@pytest.mark.parametrize("spec", ["motion:length=9,angle=70", "defocus:radius=4"])
def test_the_specification_gives_the_same_psf(coffee, spec):
    found = estimate(seen_through(coffee, spec))
    np.testing.assert_allclose(found.spec.array(), found.psf)
    assert found.psf.sum() == pytest.approx(1)


def test_depth_and_colour_do_not_matter(coffee):
    eight = seen_through(coffee[..., 1:2], "motion:length=11,angle=45")
    found = estimate(eight)
    sixteen = eight.astype(np.uint16) * 257
    same = (images.to_float(eight), sixteen, np.repeat(eight, 3, axis=2))
    for other in map(estimate, same):
        assert other.family == found.family
        assert other.confidence == pytest.approx(found.confidence, abs=1e-2)
        np.testing.assert_allclose(
            np.array(other.parameters)[:, 1].astype(float), [*dict(found.parameters).values()], 1e-2
        )


def test_of_a_soft_picture_no_blur_is_certain(cat):
    assert not trusted(estimate(cat))


@pytest.mark.parametrize("name", ["coffee", "sharp"])
def test_a_sharp_picture_is_not_blurred(name, request):
    found = estimate(request.getfixturevalue(name))
    assert found.family == "none" and not trusted(found)
    np.testing.assert_array_equal(found.psf, [[1.0]])


def through_jpeg(pixels, quality):
    return images.decode(images.encode(images.Picture(pixels), "jpeg", quality)).pixels


@pytest.mark.parametrize("spec", ["motion:length=14,angle=20", "gaussian:sigma=2.5", "defocus:radius=4"])
def test_jpeg_and_noise_do_not_make_a_blurred_picture_sharp(coffee, spec):
    found = estimate(through_jpeg(seen_through(coffee, spec, noise=0.02), 60))
    assert found.family == psf.parse(spec).family or found.family == "general"
    assert not is_sharp(found)


@pytest.mark.parametrize("quality", [85, 95])
def test_a_sharp_picture_is_sharp_after_jpeg(coffee, quality):
    assert is_sharp(estimate(through_jpeg(images.from_float(coffee, np.uint8), quality)))


@pytest.mark.parametrize("quality", [30, 60])
def test_strong_compression_is_taken_for_no_blur(coffee, quality):
    assert not trusted(estimate(through_jpeg(images.from_float(coffee, np.uint8), quality)))


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 5, 1), (1, 200, 3), (31, 31, 3)])
def test_of_a_tiny_picture_nothing_can_be_told(shape):
    for family in ESTIMATED:
        found = estimate(np.random.default_rng(0).random(shape), family)
        assert (found.family, found.confidence, found.psf.shape) == ("none", 0, (1, 1))


@pytest.mark.parametrize("family", ESTIMATED)
def test_the_smallest_picture_looked_at_raises_nothing(family):
    found = estimate(np.random.default_rng(0).random((32, 47, 1)), family)
    assert 0 <= found.confidence <= 1 and not trusted(found)
    assert found.psf.shape[0] % 2 == found.psf.shape[1] % 2 == 1


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_of_a_flat_picture_nothing_can_be_told(level):
    assert estimate(np.full((90, 120, 3), level)).about()["confidence"] == 0


def test_noise_alone_is_not_trusted():
    assert not trusted(estimate(np.random.default_rng(0).normal(0.5, 0.1, (200, 240, 3)).clip(0, 1)))


def test_a_family_can_be_asked_for_and_the_right_one_has_most_confidence(coffee):
    blurred = seen_through(coffee, "gaussian:sigma=2.5")
    found = [estimate(blurred, family) for family in ("motion", "gaussian", "defocus")]
    assert [each.family for each in found] == ["motion", "gaussian", "defocus"]
    assert max(found, key=lambda each: each.confidence).family == "gaussian"


def test_an_unknown_family_and_a_bad_image_are_refused():
    with pytest.raises(PSFError, match="swirl"):
        estimate(np.zeros((64, 64, 3)), "swirl")
    with pytest.raises(ImageError):
        estimate(np.zeros((64, 64)))


def test_an_estimate_tells_about_itself(coffee):
    about = estimate(seen_through(coffee, "defocus:radius=4")).about()
    assert json.loads(json.dumps(about)) == about
    assert about["spec"] == f"defocus:radius={about['parameters']['radius']:g}"
    assert list(about) == ["family", "parameters", "confidence", "size", "linear_light", "spec"]


def test_the_ratio_is_the_usual_one_for_white_noise_and_more_after_jpeg(coffee):
    noisy = seen_through(coffee, "defocus:radius=4")
    usual = noise.measured_nsr(noisy)
    assert noise_to_signal(noisy, estimate(noisy)) == pytest.approx(NSR_SAFETY * usual)
    jpeg = through_jpeg(noisy, 75)
    assert noise_to_signal(jpeg, estimate(jpeg)) > 3 * NSR_SAFETY * noise.measured_nsr(jpeg)


def bent() -> np.ndarray:
    """An L: eleven pixels down, nine to the right."""
    array = np.zeros((13, 13))
    array[1:12, 2] = array[11, 2:11] = 1
    return families.centred(array / array.sum())


def bowed() -> np.ndarray:
    """A third of a circle."""
    turn = np.linspace(0, 2, 300)
    array = np.zeros((19, 19))
    np.add.at(array, (np.rint(9 - 8 * np.sin(turn)).astype(int), np.rint(9 + 8 * np.cos(turn)).astype(int)), 1)
    return families.centred(array / array.sum())


@pytest.mark.parametrize("truth", [bent(), bowed()], ids=["bent", "bowed"])
def test_a_psf_without_a_formula_is_found(coffee, truth):
    noise = np.random.default_rng(0).normal(0, 0.005, coffee.shape)
    found = estimate(blur(coffee, truth) + noise, "general")
    assert found.family == "general" and found.spec is None and found.about()["parameters"] == {}
    as_thick = scipy.ndimage.gaussian_filter(np.pad(truth, 4), 1)  # the photograph is soft itself
    assert alike(found.psf, as_thick) > 0.7
    assert found.psf.min() >= 0 and found.psf.sum() == pytest.approx(1)
    rows, columns = (np.arange(side) - side // 2 for side in found.psf.shape)
    assert abs(found.psf.sum(axis=1) @ rows) < 0.2 and abs(found.psf.sum(axis=0) @ columns) < 0.2


@pytest.mark.parametrize("name, parameters", [("motion", (9.0, 30.0)), ("gaussian", (1.5,)), ("defocus", (4.0,))])
def test_the_formulas_are_those_of_the_psfs(name, parameters):
    """At low frequencies; at high ones the sampling of a slanting line smooths it across."""
    at = power_spectrum.measure(np.zeros((128, 128), np.float32), 128, 0.11)
    made = power_spectrum.power_of(psf.PSFS[name].make(*parameters), at)
    np.testing.assert_allclose(PARAMETRIC[name].power(at, np.array(parameters)), made, atol=0.07)


@pytest.mark.parametrize("text", ["motion:length=12,angle=30", "trajectory:length=20,seed=3"])
def test_of_a_psf_that_is_told_the_noise_is_found(coffee, text):
    spec, grain = psf.parse(text), np.random.default_rng(0).normal(0, 0.02, coffee.shape).astype(np.float32)
    named = spec if spec.family in PARAMETRIC else None
    found = from_psf(np.clip(blur(coffee, spec.array()) + grain, 0, 1), spec.array(), named)
    assert trusted(found) and found.confidence == 1 and found.family == ("general" if named is None else "motion")
    np.testing.assert_allclose(found.psf, spec.array(), atol=1e-9)
    in_luma = 0.02**2 * np.square(LUMA_WEIGHTS).sum()
    assert found.noise == pytest.approx(in_luma, rel=0.4) and not found.is_linear


@pytest.mark.parametrize("share, kept", [(0.0, True), (0.05, True), (0.2, False), (3.0, False)])
def test_a_family_that_takes_the_picture_for_noise_is_not_believed(coffee, share, kept):
    """Beside the noise that its finest detail shows, which may be much."""
    noisy = coffee + np.random.default_rng(0).normal(0, 0.1, coffee.shape)
    luma = (noisy @ LUMA_WEIGHTS).astype(np.float32)
    left = 0.1**2 * np.square(LUMA_WEIGHTS).sum() + share * luma.var()
    motion = Estimate(psf.parse("motion:length=9"), np.ones((1, 9)) / 9, 0.85, "motion", noise=float(left))
    assert estimation._explaining(luma, motion).confidence == (0.85 if kept else 0.0)


@pytest.mark.parametrize(
    "fine, confidence, side, better",
    [
        ("general", 0.85, 15, False),  # a PSF of any form that is certain, against a family that is not beyond doubt
        ("general", 0.95, 15, True),
        ("motion", 0.85, 15, True),
        ("motion", 0.95, 9, False),  # what is small shows more in the picture itself
        ("none", 0.85, 9, True),
    ],
)
def test_which_size_of_a_picture_tells_more(fine, confidence, side, better):
    one, other = (
        Estimate(None, np.full((1, side), 1 / side), 0.9, fine),
        Estimate(None, np.ones((1, side)) / side, confidence, "motion"),
    )
    assert estimation._is_better(other, one) == better


@pytest.mark.parametrize(
    "family, confidence, sought",
    [("gaussian", 0.93, True), ("defocus", 0.93, True), ("motion", 0.93, False), ("motion", 0.85, True)],
)
def test_beside_which_families_a_psf_of_any_form_is_sought(family, confidence, sought, monkeypatch):
    named = Estimate(None, np.ones((1, 5)) / 5, confidence, family)
    free, asked = Estimate(None, np.ones((3, 3)) / 9, 0.95, "general"), []
    monkeypatch.setattr(estimation, "_general", lambda luma, search, rival: asked.append(rival) or free)
    assert estimation._unrivalled(np.zeros((64, 64), np.float32), None, named) is (free if sought else named)
    assert all(rival is named.psf for rival in asked) and len(asked) == sought


def test_white_noise_has_a_flat_spectrum_of_its_variance():
    noise = np.random.default_rng(0).normal(0, 0.1, (300, 300)).astype(np.float32)
    assert power_spectrum.measure(noise, 64, 0.5).power.mean() == pytest.approx(0.01, rel=0.05)


def test_a_profile_and_a_fit_agree(coffee):
    seen = power_spectrum.measure(coffee.mean(axis=2), 64, 0.45)
    nothing = np.zeros(0)
    fit = whittle.fit(seen, PARAMETRIC["none"].response, nothing, nothing, nothing)
    profile = whittle.profile(seen, np.ones((2, len(seen.power)), np.float32), rounds=30)
    np.testing.assert_allclose(profile, fit.misfit, atol=2e-3)


def test_separation_is_the_area_under_the_curve():
    class Trial:
        def __init__(self, confidence, right):
            self.found, self.right = Estimate(None, np.ones((1, 1)), confidence, "none"), right

    assert separation([Trial(0.9, True), Trial(0.8, False), Trial(0.7, True), Trial(0.1, False)]) == 0.75


@pytest.fixture(scope="module")
def large(coffee) -> np.ndarray:
    """A photograph mirrored to four times its area, float32 (760, 960, 3)."""
    return np.pad(coffee, ((0, 360), (0, 480), (0, 0)), mode="reflect")


@pytest.mark.parametrize("spec", ["motion:length=72,angle=35", "defocus:radius=23", "motion:length=12,angle=120"])
def test_large_and_small_blurs_of_a_large_picture_are_found(large, spec):
    found = estimate(seen_through(large, spec))
    assert_close(found, spec)
    assert trusted(found)


def test_long_camera_shake_of_a_large_picture_is_found(large):
    shake = psf.parse("trajectory:50,seed=7").array()
    found = estimate(seen_through(large, "trajectory:50,seed=7"))
    assert max(shake.shape) > 31
    assert trusted(found) and found.family == "general" and found.psf.sum() == pytest.approx(1)
    as_thick = scipy.ndimage.gaussian_filter(np.pad(shake, 6), 1.5)
    assert alike(found.psf, as_thick) > 0.75


def test_a_large_sharp_picture_is_looked_at_once(large, monkeypatch):
    sizes = []
    looked = power_spectrum.measure
    monkeypatch.setattr(
        power_spectrum, "measure", lambda luma, *more: (sizes.append(luma.shape), looked(luma, *more))[1]
    )
    assert estimate(images.from_float(large, np.uint8)).family == "none"
    assert set(sizes) == {large.shape[:2]}


def test_after_long_paths_is_restored_more_carefully(large):
    blurred = [seen_through(large, f"motion:length={length},angle=35") for length in (20, 60)]
    short, long = (noise_to_signal(each, estimate(each)) / noise.measured_nsr(each) for each in blurred)
    assert short == pytest.approx(NSR_SAFETY) and long == pytest.approx(3 * NSR_SAFETY)


def test_a_large_picture_is_looked_at_strip_by_strip():
    tracemalloc.start()
    assert estimate(np.zeros((6000, 8000, 3), np.uint8)).family == "none"
    taken = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert taken < 300
