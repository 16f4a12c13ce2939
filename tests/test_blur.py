import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

from deblurcli import psf
from deblurcli.blur import blur, blurrer
from deblurcli.errors import PSFError
from deblurcli.images import Picture

ASYMMETRIC = np.array([[0.5, 0, 0], [0.2, 0, 0], [0, 0.2, 0.1]])


def test_blur_is_convolution_with_a_reflected_border():
    image = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    expected = np.dstack([scipy.ndimage.convolve(image[..., c], ASYMMETRIC, mode="mirror") for c in range(3)])
    np.testing.assert_allclose(blur(image, ASYMMETRIC), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40, 1), (3, 2, 3), (64, 64, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_flat_picture_stays_flat_at_any_size_and_depth(shape, dtype):
    flat = np.full(shape, 0.25 if dtype == np.float32 else 77, dtype)
    blurred = blur(flat, psf.gaussian(3))
    assert blurred.shape == shape and blurred.dtype == dtype
    np.testing.assert_allclose(blurred, flat, atol=1e-6)


@given(st.floats(1, 15), st.floats(0, 180))
def test_motion_blur_does_not_shift(length, angle):
    image = np.zeros((61, 61, 1), np.float32)
    image[30, 30] = 1
    blurred = blur(image, psf.motion(length, angle))[..., 0]
    rows, columns = np.indices(blurred.shape)
    assert (blurred * rows).sum() == pytest.approx(30, abs=1e-3)
    assert (blurred * columns).sum() == pytest.approx(30, abs=1e-3)


def test_the_paper_s_blurs_are_opencv_s(sharp):
    np.testing.assert_allclose(blur(sharp, psf.gaussian(2, 9)), cv2.GaussianBlur(sharp, (9, 9), 2), atol=1e-6)
    kernels = {"horizontal": np.zeros((8, 8)), "vertical": np.zeros((8, 8)), "diagonal": np.eye(8) / 8}
    kernels["horizontal"][3], kernels["vertical"][:, 3] = 1 / 8, 1 / 8
    for direction, kernel in kernels.items():
        expected = cv2.filter2D(sharp, -1, kernel.astype(np.float32))
        np.testing.assert_allclose(blur(sharp, psf.paper_motion(direction)), expected, atol=1e-6)


def test_a_picture_keeps_its_alpha():
    pixels = np.random.default_rng(0).integers(0, 255, (9, 8, 3), np.uint8)
    alpha = np.arange(72, dtype=np.uint8).reshape(9, 8)
    blurred = blurrer("gaussian:1")(Picture(pixels, alpha))
    assert blurred.pixels.shape == pixels.shape and (blurred.pixels != pixels).any()
    np.testing.assert_array_equal(blurred.alpha, alpha)


def test_a_wrong_spec_is_refused_at_once():
    with pytest.raises(PSFError):
        blurrer("nothing:1")
