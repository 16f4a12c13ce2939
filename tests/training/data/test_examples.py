"""Pairs for a network that refines, and what it is given of their blur."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from tests.conftest import DATA
from training import export, networks, recipe
from training.data import degradation, examples


@pytest.fixture(scope="module")
def refine():
    """The recipe, with small pieces."""
    loaded = recipe.load("refine")
    return replace(loaded, data=replace(loaded.data, crop=48, soft=0.0))


@pytest.fixture(scope="module")
def photographs():
    return [images.read_picture(DATA / "sharp" / f"{name}.png").pixels for name in ("astronaut", "cat")]


def test_an_item_is_a_pure_function_of_its_key_and_in_order(refine, photographs):
    pairs = examples.pairs(photographs, refine)
    inputs, sharp = pairs[3, 1]
    assert inputs.shape == (9, 48, 48) and sharp.shape == (3, 48, 48)
    assert all(torch.equal(*parts) for parts in zip((inputs, sharp), examples.pairs(photographs, refine)[3, 1]))
    assert not torch.equal(inputs, pairs[4, 1][0])
    blurred = inputs[:3].numpy()
    np.testing.assert_allclose(blurred * 255, np.rint(blurred * 255), atol=1e-4)


def test_the_careful_image_is_nearer_to_the_sharp_picture_than_the_blurred_one(refine, photographs):
    pairs = examples.pairs(photographs, replace(refine, data=replace(refine.data, wrong=0.0)))
    made = [[part.numpy().transpose(1, 2, 0) for part in pairs[epoch, 0]] for epoch in range(12)]
    blurred, bold, careful = (
        np.mean([psnr(inputs[..., first : first + 3], sharp) for inputs, sharp in made]) for first in (0, 3, 6)
    )
    assert careful > blurred + 1 and careful > bold


@pytest.fixture(scope="module")
def photo():
    """The recipe of the blind network, with small pieces that are not square, blurred the same all over."""
    loaded = recipe.load("photo")
    network = {"name": "residual-unet", "widths": [8, 8], "blocks": [1, 1]}
    return replace(loaded, network=network, data=replace(loaded.data, crop=(48, 32), varying=None))


def test_a_blind_network_s_pairs_are_degraded_in_many_ways(photo, photographs):
    whole = photographs[0][:48, :32]  # a piece without room around it, as the faces are
    pairs = examples.pairs([*photographs, whole], photo)
    assert type(pairs) is examples.Degraded
    made = [[part.numpy() for part in pairs[epoch, index]] for epoch in range(40) for index in range(3)]
    assert all(part.shape == (3, 48, 32) and part.dtype == np.float32 for both in made for part in both)
    assert all(part.min() >= 0 and part.max() <= 1 for both in made for part in both)
    np.testing.assert_array_equal(pairs[7, 1][0], pairs[7, 1][0])
    scores = [psnr(blurred.transpose(1, 2, 0), sharp.transpose(1, 2, 0)) for blurred, sharp in made]
    assert min(scores) < 22 and max(scores) > 33, "some are hardly blurred, some are hard to tell"
    mirrored = images.to_float(whole)[:, ::-1].transpose(2, 0, 1)
    assert any(np.array_equal(sharp, mirrored) for _, sharp in made)


def test_lights_brighter_than_white_spread_further(photo):
    """A lamp on black: in linear light, its blur is brighter than that of a lamp that is white at most."""
    night = np.zeros((112, 96, 3), np.float32)
    night[54:58, 46:50] = 1
    data = replace(photo.data, noise=(0.0, 0.0), jpeg=0.0)
    kernel, glow = psf.parse("gaussian:sigma=3").array(), []
    told = degradation.Blurring(kernel, kernel, exact=True)
    for share in (0.0, 1.0):
        sample = degradation.degrade(night, 32, told, replace(data, linear=share), np.random.default_rng(0))
        assert sample.sharp.shape == sample.blurred.shape == (48, 32, 3)
        assert sample.sharp.max() == 1 and set(np.unique(sample.sharp)) == {0, 1}
        glow.append(sample.blurred.sum())
    assert glow[1] > 1.5 * glow[0]


def test_two_blurs_are_one_after_the_other(photo, sharp):
    data = replace(photo.data, noise=(0.0, 0.0), jpeg=0.0, linear=0.0)
    specs = [psf.parse("gaussian:sigma=1.5"), psf.parse("motion:length=7,angle=0")]
    rng = np.random.default_rng(0)
    sample = degradation.degrade(sharp[:112, :96], 0, degradation.blurring(specs, data, rng), data, rng)
    inner = (slice(12, -12), slice(12, -12))
    expected = blur(blur(sharp[:112, :96], specs[0].array()), specs[1].array())
    assert np.abs(sample.blurred - expected)[inner].max() < 1.01 / 255 and not sample.blurring.exact


def test_without_a_refining_network_pairs_are_plain(photographs):
    faces = recipe.load("faces")
    assert type(examples.pairs(photographs, faces)) is examples.Pairs


@pytest.mark.parametrize("spec", ["gaussian:sigma=2", "motion:length=11,angle=30", "defocus:radius=3"])
def test_what_is_given_strays_as_far_as_said(spec):
    parsed, rng = psf.parse(spec), np.random.default_rng(0)
    values = {name: [] for name in degradation.STRAYS[parsed.family]}
    for _ in range(300):
        for name, drawn in values.items():
            drawn.append(
                degradation._strayed(dict(parsed.values)[name], name, degradation.STRAYS[parsed.family][name], rng)
            )
    for name, drawn in values.items():
        wanted = degradation.STRAYS[parsed.family][name]
        wanted = wanted if name in degradation.ABSOLUTE else wanted * dict(parsed.values)[name]
        assert np.std(drawn) == pytest.approx(wanted, rel=0.15)
    given = degradation.mistaken(parsed, rng)
    assert given.sum() == pytest.approx(1) and not np.array_equal(given, parsed.array())


def test_a_softened_psf_keeps_its_sum_and_its_centre():
    line = psf.parse("trajectory:length=15,seed=3").array()
    soft = degradation.blurred_psf(line, 0.7)
    assert soft.sum() == pytest.approx(1, abs=1e-6) and soft.max() < line.max()
    for axis, side in enumerate(soft.shape):
        assert soft.sum(axis=1 - axis) @ np.arange(side) == pytest.approx(side // 2, abs=1e-6)


def test_a_fresh_refining_network_gives_back_the_careful_image_also_as_onnx(tmp_path):
    network = networks.build({"name": "residual-unet", "widths": [8, 8], "blocks": [1, 1], "layers": 3}).eval()
    inputs = torch.rand(1, 9, 16, 24)
    assert torch.equal(network(inputs), inputs[:, 6:])
    export.to_onnx(network, tmp_path / "refine.onnx")
    assert export.parity(network, tmp_path / "refine.onnx") <= export.PARITY


@pytest.mark.parametrize("in_light", [False, True])
def test_a_blur_is_undone_where_it_was_at_work(in_light):
    """A grey square on dark ground, told the right PSF, is nearer to the truth in light or in values."""
    refine, told = recipe.load("refine"), psf.parse("motion:length=9,angle=0").array()
    ground = np.full((96, 96, 3), 0.05, np.float32)
    ground[40:56, 40:56] = 0.5
    data = replace(refine.data, noise=(0.0, 0.0), jpeg=0.0, linear=float(in_light))
    exact = degradation.Blurring(told, told, exact=True)
    sample = degradation.degrade(ground, 0, exact, data, np.random.default_rng(1))
    pairs = examples.pairs([np.zeros((256, 256, 3), np.uint8)], refine)
    right, wrong = (
        np.abs(pairs.inputs(replace(sample, in_light=seen))[..., 6:] - sample.sharp).mean()
        for seen in (in_light, not in_light)
    )
    assert sample.in_light == in_light and right < 0.7 * wrong
