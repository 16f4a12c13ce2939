"""Scores of a restored image against the sharp one.

Images are floating point ``(H, W, C)`` in [0, 1], of equal shape; sums are in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from deblurcli.errors import ImageError
from deblurcli.images import checked, to_float

SSIM_WINDOW, SSIM_SIGMA, SSIM_K1, SSIM_K2 = 11, 1.5, 0.01, 0.03


def mse(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Mean squared error, ``mean((r − s)²)``, over pixels and channels."""
    difference = np.subtract(restored, sharp, dtype=np.float64)
    return float(np.mean(np.square(difference, out=difference)))


def mae(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Mean absolute error, ``mean(|r − s|)``, over pixels and channels."""
    difference = np.subtract(restored, sharp, dtype=np.float64)
    return float(np.mean(np.abs(difference, out=difference)))


def psnr(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Peak signal-to-noise ratio, ``−10 · log10(MSE)`` dB for a peak of 1; infinite for equal images."""
    error = mse(restored, sharp)
    return float(-10 * np.log10(error)) if error > 0 else float("inf")


def ssim(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Structural similarity (Wang et al., 2004) as TensorFlow's ``tf.image.ssim`` defines it.

    ``mean of (2·μr·μs + c1)(2·σrs + c2) / ((μr² + μs² + c1)(σr² + σs² + c2))`` with an 11 × 11 Gaussian
    window of σ 1.5, only where the window fits, population covariance, c1 = 0.01², c2 = 0.03², averaged
    over the channels. scikit-image gives the same with ``gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=1``; its defaults give another number.

    Raises ImageError when a side is shorter than the window.
    """
    if min(restored.shape[:2]) < SSIM_WINDOW:
        height, width = restored.shape[:2]
        raise ImageError(f"ssim needs {SSIM_WINDOW} pixels a side, the picture is {width}×{height}; leave ssim out")
    channels = range(restored.shape[2])
    return float(np.mean([_ssim_channel(restored[..., index], sharp[..., index]) for index in channels]))


def _ssim_channel(restored: np.ndarray, sharp: np.ndarray) -> float:
    r, s = restored.astype(np.float64), sharp.astype(np.float64)
    mean_r, mean_s = _window(r), _window(s)
    squares, product = mean_r * mean_r + mean_s * mean_s, mean_r * mean_s
    variances = _window(r * r + s * s) - squares
    covariance = _window(r * s) - product
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    return float(np.mean((2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))))


def _window(plane: np.ndarray) -> np.ndarray:
    """Gaussian-weighted local mean where the window fits inside the plane."""
    line = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA, cv2.CV_64F)
    reach = SSIM_WINDOW // 2
    return cv2.sepFilter2D(plane, cv2.CV_64F, line, line)[reach:-reach, reach:-reach]


@dataclass(frozen=True)
class Metric:
    """A named score: how to compute it, its unit, whether more is better, and the least side a picture may have."""

    compute: Callable[[np.ndarray, np.ndarray], float]
    unit: str
    higher_is_better: bool
    digits: int
    smallest: int = 1

    def text(self, value: float) -> str:
        """A value as people read it, without its unit."""
        return "∞" if np.isinf(value) else f"{value:.{self.digits}f}"


METRICS: dict[str, Metric] = {
    "psnr": Metric(psnr, "dB", True, 2),
    "ssim": Metric(ssim, "", True, 4, SSIM_WINDOW),
    "mae": Metric(mae, "", False, 5),
    "mse": Metric(mse, "", False, 6),
}


def score(restored: np.ndarray, sharp: np.ndarray, names: Sequence[str] = tuple(METRICS)) -> dict[str, float]:
    """The named scores of one pair; whole numbers are taken as shares of their type's largest.

    names: keys of `METRICS`. Raises ImageError when one is no image, they differ in shape or hold NaN, and
    KeyError for an unknown name.
    """
    restored, sharp = to_float(checked(restored)), to_float(checked(sharp))
    if restored.shape != sharp.shape:
        kinds = [
            f"{shape[1]}×{shape[0]} {'grey' if shape[2] == 1 else 'RGB'}" for shape in (restored.shape, sharp.shape)
        ]
        raise ImageError(f"the pair differs: {kinds[0]} against {kinds[1]}; give pictures of one size and kind")
    if not (np.isfinite(restored).all() and np.isfinite(sharp).all()):
        raise ImageError("a sample is not a finite number; write the picture again")
    return {name: METRICS[name].compute(restored, sharp) for name in names}


def scorer(names: tuple[str, ...]) -> Callable[[np.ndarray, np.ndarray], dict[str, float]]:
    """A function that scores a pair of images by the named metrics; see `score`."""
    return lambda restored, sharp: score(restored, sharp, names)
