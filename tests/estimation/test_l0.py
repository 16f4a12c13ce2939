"""Pictures with few gradients, and the objective that tells right PSFs from wrong ones."""

import numpy as np
import pytest
import scipy.ndimage
import skimage.data

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.estimation import l0
from deblurcli.estimation.l0 import Extended

SHAKE = psf.parse("trajectory:14,seed=4").array()
POINT = np.ones((1, 1))


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    """Luma of a photograph, float32 (200, 240)."""
    return np.ascontiguousarray(skimage.data.coffee()[100:300, 150:390].mean(axis=2).astype(np.float32) / 255)


@pytest.fixture(scope="module")
def blurred(sharp) -> Extended:
    noise = np.random.default_rng(0).normal(0, 0.004, sharp.shape)
    return Extended.of((blur(sharp[..., None], SHAKE)[..., 0] + noise).astype(np.float32), 40)


def test_an_extension_keeps_the_picture_and_is_harmonic_beyond_it(sharp):
    grown = l0.harmonic(sharp, 30)
    height, width = sharp.shape
    np.testing.assert_array_equal(grown[:height, :width], sharp)
    assert grown.shape[0] >= height + 30 and grown.shape[1] >= width + 30
    around = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    curvature = np.abs(scipy.ndimage.convolve(grown, np.array(around, np.float32), mode="wrap"))
    assert curvature[height + 1 : -1, 1 : width - 1].max() < 1e-4
    assert curvature[1 : height - 1, width + 1 : -1].max() < 1e-4


def test_an_extended_step_has_no_jump_at_its_ends():
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    assert np.abs(np.diff(l0.harmonic(ramp, 64)[10], append=0)).max() < 0.05


def test_a_latent_picture_has_few_gradients_and_explains_the_blurred_one(sharp, blurred):
    restored, kept = l0.latent(blurred, SHAKE, 2e-3)
    share = np.hypot(*l0.gradients(blurred.inside(restored).copy()))[:-1, :-1] > 0.02
    assert 0.02 < kept.mean() < 0.4 and share.mean() < 0.4
    again = blur(blurred.inside(restored)[..., None], SHAKE)[..., 0]
    inner = (slice(20, -20),) * 2
    assert np.abs(again - blurred.luma)[inner].mean() < 0.5 * np.abs(sharp - blurred.luma)[inner].mean()


def test_the_objective_is_the_residual_and_the_share_of_gradients(blurred):
    restored, kept = l0.latent(blurred, SHAKE, 2e-3)
    again = scipy.ndimage.convolve(restored, SHAKE.astype(np.float32), mode="wrap")
    inner = slice(12, blurred.luma.shape[0] - 12), slice(12, blurred.luma.shape[1] - 12)
    expected = np.square(again[: blurred.luma.shape[0], : blurred.luma.shape[1]] - blurred.luma)[inner].mean()
    expected += 2e-3 * kept[: blurred.luma.shape[0], : blurred.luma.shape[1]][inner].mean()
    assert l0.objective(blurred, SHAKE, 12) == pytest.approx(expected, rel=1e-3)


def test_the_objective_prefers_the_true_psf_where_there_is_blur_and_none_where_there_is_none(sharp, blurred):
    turned = np.ascontiguousarray(np.rot90(SHAKE))
    assert l0.objective(blurred, SHAKE, 12) < 0.95 * l0.objective(blurred, POINT, 12)
    assert l0.objective(blurred, SHAKE, 12) < 0.95 * l0.objective(blurred, turned, 12)
    clear = Extended.of(sharp, 40)
    assert l0.objective(clear, POINT, 12) < l0.objective(clear, SHAKE, 12)
