"""Photographs with clipped lights: the PSF that their camera's shake left, and none where it did not shake."""

import numpy as np
import pytest

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.estimation import light, night
from deblurcli.estimation.estimate import estimate, trusted
from deblurcli.estimation.free_form import judged
from deblurcli.estimation.psf_shape import alike
from deblurcli.pictures import lights

PSF = parse("trajectory:30,seed=8").array()
NOISE = 0.004


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """The light of boxes in the dark with a dozen lamps, ``(300, 380, 3)``, in which 1 is white."""
    rng = np.random.default_rng(3)
    made = np.full((300, 380), 0.02, np.float32)
    for _ in range(120):
        top, left, height, width = rng.integers(300), rng.integers(380), *rng.integers(6, 50, 2)
        made[top : top + height, left : left + width] = rng.uniform(0.01, 0.25)
    for _ in range(12):
        top, left = rng.integers(20, 280), rng.integers(20, 360)
        made[top : top + 3, left : left + 3] = rng.uniform(10, 60)
    return np.repeat(made[..., None], 3, axis=2)


def taken(scene: np.ndarray) -> np.ndarray:
    """The values, ``(H, W)``, of a picture of it, with noise."""
    noise = NOISE * np.random.default_rng(1).standard_normal(scene.shape[:2])
    return np.clip(light.encoded(scene)[..., 0] + noise, 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def shaken(scene) -> np.ndarray:
    brightest = np.float32(scene.max())
    return taken(blur(scene / brightest, PSF) * brightest)


def test_the_shake_of_a_night_is_found(shaken):
    best = night.find(shaken, lights.without(shaken))
    assert best is not None and best.found.confidence > 0.8
    assert alike(best.found.psf, PSF) > 0.8
    assert 0.5 < np.sqrt(best.noise) / NOISE < 2
    estimated = estimate(shaken[..., None])
    assert trusted(estimated) and estimated.family == "general" and estimated.is_linear
    assert alike(estimated.psf, PSF) > 0.8


def test_the_lights_tell_a_wrong_psf(shaken):
    seen = light.decoded(shaken)
    right, wrong = (judged(night._dimmed(seen, psf), psf).confidence for psf in (PSF, np.rot90(PSF).copy()))
    assert right > 0.9
    assert wrong < 0.1


def test_a_night_that_was_not_shaken_is_left_alone(scene):
    sharp = taken(scene)
    best = night.find(sharp, lights.without(sharp))
    assert best is None or best.found.confidence < 0.8
    assert not trusted(estimate(sharp[..., None]))
