"""The PSF of a photograph with clipped lights, of any form, sought and judged in linear light.

It is sought without the lights (see `lights.without`), whose traces would pass for edges. To judge a PSF, the light
beyond white is taken off as that PSF says (see `beyond_white`): the right one leaves a picture that it explains, a
wrong one traces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deblurcli.deconvolution.beyond_white import Dimmed
from deblurcli.estimation import free_form, light
from deblurcli.estimation.free_form import Found


@dataclass(frozen=True)
class Night:
    """A PSF, how it explains the picture in light and in values, each without the light beyond white."""

    in_light: Found
    in_values: Found


def find(lit: np.ndarray, unlit: np.ndarray) -> Night | None:
    """The likeliest PSF of a photograph; None in small pictures, where none is sought.

    lit, unlit: its luma with lights and without, float32 ``(H, W)`` in [0, 1].
    """
    seen = light.decoded(unlit)
    judged = [_judged(light.decoded(lit), psf) for psf in free_form.candidates(seen)]
    return max(judged, key=lambda night: night.in_light.confidence, default=None)


def _judged(seen: np.ndarray, psf: np.ndarray) -> Night:
    """A PSF that may have blurred a picture, of whose luma this is the light."""
    dimmed = Dimmed.of(seen[..., None], psf).image[..., 0]
    return Night(free_form.judged(dimmed, psf), free_form.judged(light.encoded(dimmed), psf))
