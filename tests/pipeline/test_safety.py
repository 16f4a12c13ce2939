"""What restoring must not do: harm what is sharp, make texture of skies, ring at edges, coarsen depth, dim lights."""

from pathlib import Path

import numpy as np
import pytest

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.inference.restorer import refiner, restorer
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.restoration import restoration
from deblurcli.pipeline.sources import AUTO

STEPS = {"dark": (0.05, 0.5), "light": (0.2, 0.8)}


@pytest.fixture(scope="module")
def photo():
    return restorer("photo")


@pytest.fixture(scope="module")
def auto(photo):
    """What `deblur` does, on pixels."""
    work = restoration(AUTO, DeconvolutionOptions(), "wiener", Path(), refiner=refiner(), blind=photo)
    return lambda pixels: work(Picture(pixels), "a").picture.pixels


def stored(image, depth=np.uint8):
    return images.from_float(image, depth)


def sky(noise):
    """A slope of light without any texture, and the same as a camera sees it."""
    down, right = np.mgrid[:160, :240].astype(np.float32)
    clear = (120 + 0.1 * right + 0.2 * down)[..., None] / 255 + np.zeros(3, np.float32)
    return clear, stored(clear + noise * np.random.default_rng(0).standard_normal(clear.shape, np.float32))


def test_what_is_sharp_stays_as_it_is(photo, auto, sharp):
    pixels = stored(sharp)
    assert psnr(images.to_float(photo.restore(pixels)), images.to_float(pixels)) > 42
    np.testing.assert_array_equal(auto(pixels), pixels)


@pytest.mark.parametrize("noise", [1 / 255, 3 / 255])
def test_a_sky_gets_no_texture(photo, auto, noise):
    clear, seen = sky(noise)
    for restore in (photo.restore, auto):
        assert np.std(images.to_float(restore(seen)) - clear) <= 1.01 * np.std(images.to_float(seen) - clear)


@pytest.mark.parametrize("noise", [0, 1 / 255])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("spec", ["gaussian:2", "gaussian:3", "gaussian:4", "motion:20,angle=30", "defocus:4"])
def test_a_blurred_step_gets_no_halo(photo, spec, step, noise):
    low, high = STEPS[step]
    edge = np.full((96, 128, 3), low, np.float32)
    edge[:, 64:] = high
    soft = blur(edge, psf.parse(spec).array()) + noise * np.random.default_rng(0).standard_normal(
        edge.shape, np.float32
    )
    seen = Picture(stored(soft))
    given = restoration(spec, DeconvolutionOptions(), "wiener", Path(), refiner=refiner())
    for restored in (photo.restore(seen.pixels), given(seen, "a").picture.pixels):
        inner = images.to_float(restored)[16:-16]
        assert inner.max() <= high + 0.02 and inner.min() >= low - 0.02


def test_sixteen_bits_stay_fine(photo, sharp):
    soft = blur(sharp, families.gaussian(2))
    deep, shallow = (photo.restore(stored(soft, depth)) for depth in (np.uint16, np.uint8))
    assert deep.dtype == np.uint16 and (deep % 257 != 0).mean() > 0.9
    assert np.abs(images.to_float(deep) - images.to_float(shallow)).mean() < 2 / 255


def test_what_is_overexposed_stays_so(photo, auto, sharp):
    soft = stored(blur(np.clip(2 * sharp, 0, 1), families.gaussian(1.5)))
    lights = (soft == 255).all(axis=2)
    assert lights.mean() > 0.1
    for restore in (photo.restore, auto):
        assert (restore(soft)[lights] >= 252).mean() > 0.999
