import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.blur import families
from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.model import blur, through_jpeg
from deblurcli.blur.psf import parse_or_random
from deblurcli.errors import PSFError
from deblurcli.pictures.images import Picture, from_float, to_float

ASYMMETRIC = np.array([[0.5, 0, 0], [0.2, 0, 0], [0, 0.2, 0.1]])


def test_blur_is_convolution_with_a_reflected_border():
    image = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    expected = np.dstack([scipy.ndimage.convolve(image[..., c], ASYMMETRIC, mode="mirror") for c in range(3)])
    np.testing.assert_allclose(blur(image, ASYMMETRIC), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40, 1), (3, 2, 3), (64, 64, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_flat_picture_stays_flat_at_any_size_and_depth(shape, dtype):
    flat = np.full(shape, 0.25 if dtype == np.float32 else 77, dtype)
    blurred = blur(flat, families.gaussian(3))
    assert blurred.shape == shape and blurred.dtype == dtype
    np.testing.assert_allclose(blurred, flat, atol=1e-6)


@given(st.floats(1, 15), st.floats(0, 180))
def test_motion_blur_does_not_shift(length, angle):
    image = np.zeros((61, 61, 1), np.float32)
    image[30, 30] = 1
    blurred = blur(image, families.motion(length, angle))[..., 0]
    rows, columns = np.indices(blurred.shape)
    assert (blurred * rows).sum() == pytest.approx(30, abs=1e-3)
    assert (blurred * columns).sum() == pytest.approx(30, abs=1e-3)


def test_the_paper_s_blurs_are_opencv_s(sharp):
    np.testing.assert_allclose(blur(sharp, families.gaussian(2, 9)), cv2.GaussianBlur(sharp, (9, 9), 2), atol=1e-6)
    kernels = {"horizontal": np.zeros((8, 8)), "vertical": np.zeros((8, 8)), "diagonal": np.eye(8) / 8}
    kernels["horizontal"][3], kernels["vertical"][:, 3] = 1 / 8, 1 / 8
    for direction, kernel in kernels.items():
        expected = cv2.filter2D(sharp, -1, kernel.astype(np.float32))
        np.testing.assert_allclose(blur(sharp, families.paper_motion(direction)), expected, atol=1e-6)


@pytest.fixture
def picture(sharp):
    alpha = np.arange(sharp[..., 0].size).reshape(sharp.shape[:2]).astype(np.uint8)
    return Picture(from_float(sharp, np.uint8), alpha)


def test_a_picture_keeps_its_alpha(picture):
    made = Blurrer(parse_or_random("gaussian:1"))(picture, "a.png")
    blurred = made.picture
    assert blurred.pixels.shape == picture.pixels.shape and (blurred.pixels != picture.pixels).any()
    np.testing.assert_array_equal(blurred.alpha, picture.alpha)
    assert made.fields == {"psf": "gaussian:sigma=1", "noise": 0.0, "jpeg_quality": None, "seed": 0}


def test_noise_is_as_strong_as_asked_for_and_depends_on_name_and_seed(picture):
    def noisy(name, seed):
        return Blurrer(parse_or_random("gaussian:2"), noise=0.03, seed=seed)(picture, name).picture.pixels

    clean = to_float(Blurrer(parse_or_random("gaussian:2"))(picture, "a.png").picture.pixels)
    inside = (clean > 0.15) & (clean < 0.85)
    assert (to_float(noisy("a.png", 0)) - clean)[inside].std() == pytest.approx(0.03, rel=0.05)
    np.testing.assert_array_equal(noisy("a.png", 0), noisy("a.png", 0))
    assert (noisy("a.png", 0) != noisy("b.png", 0)).mean() > 0.5 < (noisy("a.png", 0) != noisy("a.png", 1)).mean()


def test_compression_comes_last(picture):
    soft = Blurrer(parse_or_random("gaussian:1"), jpeg_quality=20)(picture, "a.png").picture
    expected = through_jpeg(Blurrer(parse_or_random("gaussian:1"))(picture, "a.png").picture.pixels, 20)
    np.testing.assert_array_equal(soft.pixels, expected)
    np.testing.assert_array_equal(soft.alpha, picture.alpha)
    grey = Picture(picture.pixels[..., :1].astype(np.uint16) * 257)
    assert Blurrer(parse_or_random("gaussian:1"), jpeg_quality=90)(grey, "a").picture.pixels.dtype == np.uint16


def test_random_psfs_are_drawn_by_name_whatever_the_order():
    work = Blurrer(parse_or_random("random"), seed=7)
    specs = {name: work.spec(name) for name in ("a.png", "b.png", "sub/a.png")}
    assert len(set(specs.values())) == 3
    assert specs == {name: Blurrer(parse_or_random("random"), seed=7).spec(name) for name in reversed(specs)}
    assert specs["a.png"] != Blurrer(parse_or_random("random"), seed=8).spec("a.png")


@pytest.mark.parametrize("spec", ["nothing:1", "random:box", "gaussian"])
def test_a_wrong_spec_is_refused_at_once(spec):
    with pytest.raises(PSFError):
        parse_or_random(spec)
