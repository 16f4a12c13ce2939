"""The noise-to-signal ratio to restore a picture with: what it shows, and more where its PSF is an estimate."""

from __future__ import annotations

import numpy as np

from deblurcli.estimation import light
from deblurcli.estimation.estimate import Estimate
from deblurcli.pictures import noise
from deblurcli.pictures.images import to_float
from deblurcli.pictures.luma import LUMA_WEIGHTS

NSR_SAFETY = 3.0  # multiple of the noise-to-signal ratio to restore with, as an estimated PSF is never quite right
LIGHT_SAFETY = 9.0  # the same in linear light, where what is left of bright parts shows in dark ones
# What part of that is enough where a network corrects the result, by family: 0.1 dB better on Gaussians, 0.3 on defocus
# and 0.4 on motion (17 held-out photographs, twelve blurs each), and no better with less care about any form.
REFINED_NSR_SCALE = {"motion": 1 / 3, "gaussian": 1 / 3, "defocus": 1 / 3, "general": 1.0}
_LONG, _MORE = 40, 3.0  # of straight motion longer than so many pixels, so many times that
# Least ratio to restore with, by family. With PSFs of any form, found in eleven shaken photographs, `sparse` gained 4.3
# dB at this, 3.8 at twice and 3.4 at three times this; `refine` gained 4.8 dB from a third of it to this.
LEAST_NSR = {"general": 3e-3}

_MUCH = 3.0  # times the noise of the finest detail: more in the spectrum is none that is white


def noise_to_signal(
    image: np.ndarray, found: Estimate | None = None, floor: float | None = None, in_light: bool = False
) -> float:
    """The noise-to-signal ratio of variances to restore an image with, within `noise.NSR`.

    image: ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16.
    found: the estimate of its PSF, if that is to restore it. An estimated PSF is never quite right, so the ratio is
        `NSR_SAFETY` times the measured one, and more for long paths. Where the spectrum shows more than 3 times the
        noise of the finest detail, the spectrum's counts: JPEG clears the finest detail and not the rest (70 JPEGs of
        training photographs, restored with the true PSF: 97% improved against 60%).
    floor: least standard deviation of the noise to believe in, such as that of rounding.
    in_light: of the image in linear light, for an estimate of a PSF that was at work there, with `LIGHT_SAFETY`.

    Raises ImageError when the image is none.
    """
    if found is None:
        return noise.measured_nsr(image) if floor is None else noise.measured_nsr(image, floor)
    image = noise.sample(image)
    shown_noise, safety = found.noise, NSR_SAFETY
    if in_light:
        image, shown_noise, safety = light.decoded(to_float(image)), found.linear_noise or 0.0, LIGHT_SAFETY
    ratio = noise.measured_nsr(image, floor or 0.0)
    share = 1.0 if image.shape[2] == 1 else float(np.square(LUMA_WEIGHTS).sum())  # of a channel's noise left in luma
    shown = shown_noise / share / max(float(image.var(axis=(0, 1)).mean()), 1e-6)
    safety *= _MORE if found.family == "motion" and max(found.psf.shape) > _LONG else 1
    believed = safety * (shown if shown > _MUCH * ratio else ratio)
    return float(np.clip(max(believed, LEAST_NSR.get(found.family, 0.0)), *noise.NSR))
