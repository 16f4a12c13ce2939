"""The PSF of any form that blurred a picture, and how likely it is the right one.

`shake` finds some in every picture, blurred or not. Two things tell the best of them and how sure it is: how far it is
ahead of no blur at all in the power spectrum, and how much lower its `l0.objective` is. The former tells little of flat
grounds with a few strokes on them, the latter little where there is noise or texture, and then it is no evidence
against a PSF. Both also tell it of the picture's regions, as a PSF that is a mean of several holds in none of them (see
`regions`). Wide ones are also judged in a smaller picture, and by what they restore there (see `wide_shake`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from deblurcli.blur.poses import PoseDensity
from deblurcli.estimation import families, psf_shape, regions, shake, whittle, wide_shake
from deblurcli.estimation.whittle import Fit
from deblurcli.pictures import power_spectrum
from deblurcli.pictures.power_spectrum import Spectrum

# How likely a PSF is right, of the logarithm of how far it is ahead: 200 training photographs, shaken, moved in several
# ways, softened or sharp, as a camera makes them: blurred in light, clipped, with noise, a tone curve and JPEG. With a
# confidence of `CERTAIN`, 0.08 ahead, 92 of 97 gained 0.3 dB, and one lost. Of 199 others, with letters and lights
# among them, 80 of 86 gained that, and three lost, the worst 0.7 dB.
_WEIGHT, _CONSTANT = 2.70, 7.97
_LEAST, _FURTHEST = 0.01, 0.4  # of being ahead: added to it, and what counts at most
CERTAIN = 0.8
# What the least region may be behind. Of 66 other training photographs with a confidence of half and more, 42 had it in
# all; nine of these did better with the network `photo`, by up to 3.4 dB. In 35 each region was ahead by 0.03 as well:
# four of them did better with the network. The mean gain of the 66 rose by 0.1 dB.
_LOCALLY = 0.05
# How many times its width a PSF may wind. Of 270 found with a confidence of `CERTAIN` in training photographs, shaken
# along paths of 14 to 135 pixels, those alike to the true one by 0.8 wind 8 times at most; two wind 17 and 22 times,
# and are scattered points. Real ones of published photographs wind 11 times at most.
_WINDING = 15
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
    evidence = _Evidence(luma, seen, nothing)
    searches = shake.begun(luma)
    if not searches:
        return None
    usual = _likeliest(shake.candidates(luma, searches, evidence.ahead), evidence, rival)
    wide = wide_shake.found(luma, searches, _shows)
    if wide is not None and not (usual.confidence >= CERTAIN and wide.allows(usual.psf)):
        full = _likeliest(wide.at_full_size(luma), evidence)
        if not _is_scattered(full.psf):
            return replace(full, confidence=_sure_of_wide(wide.share))
    return None if usual.psf is rival else usual


def _shows(luma: np.ndarray, psf: np.ndarray) -> bool:
    """Whether a picture shows a PSF with certainty."""
    return judged(luma, psf).confidence >= CERTAIN


def _likeliest(psfs: list[np.ndarray], evidence: _Evidence, rival: np.ndarray | None = None) -> Found:
    """The PSF that is furthest ahead; it may be a rival, which has a handicap and counts as sure."""
    rivals = [] if rival is None else [rival]
    ahead = evidence.ahead([*psfs, *rivals])
    ahead[len(psfs) :] += _HANDICAP
    best = int(np.argmax(ahead))
    psf = [*psfs, *rivals][best]
    confidence = 1.0 if psf is rival else sure(evidence.luma, psf, ahead[best])
    return Found(psf, evidence.fit(psf), confidence)


def candidates(luma: np.ndarray) -> list[np.ndarray]:
    """PSFs ``(K, K)`` that may have blurred a picture, float32 ``(H, W)`` in [0, 1]; see `shake.candidates`."""
    return shake.candidates(luma, shake.begun(luma), _Evidence.of(luma).ahead)


def judged(luma: np.ndarray, psf: np.ndarray) -> Found:
    """A PSF that may have blurred a picture, float32 ``(H, W)`` in [0, 1], and how likely it is right."""
    evidence = _Evidence.of(luma)
    return Found(psf, evidence.fit(psf), sure(luma, psf, evidence.ahead([psf])[0]))


@dataclass(frozen=True)
class _Evidence:
    """What tells how well PSFs explain a picture: its luma, its spectrum, and no blur at all, fitted to that."""

    luma: np.ndarray
    seen: Spectrum
    nothing: Fit

    @classmethod
    def of(cls, luma: np.ndarray) -> _Evidence:
        """Of a picture."""
        seen = families.spectrum_of(luma)
        return cls(luma, seen, whittle.fit_known(seen, np.ones_like(seen.power)))

    def fit(self, psf: np.ndarray) -> Fit:
        """A PSF fitted to the spectrum."""
        return whittle.fit_known(self.seen, power_spectrum.power_of(psf, self.seen))

    def ahead(self, psfs: Sequence[np.ndarray]) -> np.ndarray:
        """How far each PSF is ahead of no blur at all, ``(N,)``; scattered ones are not."""
        leads = [self.fit(psf).lead(self.nothing) for psf in psfs]
        ahead = np.array(leads) + np.maximum(regions.falls(self.luma, psfs), 0)
        return np.where([_is_scattered(psf) for psf in psfs], 0, ahead)


def _is_scattered(psf: np.ndarray) -> bool:
    """Whether a PSF winds more than the path of a camera that shakes: it has too many bright pixels for its width."""
    return 1 / np.square(psf).sum() > _WINDING * psf_shape.extent(psf)


def sure(luma: np.ndarray, psf: np.ndarray | PoseDensity, ahead: float) -> float:
    """How likely the PSF of a picture ``(H, W)`` is right, 0 to 1, which is so far ahead of no blur in all of it.

    It is to be ahead in the picture's regions as well, by `_LOCALLY` less; see `regions.least`.
    """
    return _confidence(ahead if ahead < _LOCALLY else min(ahead, regions.least(luma, psf) + _LOCALLY))


def _sure_of_wide(share: float) -> float:
    """How likely a wide PSF is right of whose restoration that share is preferred: `CERTAIN` at the least."""
    return 1 - (1 - share) * (1 - CERTAIN) / (1 - wide_shake.LEAST)


def _confidence(ahead: float) -> float:
    """How likely a PSF is right that is so far ahead of no blur."""
    return float(expit(_WEIGHT * np.log(np.clip(ahead, 0, _FURTHEST) + _LEAST) + _CONSTANT))
