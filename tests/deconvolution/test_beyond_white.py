"""Light beyond white: found where it was, taken off, and put back."""

from dataclasses import replace

import numpy as np
import pytest

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.deconvolution import observation
from deblurcli.deconvolution.beyond_white import Dimmed
from deblurcli.deconvolution.frame import Frame
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.sparse import sparse
from deblurcli.deconvolution.wiener import wiener

PSF = parse("trajectory:21,seed=4").array()
LAMPS = {(40, 50): 40.0, (90, 30): 15.0, (70, 100): 60.0}  # rows and columns, and how many times white


@pytest.fixture
def scene() -> np.ndarray:
    """Dim checks with three lamps of 3 × 3 pixels, ``(128, 144, 3)``, in which 1 is white."""
    checks = np.kron(np.indices((8, 9)).sum(axis=0) % 2, np.ones((16, 16)))
    night = np.repeat(0.1 + 0.2 * checks[..., None], 3, axis=2).astype(np.float32)
    for (top, left), brightness in LAMPS.items():
        night[top : top + 3, left : left + 3] = brightness
    return night


def blurred(scene: np.ndarray) -> np.ndarray:
    """What a sensor would show of it if there were no white."""
    brightest = float(scene.max())
    return blur(scene / np.float32(brightest), PSF) * np.float32(brightest)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(one - other)[16:-16, 16:-16].mean()))


def test_lamps_are_found_where_they_are(scene):
    """Where all of a trace is clipped it tells no more than that its lamp is bright enough."""
    beyond = Dimmed.of(np.minimum(blurred(scene), 1), PSF).beyond
    near = np.zeros(beyond.shape, bool)
    for (top, left), brightness in LAMPS.items():
        at = slice(top - 1, top + 4), slice(left - 1, left + 4)
        near[at] = True
        assert 9 * 4 < beyond[at].sum() / 3 < 9 * brightness
    assert beyond[near].sum() > 0.99 * beyond.sum()


def test_what_is_left_is_the_blur_of_a_scene_that_ends_at_white(scene):
    seen = np.minimum(blurred(scene), 1)
    expected = blur(np.minimum(scene, 1), PSF)
    assert psnr(Dimmed.of(seen, PSF).image, expected) > psnr(seen, expected) + 8


@pytest.mark.parametrize("method", [wiener, sparse])
def test_a_shaken_night_is_restored(scene, method, monkeypatch):
    options, seen, sharp = DeconvolutionOptions(nsr=1e-4), np.minimum(blurred(scene), 1), np.minimum(scene, 1)
    made = method(seen, PSF, options=options)
    monkeypatch.setattr(observation.Dimmed, "of", lambda image, psf: Dimmed(image))
    as_it_is = method(seen, PSF, options=options)
    assert made.min() >= 0 and made.max() == 1
    assert psnr(made, sharp) > psnr(as_it_is, sharp) + 3
    assert psnr(made, sharp) > psnr(seen, sharp) + 3


def test_nothing_is_taken_off_where_nothing_is_beyond_white():
    """A white sky is white, not beyond it, and a picture without white stays the same array."""
    rng = np.random.default_rng(0)
    land = np.kron(rng.uniform(0.2, 0.8, (8, 9, 3)), np.ones((16, 16, 1))).astype(np.float32)
    dark = Dimmed.of(seen := blur(land, PSF), PSF)
    assert dark.image is seen and not dark.beyond.any()
    land[:50] = 1
    bright = Dimmed.of(seen := blur(land, PSF), PSF)
    assert (seen == 1).any()
    np.testing.assert_array_equal(bright.image, seen)
    assert not bright.beyond.any()


def test_light_that_clips_nothing_can_be_spared(scene):
    """A point of three times white that leaves a trace of grey stays where only clipping lights are taken off."""
    scene[100, 110] = 3
    seen = np.minimum(blurred(scene), 1)
    at = slice(98, 103), slice(108, 113)
    every, clipping = (Dimmed.of(seen, PSF, clipping_only=only).beyond for only in (False, True))
    assert every[at].max() > 0.5 and not clipping[at].any()
    top, left = next(iter(LAMPS))
    np.testing.assert_array_equal(every[top, left], clipping[top, left])


def test_what_is_far_from_lights_is_not_looked_at(scene):
    seen = np.minimum(blurred(scene), 1)
    wide = np.tile(seen[:, :16], (1, 30, 1))
    wide[:, :144] = seen
    dimmed = Dimmed.of(wide, PSF)
    np.testing.assert_array_equal(dimmed.image[:, 200:], wide[:, 200:])
    assert dimmed.beyond[:, :144].any() and not dimmed.beyond[:, 200:].any()


def test_a_frame_knows_what_it_does_not_see(scene):
    """What is at the rim of the grid is not seen, what is in the middle wholly; blurring and its mirror are adjoint."""
    frame = Frame.of((128, 144), PSF)
    assert frame.inside(frame.coverage)[0, 64, 72] == pytest.approx(1, abs=1e-5)
    assert frame.coverage[0, -1, -1] == np.float32(0.01)
    rng = np.random.default_rng(1)
    grid = rng.random((2, *frame.shape), np.float32)
    planes = rng.random((2, 128, 144), np.float32)
    assert np.vdot(frame.blurred(grid), planes) == pytest.approx(np.vdot(grid, frame.spread_back(planes)), rel=1e-4)
    around = frame.surrounded(planes)
    np.testing.assert_array_equal(frame.inside(around), planes)
    flat = replace(frame, otf=np.ones_like(frame.otf))
    np.testing.assert_allclose(flat.blurred(around), planes, atol=1e-5)
