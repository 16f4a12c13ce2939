import math

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given
from hypothesis import strategies as st

from deblurcli import metrics
from deblurcli.errors import ImageError

SIZES = st.integers(11, 60)


def pair(height, width, channels, seed):
    rng = np.random.default_rng(seed)
    sharp = rng.random((height, width, channels), dtype=np.float32)
    return np.clip(sharp + rng.normal(0, rng.uniform(0.001, 0.3), sharp.shape), 0, 1).astype(np.float32), sharp


@given(SIZES, SIZES, st.sampled_from([1, 3]), st.integers(0, 10**6))
def test_psnr_and_ssim_agree_with_scikit_image(height, width, channels, seed):
    restored, sharp = pair(height, width, channels, seed)
    expected = skimage.metrics.structural_similarity(
        restored.astype(float), sharp.astype(float), channel_axis=-1, data_range=1,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert metrics.ssim(restored, sharp) == pytest.approx(expected, abs=1e-6)
    expected = skimage.metrics.peak_signal_noise_ratio(sharp.astype(float), restored.astype(float), data_range=1)
    assert metrics.psnr(restored, sharp) == pytest.approx(expected, abs=1e-6)


def test_closed_forms():
    sharp = np.zeros((12, 12, 3))
    restored = np.full((12, 12, 3), 0.1)
    assert metrics.mse(restored, sharp) == pytest.approx(0.01)
    assert metrics.mae(restored, sharp) == pytest.approx(0.1)
    assert metrics.psnr(restored, sharp) == pytest.approx(20)
    assert metrics.ssim(restored, sharp) == pytest.approx(1e-4 / (0.01 + 1e-4))


def test_equal_images_are_perfect():
    image, _ = pair(20, 30, 3, 0)
    assert metrics.score(image, image) == {"psnr": math.inf, "ssim": pytest.approx(1), "mae": 0, "mse": 0}


@given(st.integers(0, 1000))
def test_scores_are_symmetric_and_know_better_from_worse(seed):
    restored, sharp = pair(24, 24, 3, seed)
    worse = np.clip(restored + np.random.default_rng(seed).normal(0, 0.4, sharp.shape), 0, 1)
    for name, metric in metrics.METRICS.items():
        assert metric.compute(restored, sharp) == pytest.approx(metric.compute(sharp, restored))
        better = metric.compute(restored, sharp) > metric.compute(worse, sharp)
        assert better == metric.higher_is_better, name


def test_swapped_channels_are_seen():
    image, _ = pair(20, 20, 3, 1)
    assert metrics.psnr(image[..., ::-1], image) < 20


@pytest.mark.parametrize("size", [(10, 40), (40, 10), (1, 1)])
def test_a_picture_smaller_than_the_window_has_no_ssim(size):
    image = np.zeros((*size, 3))
    with pytest.raises(ImageError, match="11 pixels"):
        metrics.ssim(image, image)
    assert metrics.score(image, image, ("psnr", "mae"))["mae"] == 0


def test_a_pair_that_differs_is_refused():
    with pytest.raises(ImageError, match="12×11 RGB against 13×11 grey"):
        metrics.score(np.zeros((11, 12, 3)), np.zeros((11, 13, 1)))


def test_nan_is_refused():
    bad = np.zeros((12, 12, 1))
    bad[3, 3] = np.nan
    with pytest.raises(ImageError, match="not a finite"):
        metrics.score(bad, np.zeros((12, 12, 1)))
