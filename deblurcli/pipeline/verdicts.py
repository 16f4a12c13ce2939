"""The verdict on a picture: an estimate of its blur as one word and one size, for `triage` and for reports."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from deblurcli.choices import VERDICTS
from deblurcli.estimation import estimate, psf_shape
from deblurcli.estimation.estimate import Estimate

SHAKEN, MOTION, DEFOCUS, SOFT, SLIGHTLY_SOFT, UNSURE, SHARP = VERDICTS
SLIGHT = 3.0  # pixels that a point is spread over: a smaller blur is seen at full size only

_WIDTH = 2 * math.sqrt(2 * math.log(2))  # of a Gaussian at half of its height, in standard deviations
_OF_FAMILY = {"general": SHAKEN, "motion": MOTION, "defocus": DEFOCUS, "gaussian": SOFT}


def _free_form(found: Estimate) -> float:
    """The side of a PSF of any form; of one as compact as a slight Gaussian, the width of that."""
    places = np.indices(found.psf.shape).reshape(2, -1)
    width = _WIDTH * math.sqrt(np.linalg.eigvalsh(np.cov(places, aweights=found.psf.ravel(), ddof=0))[-1])
    return width if width < SLIGHT else psf_shape.extent(found.psf)


# How far each family spreads a point, in pixels: the length, the diameter, the width at half of the height, the side.
_SPREADS: dict[str, Callable[[Estimate], float]] = {
    "none": lambda found: 0.0,
    "motion": lambda found: dict(found.parameters)["length"],
    "defocus": lambda found: 2 * dict(found.parameters)["radius"],
    "gaussian": lambda found: _WIDTH * dict(found.parameters)["sigma"],
    "general": _free_form,
}


def spread(found: Estimate) -> float:
    """How many pixels an estimated blur spreads a point over, 0 where there is none; comparable between families."""
    return float(_SPREADS[found.family](found))


def verdict(found: Estimate) -> str:
    """One of `choices.VERDICTS`: what kind of blur is certain, or that the picture is sharp, or that neither is."""
    if estimate.is_sharp(found):
        return SHARP
    if not estimate.trusted(found):
        return UNSURE
    return SLIGHTLY_SOFT if spread(found) < SLIGHT else _OF_FAMILY[found.family]
