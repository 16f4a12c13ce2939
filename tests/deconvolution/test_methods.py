import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.blur import families
from deblurcli.blur.model import blur, through_jpeg
from deblurcli.deconvolution import fourier, methods, richardson_lucy, sparse
from deblurcli.deconvolution import prior as priors
from deblurcli.deconvolution.methods import METHODS
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.wiener import wiener
from deblurcli.errors import PSFError
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import measured_nsr, noise, rounding_noise

ROUNDING = rounding_noise(np.uint8)
ASYMMETRIC = families.centred(np.array([[0.4, 0, 0, 0], [0, 0.3, 0, 0], [0, 0, 0, 0.2], [0, 0, 0, 0.1]]))
PSFS = {
    "gaussian": families.gaussian(1.5),
    "motion": families.motion(15, 20),
    "defocus": families.defocus(3),
    "even": families.motion(8, 0),
    "asymmetric": ASYMMETRIC,
    "paper": families.paper_motion("horizontal"),
}


def eight_bits(image):
    return images.to_float(images.from_float(image, np.uint8))


@pytest.mark.parametrize("method", ["wiener", "sparse", "richardson-lucy"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", PSFS)
def test_a_known_psf_is_undone_at_eight_bits(sharp, name, channels, method):
    truth = sharp if channels == 3 else sharp.mean(axis=2, keepdims=True)
    blurred = eight_bits(blur(truth, PSFS[name]))
    restored = methods.restore(Picture(images.from_float(blurred, np.uint8)), PSFS[name], method=method)
    assert restored.pixels.shape == truth.shape
    gain = psnr(images.to_float(restored.pixels), truth) - psnr(blurred, truth)
    assert gain > (1.2 if method == "richardson-lucy" else 2)


@pytest.mark.parametrize("name", PSFS)
def test_the_sparse_prior_is_better_than_wiener_under_noise(sharp, name):
    noisy = blur(sharp, PSFS[name]) + np.random.default_rng(0).normal(0, 0.02, sharp.shape).astype(np.float32)
    scores = {
        method: psnr(function(noisy, PSFS[name], DeconvolutionOptions()), sharp) for method, function in METHODS.items()
    }
    assert scores["sparse"] > scores["wiener"] - 0.1
    assert scores["wiener"] > psnr(noisy, sharp) + 1
    assert scores["inverse"] < psnr(noisy, sharp) - 5


@pytest.mark.parametrize("method", ["wiener", "sparse", "richardson-lucy"])
@pytest.mark.parametrize("name", ["motion", "gaussian", "asymmetric"])
def test_what_lies_outside_need_not_be_a_reflection(sharp, name, method):
    """A blurred picture cut out of a larger one, as every photograph is, is restored up to its rim."""
    array, inside = PSFS[name], (slice(30, -30), slice(30, -30))
    blurred, truth = eight_bits(blur(sharp, array))[inside], sharp[inside]
    restored = METHODS[method](blurred, array, DeconvolutionOptions(least_noise=ROUNDING))
    assert psnr(restored, truth) > psnr(blurred, truth) + 1
    assert rim_error(restored, truth) < rim_error(blurred, truth)


def rim_error(image, truth):
    rim = np.ones(truth.shape[:2], bool)
    rim[12:-12, 12:-12] = False
    return np.square(image - truth)[rim].mean()


@pytest.mark.parametrize("name", ["motion", "gaussian", "asymmetric"])
def test_borders_do_not_ring(sharp, name):
    """A plain Wiener filter takes the picture for periodic, and its borders ring far into it."""
    array = PSFS[name]
    blurred = eight_bits(blur(sharp, array))
    ours = wiener(blurred, array, options=DeconvolutionOptions(least_noise=ROUNDING))
    assert psnr(ours, sharp) > psnr(periodic_wiener(blurred, array, measured_nsr(blurred, ROUNDING)), sharp) + 3
    inner = np.square(ours - sharp)[12:-12, 12:-12].mean()
    assert rim_error(ours, sharp) < 4 * inner


def test_clipped_lights_ring_less(sharp):
    """A lamp ten times brighter than white, clipped at white, against the same picture a shade below white."""
    scene = 0.6 * sharp
    scene[60:64, 60:64] = 10
    seen = eight_bits(np.clip(blur(scene, families.defocus(4)), 0, 1))
    truth = np.clip(scene, 0, 1)
    for method in ("wiener", "sparse"):
        restored = METHODS[method](seen, families.defocus(4), DeconvolutionOptions(least_noise=ROUNDING))
        ignorant = METHODS[method](seen * 0.99, families.defocus(4), DeconvolutionOptions(least_noise=ROUNDING))
        assert psnr(restored, truth) > max(psnr(seen, truth), psnr(ignorant, truth)) + 1


def periodic_wiener(image, array, nsr):
    placed = np.zeros(image.shape[:2])
    placed[: array.shape[0], : array.shape[1]] = array
    placed = np.roll(placed, (-(array.shape[0] // 2), -(array.shape[1] // 2)), (0, 1))
    otf = np.fft.fft2(placed)[..., None]
    gain = np.conj(otf) / (np.abs(otf) ** 2 + 10 * nsr)
    return np.clip(np.fft.ifft2(np.fft.fft2(image, axes=(0, 1)) * gain, axes=(0, 1)).real, 0, 1)


def test_an_asymmetric_psf_is_not_taken_for_its_mirror_image(sharp):
    blurred = eight_bits(blur(sharp, ASYMMETRIC))
    right = wiener(blurred, ASYMMETRIC, 1e-4)
    mirrored = wiener(blurred, ASYMMETRIC[::-1, ::-1], 1e-4)
    assert psnr(right, sharp) > psnr(mirrored, sharp) + 5


@given(st.integers(5, 40), st.integers(5, 40), st.floats(0, 1), st.sampled_from(["wiener", "sparse", "inverse"]))
def test_a_flat_picture_stays_flat(height, width, level, method):
    flat = np.full((height, width, 1), level, np.float32)
    np.testing.assert_allclose(METHODS[method](flat, families.gaussian(1, 5), DeconvolutionOptions()), flat, atol=2e-3)


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]), st.sampled_from(list(METHODS)))
def test_tiny_pictures_are_finite(height, width, channels, method):
    image = np.random.default_rng(0).random((height, width, channels), dtype=np.float32)
    restored = METHODS[method](image, np.ones((1, 1)), DeconvolutionOptions())
    assert restored.shape == image.shape and restored.dtype == np.float32 and np.isfinite(restored).all()


@pytest.mark.parametrize("penalty", [0.5, 8, 128])
def test_shrinkage_finds_the_minimum(penalty):
    table = sparse._shrinkage(penalty)
    candidates = np.linspace(0, 64, 20_001)
    values = np.array([0.1, 0.7, 1.5, 4, 30], np.float32)
    best = sparse._shrunk(values, table)
    for v, found in zip(values, best):
        cost = candidates**sparse.EXPONENT + penalty / 2 * (candidates - v) ** 2
        assert found == pytest.approx(candidates[cost.argmin()], abs=0.05)
    np.testing.assert_array_equal(sparse._shrunk(-values, table), -best)
    assert sparse._shrunk(np.float32([90]), table) == pytest.approx(90 - 64 + table[-1])


def test_richardson_lucy_ticks_and_sharpens_with_every_iteration(sharp):
    blurred, scores = eight_bits(blur(sharp, PSFS["gaussian"])), []
    for iterations in (1, 5, 20):
        ticks = []
        options = DeconvolutionOptions(iterations=iterations, least_noise=ROUNDING)
        restored = richardson_lucy.richardson_lucy(blurred, PSFS["gaussian"], options, progress=ticks.append)
        scores.append(psnr(restored, sharp))
        assert len(ticks) == iterations and sum(ticks) == pytest.approx(1)
    assert scores == sorted(scores)


def test_the_prior_finds_the_law_a_picture_was_made_by():
    """Noise shaped to a power law, blurred, and seen through more noise."""
    shape, array = (256, 320), families.gaussian(1.5)
    rng = np.random.default_rng(0)
    gain = np.where(fourier.frequency(shape) > 0, 1e-2 / np.maximum(fourier.frequency(shape), 1e-9) ** 0.55, 0)
    scene = fourier.back(fourier.forward(rng.standard_normal((1, *shape), np.float32)) * gain.astype(np.float32), shape)
    seen = fourier.forward(scene) * fourier.otf(array, shape)
    seen = seen + fourier.forward(rng.normal(0, 1e-3, (1, *shape)).astype(np.float32))
    trusted = fourier.frequency(shape) > 1e-3
    for least, known in ((1e-6, True), (1e-8, False)):
        prior = priors.fit_prior(priors.mean_power(seen, array, shape), array, shape, least, known)
        (ratio,), (noise_found,) = prior.spread(array, shape), prior.variances
        error = np.log(ratio[trusted] / 1e-6 * gain[trusted] ** 2)
        assert abs(np.log(noise_found / 1e-6)) < 1 and abs(np.median(error)) < 0.8


@pytest.mark.parametrize("quality", [75, 90])
@pytest.mark.parametrize("name", PSFS)
def test_jpeg_is_noise_of_its_own_kind(sharp, name, quality):
    """Compression clears the finest detail, so that nothing there tells of the noise it makes elsewhere."""
    seen = images.to_float(through_jpeg(images.from_float(blur(sharp, PSFS[name]), np.uint8), quality))
    for method in ("wiener", "sparse"):
        options = DeconvolutionOptions(least_noise=ROUNDING, compressed=True)
        assert psnr(METHODS[method](seen, PSFS[name], options), sharp) > psnr(seen, sharp)


def test_colours_are_turned_and_turned_back(sharp):
    rotation = fourier.decorrelation(sharp)
    planes = fourier.rotated(sharp, rotation)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(planes, (sharp @ rotation).transpose(2, 0, 1), atol=1e-5)
    np.testing.assert_allclose(fourier.derotated(planes, rotation), sharp, atol=1e-5)
    detail = np.diff(planes, axis=2).reshape(3, -1)
    assert detail[0].std() > 3 * detail[1].std() > 3 * detail[2].std() / 3


def test_no_blur_and_no_noise_give_the_picture_back(sharp):
    np.testing.assert_allclose(wiener(sharp, np.ones((1, 1)), 1e-9), sharp, atol=1e-4)


def test_a_larger_ratio_is_smoother(sharp):
    blurred = eight_bits(blur(sharp, families.gaussian(1.5)))
    detail = [noise(wiener(blurred, families.gaussian(1.5), nsr)) for nsr in (1e-5, 1e-3, 1e-1)]
    assert detail[0] > detail[1] > detail[2]


def test_a_psf_larger_than_the_picture_is_refused():
    with pytest.raises(PSFError, match=r"9×9 PSF, 20×8 picture"):
        wiener(np.zeros((8, 20, 3), np.float32), families.gaussian(2, 9), 1e-3)


@pytest.mark.parametrize("nsr", [0, -1, float("nan")])
def test_a_ratio_that_is_not_positive_is_refused(nsr):
    with pytest.raises(ValueError, match="nsr"):
        wiener(np.zeros((8, 8, 1), np.float32), np.ones((1, 1)), nsr)


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.05])
def test_noise_is_estimated(sharp, sigma):
    smooth = blur(sharp, families.gaussian(2))
    noisy = smooth + np.random.default_rng(0).normal(0, sigma, sharp.shape)
    assert noise(noisy) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 1), (2, 2, 3)])
def test_tiny_pictures_have_a_ratio(shape):
    assert measured_nsr(np.zeros(shape, np.float32)) > 0


def test_sixteen_bits_and_alpha_are_kept(sharp):
    blurred = images.from_float(blur(sharp, families.gaussian(1.5)), np.uint16)
    alpha = np.arange(blurred[..., 0].size, dtype=np.uint16).reshape(blurred.shape[:2])
    restored = methods.restore(Picture(blurred, alpha), families.gaussian(1.5))
    assert restored.pixels.dtype == np.uint16
    np.testing.assert_array_equal(restored.alpha, alpha)
    eight = methods.restore(Picture(images.from_float(images.to_float(blurred), np.uint8)), families.gaussian(1.5))
    assert psnr(images.to_float(restored.pixels), sharp) > psnr(images.to_float(eight.pixels), sharp) + 1


@pytest.mark.parametrize("nsr", [1e-12, 1e3])
def test_extreme_ratios_give_finite_pictures(sharp, nsr):
    assert np.isfinite(wiener(sharp, families.box(8), nsr)).all()


def test_noise_does_not_depend_on_the_type(sharp):
    eight = images.from_float(sharp, np.uint8)
    assert noise(eight) == pytest.approx(noise(images.to_float(eight)))
    assert measured_nsr(eight) == pytest.approx(measured_nsr(images.to_float(eight)))


def test_a_psf_of_even_sides_is_refused(sharp):
    for use in (
        lambda: wiener(sharp, np.full((2, 2), 0.25), 1e-3),
        lambda: blur(sharp, np.ones((1, 2)) / 2),
    ):
        with pytest.raises(PSFError, match="odd sides"):
            use()


def test_a_psf_of_another_type_restores_a_picture_in_tiles_as_well(sharp):
    large = np.tile(images.from_float(sharp, np.uint8), (-(-900 // sharp.shape[0]), -(-900 // sharp.shape[1]), 1))
    psf = np.float32(families.motion(9, 30))
    restored = [methods.restore(Picture(large), each).pixels for each in (psf, psf.astype(np.float64))]
    np.testing.assert_array_equal(*restored)
