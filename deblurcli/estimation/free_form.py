"""The PSF of any form that blurred a picture, and how likely it is the right one.

`shake` finds some in every picture, blurred or not. Two things tell the best of them: how far it is ahead of no blur at
all in the power spectrum, and how much lower its `l0.objective` is. How sure that one is, the first tells; both also
tell it of the picture's regions, as a PSF that is a mean of several holds in none of them (see `regions`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from deblurcli.blur.poses import PoseDensity
from deblurcli.estimation import regions, shake, whittle
from deblurcli.estimation.whittle import Fit
from deblurcli.pictures import power_spectrum
from deblurcli.pictures.power_spectrum import Spectrum

# How likely a PSF is right, of the logarithm of its lead over no blur: 200 training photographs, shaken, moved in
# several ways, softened or sharp, as a camera makes them: blurred in light, clipped, with noise, a tone curve and JPEG.
# The area under the curve for a gain of 0.3 dB is 0.96. With a confidence of `CERTAIN`, a lead of about 0.08, 92 of 97
# gained that, and one lost.
_WEIGHT, _CONSTANT = 2.70, 7.97
_LEAST_LEAD, _LONGEST_LEAD = 0.01, 0.4
CERTAIN = 0.8
# What the least region may be behind. Of 66 other training photographs with a confidence of half and more, 42 had it in
# all; nine of these did better with the network `photo`, by up to 3.4 dB. In 35 each region was ahead by 0.03 as well:
# four of them did better with the network. The mean gain of the 66 rose by 0.1 dB.
_LOCALLY = 0.05
# What the fall of the objective's logarithm counts beside the lead. The PSFs chosen in 100 shaken photographs correlate
# with the true ones by 0.856 on the mean, in 80 with little noise by 0.896; at 0 by 0.863 and 0.885, at 1 by 0.853 and
# 0.896.
_FALL = 0.5
_HANDICAP = 0.1  # what a rival may be behind: it has a formula, and the others follow noise as well


@dataclass(frozen=True)
class Found:
    """A PSF ``(K, L)``, how it explains the spectrum, and how likely it is right, 0 to 1."""

    psf: np.ndarray
    fit: Fit
    confidence: float


def find(luma: np.ndarray, seen: Spectrum, nothing: Fit, rival: np.ndarray | None = None) -> Found | None:
    """The PSF of any form that explains a picture best; None where none explains it better than a rival, or is sought.

    luma: of the picture, float32 ``(H, W)`` in [0, 1]; in small pictures none is sought.
    seen: its spectrum. nothing: no blur at all, fitted to that.
    rival: a PSF that may have blurred the picture too.
    """
    psfs = shake.candidates(luma)
    if not psfs:
        return None
    all_psfs = psfs if rival is None else [*psfs, rival]
    fits = [whittle.fit_known(seen, power_spectrum.power_of(psf, seen)) for psf in all_psfs]
    leads = np.array([fit.lead(nothing) for fit in fits])
    scores = leads + _FALL * np.array(regions.falls(luma, all_psfs))
    scores[len(psfs) :] += _HANDICAP
    best = int(np.argmax(scores))
    return Found(psfs[best], fits[best], sure(luma, psfs[best], leads[best])) if best < len(psfs) else None


def sure(luma: np.ndarray, psf: np.ndarray | PoseDensity, lead: float) -> float:
    """How likely the PSF of a picture ``(H, W)`` is right, 0 to 1, which is so far ahead of no blur in all of it.

    It is to be ahead in the picture's regions as well, by `_LOCALLY` less; see `regions.least`.
    """
    return _confidence(lead if lead < _LOCALLY else min(lead, regions.least(luma, psf) + _LOCALLY))


def _confidence(lead: float) -> float:
    """How likely a PSF is right that is so far ahead of no blur."""
    return float(expit(_WEIGHT * np.log(np.clip(lead, 0, _LONGEST_LEAD) + _LEAST_LEAD) + _CONSTANT))
