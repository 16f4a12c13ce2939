from pathlib import Path

import numpy as np
import pytest

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution import tiled
from deblurcli.deconvolution.data_consistency import enforce_data_consistency as enforced
from deblurcli.deconvolution.observation import Observation
from deblurcli.deconvolution.options import DEFAULTS, DeconvolutionOptions
from deblurcli.deconvolution.wiener import wiener
from deblurcli.metrics.table import psnr
from deblurcli.pictures.images import Picture, from_float, to_float
from deblurcli.pipeline.restoration import restoration

SPECS = ("motion:9,angle=30", "gaussian:1.5", "trajectory:15,seed=3", "defocus:3")


def seen(sharp, spec, noise=0.0, options=DEFAULTS):
    noisy = blur(sharp, psf.parse(spec).array()) + np.float32(noise) * np.random.default_rng(0).standard_normal(
        sharp.shape, np.float32
    )
    return Observation.of(noisy, psf.parse(spec).array(), options)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("noise", [0.0, 1 / 255, 3 / 255])
def test_what_a_restoration_missed_is_put_back(sharp, spec, noise):
    """A restoration that lost its finest detail gains, and its blur is nearer to what was seen."""
    blurred, lossy = seen(sharp, spec, noise), blur(sharp, families.gaussian(0.8))
    made = enforced(lossy, blurred)
    assert psnr(made, sharp) > psnr(lossy, sharp) + 0.3
    errors = [np.square(blur(image, psf.parse(spec).array()) - blurred.image).mean() for image in (made, lossy)]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_truth_without_noise_stays(sharp, channels):
    image = sharp[..., :channels]
    assert np.abs(enforced(image, seen(image, SPECS[0])) - image).max() < 2 / 255


def test_flat_areas_catch_no_noise():
    flat = np.full((96, 96, 3), 0.5, np.float32)
    made = enforced(flat, seen(flat, SPECS[1], 4 / 255))
    assert np.abs(made - flat).max() < 0.1 / 255


def test_more_noise_and_compression_are_believed_less(sharp):
    lossy = blur(sharp, families.gaussian(0.8))
    quiet, loud = (seen(sharp, SPECS[1], 0.5 / 255, DeconvolutionOptions(least_noise=noise)) for noise in (1e-5, 0.05))
    moved = [np.abs(made - lossy).mean() for made in (
        enforced(lossy, quiet), enforced(lossy, quiet, is_compressed=True), enforced(lossy, loud)
    )]  # fmt: skip
    assert moved[0] > moved[1] > moved[2] > 0


def test_tiles_join(sharp, monkeypatch):
    """In tiles a picture is moved as it is as a whole."""
    large = np.tile(sharp, (4, 3, 1))
    blurred = Picture(from_float(blur(large, psf.parse(SPECS[2]).array()), np.uint8))

    class Softened:
        halo = 16

        def restore(self, pixels, bold, careful):
            return blur(careful, families.gaussian(0.7))

        def suppress_halos(self, restored, pixels):
            return restored

    made = []
    for side in (4096, 320):
        monkeypatch.setattr(tiled, "TILE", side)
        made.append(restoration(SPECS[2], DEFAULTS, "wiener", Path(), refiner=Softened())(blurred, "a").picture.pixels)
    assert np.abs(made[0].astype(int) - made[1]).mean() < 0.3
    assert psnr(*map(to_float, made)) > 45


def test_the_wiener_filter_s_answer_is_consistent_already(sharp):
    blurred = seen(sharp, SPECS[0], 2 / 255)
    answer = wiener(blurred.image, psf.parse(SPECS[0]).array())
    before, after = (psnr(image, sharp) for image in (answer, enforced(answer, blurred)))
    assert after > before - 0.3
