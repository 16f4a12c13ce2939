"""A restored picture moved towards what was seen: blurred again, it is to be the blurred picture but for noise.

What a network restores is likely, and need not be true: where its blur differs from what was seen by more than noise,
the difference tells what is missing. One step of Wiener's filter puts that back, with a white spectrum for what the
network may have missed::

    x + a · F⁻¹[ H* F[y − h * x] / (|H|² + λ) ]        λ = 100 · σ^1.5

The expected power of its error grows more slowly than that of the noise, hence the exponent. In flat areas there is
nothing to miss, and noise to catch: a is local variance as a share of itself and four times the noise's.

The exponent and factors were found on training photographs, with noise of 0 to 5/255.
"""

from __future__ import annotations

import cv2
import numpy as np

from deblurcli.deconvolution import fourier
from deblurcli.deconvolution.observation import Observation

_FACTOR, _EXPONENT = 100.0, 0.75  # of the noise's variance
_COMPRESSED = 0.3  # the least λ after compression, whose errors are not white
_AREA = (9, 9)  # pixels
_NOISES = 4.0
_NONE = 1e-9  # variance


def enforce_data_consistency(restored: np.ndarray, observation: Observation, is_compressed: bool = False) -> np.ndarray:
    """The restored image nearer to what explains the blurred one.

    restored: float32 ``(H, W, C)`` in [0, 1], of the blurred picture's size; so is the result.
    is_compressed: whether the blurred picture went through JPEG or the like.
    """
    weight = max(_FACTOR * observation.variance**_EXPONENT, _COMPRESSED * is_compressed)
    spectrum = observation.transform(fourier.rotated(restored, observation.rotation))
    residual = observation.transform(observation.residual(spectrum))
    filtered = residual * (np.conj(observation.otf) / (observation.otf_power + np.float32(weight)))
    return np.clip(restored + _activity(restored, observation.variance) * observation.to_image(filtered), 0, 1)


def _activity(image: np.ndarray, variance: float) -> np.ndarray:
    """How much goes on around each pixel, from 0 in flat areas to 1, ``(H, W, 1)``."""
    grey = image.mean(axis=2)
    level = cv2.blur(grey, _AREA)
    local = np.maximum(cv2.blur(grey * grey, _AREA) - level * level, 0)
    return (local / (local + np.float32(_NOISES * variance + _NONE)))[..., None]
