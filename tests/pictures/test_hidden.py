from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage

from deblurcli.blur import psf
from deblurcli.blur.model import blur, blur_weighted
from deblurcli.pictures import hidden, images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Processed
from tests.shell import run

RNG = np.random.default_rng(0)


def sprite(dtype=np.uint8, channels=3):
    """A disc of texture, with loud colours hidden around it."""
    pixels = RNG.integers(90, 160, (40, 48, channels)).astype(dtype)
    rows, columns = np.mgrid[:40, :48]
    alpha = ((rows - 20) ** 2 + (columns - 24) ** 2 < 14**2).astype(dtype) * np.iinfo(dtype).max
    pixels[alpha == 0] = np.iinfo(dtype).max
    return Picture(pixels, alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_hidden_colours_are_covered_by_the_nearest_ones_and_come_back(dtype, channels):
    picture = sprite(dtype, channels)
    covered = hidden.covered(picture)
    shown = picture.alpha > 0
    np.testing.assert_array_equal(covered.pixels[shown], picture.pixels[shown])
    assert covered.pixels[~shown].max() < 160
    far = scipy.ndimage.distance_transform_edt(~shown)
    rows, columns = np.argwhere(far > 0)[7]
    nearest = shown & (np.hypot(*(np.indices(shown.shape) - [[[rows]], [[columns]]])) < far[rows, columns] + 1)
    assert covered.pixels[rows, columns].tolist() in picture.pixels[nearest].tolist()
    assert hidden.uncovered(Processed(covered), picture).picture.equals(picture)


@pytest.mark.parametrize("alpha", [None, np.zeros((40, 48), np.uint8), np.full((40, 48), 255, np.uint8)])
def test_a_picture_without_anything_to_cover_is_the_same(alpha):
    picture = replace(sprite(), alpha=alpha)
    assert hidden.covered(picture) is picture


@pytest.mark.parametrize("spec", ["gaussian:2", "motion:9", "box:1"])
def test_blurring_weighs_colours_by_alpha(spec):
    kernel = psf.parse(spec).array()
    image, alpha = RNG.random((20, 30, 3), np.float32), RNG.random((20, 30), np.float32)

    def convolved(plane):
        return scipy.ndimage.convolve(plane, kernel, mode="mirror")

    mixed = np.dstack([convolved(image[..., channel] * alpha) for channel in range(3)])
    expected = mixed / convolved(alpha)[..., None]
    np.testing.assert_allclose(blur_weighted(image, alpha, kernel), expected, atol=1e-5)
    np.testing.assert_allclose(blur_weighted(image, np.ones_like(alpha), kernel), blur(image, kernel), atol=1e-6)


@pytest.mark.parametrize(
    "command", [["blur", "--gaussian", "2"], ["blur", "--psf", "box:1"], ["wiener", "--psf", "gaussian:2"], ["deblur"]]
)
def test_no_hidden_colour_bleeds_into_a_sprite(command, tmp_path):
    picture = sprite(channels=1)
    shown = picture.alpha > 0
    picture.pixels[shown] = 128
    images.write_picture(tmp_path / "a.png", picture)
    done = run(command[0], tmp_path / "a.png", tmp_path / "b.png", *command[1:])
    assert done.returncode == 0, done.stderr
    made = images.read_picture(tmp_path / "b.png")
    np.testing.assert_allclose(made.pixels[shown].astype(int), 128, atol=1)
    np.testing.assert_array_equal(made.pixels[~shown], picture.pixels[~shown])
    np.testing.assert_array_equal(made.alpha, picture.alpha)
