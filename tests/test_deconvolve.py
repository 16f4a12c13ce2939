import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurcli import deconvolve, images, psf
from deblurcli.blur import blur
from deblurcli.errors import PSFError
from deblurcli.images import Picture
from deblurcli.metrics import psnr

ASYMMETRIC = psf.centred(np.array([[0.4, 0, 0, 0], [0, 0.3, 0, 0], [0, 0, 0, 0.2], [0, 0, 0, 0.1]]))
PSFS = {
    "gaussian": psf.gaussian(1.5),
    "motion": psf.motion(15, 20),
    "defocus": psf.defocus(3),
    "even": psf.motion(8, 0),
    "asymmetric": ASYMMETRIC,
    "paper": psf.paper_motion("horizontal"),
}


def eight_bits(image):
    return images.to_float(images.from_float(image, np.uint8))


@pytest.mark.parametrize("name", PSFS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_known_psf_is_undone_at_eight_bits(sharp, name, channels):
    truth = sharp if channels == 3 else sharp.mean(axis=2, keepdims=True)
    blurred = eight_bits(blur(truth, PSFS[name]))
    restored = deconvolve.restore(Picture(images.from_float(blurred, np.uint8)), PSFS[name])
    assert restored.pixels.shape == truth.shape
    assert psnr(images.to_float(restored.pixels), truth) > psnr(blurred, truth) + 2


@pytest.mark.parametrize("name", ["motion", "gaussian", "asymmetric"])
def test_reflecting_borders_do_not_ring(sharp, name):
    """A plain Wiener filter takes the picture for periodic, and its borders ring far into it."""
    array = PSFS[name]
    blurred = eight_bits(blur(sharp, array))
    nsr = deconvolve.noise_to_signal(blurred, deconvolve.rounding_noise(np.uint8))
    ours = deconvolve.wiener(blurred, array, nsr)
    assert psnr(ours, sharp) > psnr(periodic_wiener(blurred, array, nsr), sharp) + 3
    rim = np.ones(sharp.shape[:2], bool)
    rim[12:-12, 12:-12] = False
    inner = np.square(ours - sharp)[~rim].mean()
    assert np.square(ours - sharp)[rim].mean() < 4 * inner


def periodic_wiener(image, array, nsr):
    placed = np.zeros(image.shape[:2])
    placed[: array.shape[0], : array.shape[1]] = array
    placed = np.roll(placed, (-(array.shape[0] // 2), -(array.shape[1] // 2)), (0, 1))
    otf = np.fft.fft2(placed)[..., None]
    gain = np.conj(otf) / (np.abs(otf) ** 2 + 10 * nsr)
    return np.clip(np.fft.ifft2(np.fft.fft2(image, axes=(0, 1)) * gain, axes=(0, 1)).real, 0, 1)


def test_an_asymmetric_psf_is_not_taken_for_its_mirror_image(sharp):
    blurred = eight_bits(blur(sharp, ASYMMETRIC))
    right = deconvolve.wiener(blurred, ASYMMETRIC, 1e-4)
    mirrored = deconvolve.wiener(blurred, ASYMMETRIC[::-1, ::-1], 1e-4)
    assert psnr(right, sharp) > psnr(mirrored, sharp) + 5


@given(st.integers(5, 40), st.integers(5, 40), st.floats(0, 1), st.floats(1e-6, 10))
def test_a_flat_picture_stays_flat(height, width, level, nsr):
    flat = np.full((height, width, 1), level, np.float32)
    np.testing.assert_allclose(deconvolve.wiener(flat, psf.gaussian(1, 5), nsr), flat, atol=1e-4)


def test_no_blur_and_no_noise_give_the_picture_back(sharp):
    np.testing.assert_allclose(deconvolve.wiener(sharp, np.ones((1, 1)), 1e-9), sharp, atol=1e-4)


def test_a_larger_ratio_is_smoother(sharp):
    blurred = eight_bits(blur(sharp, psf.gaussian(1.5)))
    detail = [deconvolve.noise(deconvolve.wiener(blurred, psf.gaussian(1.5), nsr)) for nsr in (1e-5, 1e-3, 1e-1)]
    assert detail[0] > detail[1] > detail[2]


def test_a_psf_larger_than_the_picture_is_refused():
    with pytest.raises(PSFError, match=r"9×9 PSF, 20×8 picture"):
        deconvolve.wiener(np.zeros((8, 20, 3), np.float32), psf.gaussian(2, 9), 1e-3)


@pytest.mark.parametrize("nsr", [0, -1, float("nan")])
def test_a_ratio_that_is_not_positive_is_refused(nsr):
    with pytest.raises(ValueError, match="nsr"):
        deconvolve.wiener(np.zeros((8, 8, 1), np.float32), np.ones((1, 1)), nsr)


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.05])
def test_noise_is_estimated(sharp, sigma):
    smooth = blur(sharp, psf.gaussian(2))
    noisy = smooth + np.random.default_rng(0).normal(0, sigma, sharp.shape)
    assert deconvolve.noise(noisy) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 1), (2, 2, 3)])
def test_tiny_pictures_have_a_ratio(shape):
    assert deconvolve.noise_to_signal(np.zeros(shape, np.float32)) > 0


def test_sixteen_bits_and_alpha_are_kept(sharp):
    blurred = images.from_float(blur(sharp, psf.gaussian(1.5)), np.uint16)
    alpha = np.arange(blurred[..., 0].size, dtype=np.uint16).reshape(blurred.shape[:2])
    restored = deconvolve.deconvolver("gaussian:1.5")(Picture(blurred, alpha))
    assert restored.pixels.dtype == np.uint16
    np.testing.assert_array_equal(restored.alpha, alpha)
    eight = deconvolve.deconvolver("gaussian:1.5")(Picture(images.from_float(images.to_float(blurred), np.uint8)))
    assert psnr(images.to_float(restored.pixels), sharp) > psnr(images.to_float(eight.pixels), sharp) + 1


@pytest.mark.parametrize("nsr", [1e-12, 1e3])
def test_extreme_ratios_give_finite_pictures(sharp, nsr):
    assert np.isfinite(deconvolve.wiener(sharp, psf.box(8), nsr)).all()


def test_noise_does_not_depend_on_the_type(sharp):
    eight = images.from_float(sharp, np.uint8)
    assert deconvolve.noise(eight) == pytest.approx(deconvolve.noise(images.to_float(eight)))
    assert deconvolve.noise_to_signal(eight) == pytest.approx(deconvolve.noise_to_signal(images.to_float(eight)))


def test_a_psf_of_even_sides_is_refused(sharp):
    for use in (
        lambda: deconvolve.wiener(sharp, np.full((2, 2), 0.25), 1e-3),
        lambda: blur(sharp, np.ones((1, 2)) / 2),
    ):
        with pytest.raises(PSFError, match="odd sides"):
            use()
