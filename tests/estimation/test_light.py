from pathlib import Path

import numpy as np
import pytest

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation import light
from deblurcli.estimation.estimate import estimate
from deblurcli.estimation.noise_to_signal import noise_to_signal
from deblurcli.metrics.table import psnr
from deblurcli.pictures.images import Picture
from deblurcli.pictures.luma import central_luma
from deblurcli.pipeline.restoration import restoration

SPECS = ["motion:length=12,angle=30", "defocus:radius=4"]


def photographed(sharp, spec, linear, noise=0.004):
    """A picture blurred in linear light or in its values, uint8."""
    values = sharp**2.2 if linear else sharp
    soft = np.clip(blur(values.astype(np.float32), parse(spec).array()), 0, 1)
    soft = soft + np.random.default_rng(0).normal(0, noise, soft.shape)
    coded = np.clip(soft, 0, 1) ** (1 / 2.2) if linear else np.clip(soft, 0, 1)
    return np.rint(255 * coded).astype(np.uint8)


def test_light_and_values_are_powers_of_each_other():
    values = np.linspace(0, 1, 11, dtype=np.float32)
    np.testing.assert_allclose(light.decoded(values), values.astype(float) ** 2.2, rtol=1e-5)
    np.testing.assert_allclose(light.encoded(light.decoded(values)), values, atol=1e-6)
    assert light.decoded(np.array([-0.1, 1.1])).tolist() == [0, 1], "what a filter overshoots is no light"


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("spec", SPECS)
def test_a_blur_is_found_in_the_values_in_which_it_happened(spec, linear, sharp):
    picture = photographed(sharp, spec, linear)
    assert (light.fits(central_luma(picture), parse(spec).array(), parse(spec).family) is not None) == linear
    found = estimate(picture)
    assert found.family == parse(spec).family and found.is_linear == linear
    assert [value for _, value in found.parameters] == pytest.approx([v for _, v in parse(spec).values][:2], abs=0.5)


def test_the_noise_of_a_blur_of_light_is_that_of_light(sharp):
    picture = photographed(sharp, SPECS[0], linear=True, noise=0.01)
    found = estimate(picture)
    share = np.square([0.299, 0.587, 0.114]).sum()  # of a channel's noise that is left in luma
    assert found.linear_noise is not None and found.linear_noise / share == pytest.approx(1e-4, rel=0.6)
    signal = ((picture / 255.0) ** 2.2).var(axis=(0, 1)).mean()
    assert noise_to_signal(picture, found, in_light=True) == pytest.approx(9 * 1e-4 / signal, rel=0.8)


@pytest.mark.parametrize("spec", SPECS)
def test_a_blur_of_light_is_undone_there(spec, sharp):
    """More is gained than by the same work made to believe that the values of the file were blurred."""
    picture = Picture(photographed(sharp, spec, linear=True))
    truth = np.rint(255 * sharp).astype(np.uint8)
    ticks = []
    work = restoration("auto", DeconvolutionOptions(), "wiener", Path(), refiner=_refiner(), progress=ticks.append)
    made = work(picture, "a")
    assert sum(ticks) == pytest.approx(1)
    assert made.fields["linear_light"] is True and made.picture.pixels.dtype == np.uint8
    known = restoration(spec, DeconvolutionOptions(), "wiener", Path(), refiner=_refiner())
    gain, without = (psnr(each.pixels, truth) for each in (made.picture, known(picture, "a").picture))
    assert gain > max(without, psnr(picture.pixels, truth)) + 0.5


def test_light_is_restored_in_tiles_as_well_as_whole(sharp, monkeypatch):
    from deblurcli.deconvolution import tiled

    large = np.tile(sharp, (2, 2, 1))
    picture, truth = Picture(photographed(large, SPECS[1], linear=True)), np.rint(255 * large).astype(np.uint8)
    work = restoration("auto", DeconvolutionOptions(), "wiener", Path(), refiner=_refiner())
    whole = work(picture, "a")
    monkeypatch.setattr(tiled, "TILE", 320)
    cut = work(picture, "a")
    assert whole.fields["linear_light"] and cut.fields["linear_light"]
    gains = [psnr(each.pixels, truth) for each in (picture, cut.picture, whole.picture)]
    assert gains[1] == pytest.approx(gains[2], abs=0.3) and gains[1] > gains[0] + 1


def _refiner():
    from deblurcli.inference.restorer import refiner

    return refiner("cpu", workers=1)
