"""In which values a blur happened: in linear light, or in the values of the file, which are a power of it.

A camera's sensor adds up light, so that a real blur obeys its PSF there. One that a computer made mostly obeys it in
the file's values. A PSF explains the power spectrum better in the values in which it was at work: in the others its
zeros are filled up. Undone in the wrong ones, a blur of light gains a decibel less, and one of values three.
"""

from __future__ import annotations

import numpy as np

from deblurcli.blur.varying import GAMMA
from deblurcli.estimation import families, whittle
from deblurcli.estimation.whittle import Fit
from deblurcli.pictures import power_spectrum

# By how much further ahead of no blur a PSF must be in light, per frequency seen. Gaussians leave no zeros, so that
# little tells of them. 60 training photographs under each blur in light (half of them with tone curves) and in values,
# with noise, half of them through JPEG; so many of those in light are told, and of those in values taken for such:
#
#          Gaussian    motion    wrong focus    shake
#   0.01   36, 11 %    99, 1 %   90, 3 %        85, 3 %
#   0      58, 19 %    99, 2 %   92, 3 %        95, 3 %
#
# The area under the curve is 0.98, of `l0.objective` 0.85.
_LEAD = {"gaussian": 0.01}


def decoded(values: np.ndarray) -> np.ndarray:
    """The light that values in [0, 1] stand for, float32."""
    return np.clip(values, 0, 1).astype(np.float32) ** np.float32(GAMMA)


def encoded(light: np.ndarray) -> np.ndarray:
    """The values that stand for light in [0, 1], float32."""
    return np.clip(light, 0, 1).astype(np.float32) ** np.float32(1 / GAMMA)


def fits(luma: np.ndarray, psf: np.ndarray, family: str) -> tuple[Fit, Fit] | None:
    """How a PSF ``(K, L)`` explains a picture's spectrum in values and in linear light; None if in light no better.

    luma: of the picture, float32 ``(H, W)`` in [0, 1]. family: of the PSF, as in `estimate.Estimate`.
    """
    (in_values, values), (in_light, light) = (_lead(each, psf) for each in (luma, decoded(luma)))
    return (values, light) if in_light > in_values + _LEAD.get(family, 0.0) else None


def _lead(luma: np.ndarray, psf: np.ndarray) -> tuple[float, Fit]:
    """How far a PSF is ahead of no blur at all, per frequency seen, and its fit."""
    seen = families.spectrum_of(luma)
    fit = whittle.fit_known(seen, power_spectrum.power_of(psf, seen))
    nothing = whittle.fit_known(seen, np.ones_like(seen.power))
    return fit.lead(nothing), fit
