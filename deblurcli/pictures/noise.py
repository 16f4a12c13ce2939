"""How much noise a picture holds."""

from __future__ import annotations

import numpy as np

from deblurcli.pictures.images import checked, to_float

NSR = (1e-12, 1e3)  # noise-to-signal ratios of variances that are worked with
_MAD = 0.6745  # median absolute deviation of a standard normal variable
_FLOAT_NOISE = 1e-5
_ENOUGH = 4_000_000  # pixels that tell the noise of a larger picture
_BAND = 96  # rows: a multiple of 2 and 3, so that no two or three of them that are looked at together straddle bands


def sample(image: np.ndarray) -> np.ndarray:
    """What stands for an image where it is large, float32 ``(h, W, C)``: even bands of it, 4 megapixels in all.

    image: ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16.
    """
    image = checked(image)
    height, width, _ = image.shape
    count = max(_ENOUGH // (_BAND * width), 1)
    if height * width <= _ENOUGH or count * _BAND >= height:
        return to_float(image)
    starts = np.linspace(0, height - _BAND, count).astype(int)
    return to_float(np.concatenate([image[start : start + _BAND] for start in starts]))


def noise(image: np.ndarray) -> float:
    """Standard deviation of the noise in an image, on the scale [0, 1], from its finest diagonal detail.

    image: ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16.

    ``median(|d|) / 0.6745`` of the 2 × 2 differences d, which smooth content hardly reaches (Donoho and
    Johnstone, 1994), of a large picture in a `sample` of it. 0 for images below 2 × 2.
    """
    image = sample(image)
    detail = image[1::2, 1::2] - image[1::2, :-1:2] - image[:-1:2, 1::2] + image[:-1:2, :-1:2]
    return float(np.median(np.abs(detail)) / 2 / _MAD) if detail.size else 0.0


def measured_nsr(image: np.ndarray, floor: float = _FLOAT_NOISE) -> float:
    """Estimated noise-to-signal ratio of variances of an image, within `NSR`.

    image: ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16.
    floor: least standard deviation of the noise to believe in, such as that of rounding.
    """
    image = sample(image)
    variance = max(noise(image), floor) ** 2
    return float(np.clip(variance / signal(image, variance), *NSR))


def signal(image: np.ndarray, variance: float) -> float:
    """Variance of an image without that of its noise, and no less than the noise's; the mean over its channels."""
    return max(float(image.var(axis=(0, 1)).mean()) - variance, variance)


def rounding_noise(dtype: np.dtype | type[np.integer]) -> float:
    """Standard deviation that rounding to uint8 or uint16 adds, on the scale [0, 1]."""
    return 1 / np.iinfo(dtype).max / np.sqrt(12)
