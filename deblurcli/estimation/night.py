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
    """A PSF and how it explains the light of a picture, what is beyond white taken off.

    noise: variance of the noise in the values that stand for that light.
    """

    found: Found
    noise: float


def find(lit: np.ndarray, unlit: np.ndarray) -> Night | None:
    """The likeliest PSF of a photograph; None in small pictures, where none is sought.

    lit, unlit: its luma with lights and without, float32 ``(H, W)`` in [0, 1].
    """
    seen = light.decoded(lit)
    psfs = free_form.candidates(light.decoded(unlit))
    dimmed = [_dimmed(seen, psf) for psf in psfs]
    judged = [free_form.judged(each, psf) for each, psf in zip(dimmed, psfs)]
    if not judged:
        return None
    best = int(np.argmax([found.confidence for found in judged]))
    return Night(judged[best], free_form.judged(light.encoded(dimmed[best]), psfs[best]).fit.noise)


def _dimmed(seen: np.ndarray, psf: np.ndarray) -> np.ndarray:
    """The light ``(H, W)`` of a picture without what is beyond white and clips something, as a PSF says."""
    return Dimmed.of(seen[..., None], psf, clipping_only=True).image[..., 0]
