"""A PSF of any form that blurred a picture, and how likely it is the right one.

`shake` finds one in every picture, blurred or not. A right one explains the power spectrum, and does so better than
no blur at all; both halves of the picture show it; and it is not spread all over its array.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from deblurcli.estimation import shake, whittle
from deblurcli.estimation.whittle import Fit
from deblurcli.pictures import power_spectrum
from deblurcli.pictures.power_spectrum import Spectrum

LARGEST = 31  # side of a PSF in pixels

CERTAIN = 0.88  # confidence from which 19 in 20 restorations came nearer to the sharp picture than a blind one

# Logistic weights of the evidence, see `_evidence`, and the constant last, that tell PSFs with which a restoration came
# nearer: 316 training photographs of which no family is certain, 130 of them not blurred, most others shaken; noise of
# 0.3 to 3%, one in four through JPEG. Of all blurred ones 84 in 100 came nearer.
_WEIGHTS = np.array([1.85, -14.1, -6.4, 2.9, 5.8])
_LONGEST_LEAD = 0.4
_MOST_EXCESS = 1.0
_LEAST_LEAD, _LEAST_SEEN = 0.01, 0.02  # added to the lead, whose logarithm is taken, and to what it is divided by


@dataclass(frozen=True)
class Found:
    """A PSF ``(K, L)``, how it explains the spectrum, and how likely it is right, 0 to 1."""

    psf: np.ndarray
    fit: Fit
    confidence: float


def find(luma: np.ndarray, seen: Spectrum, nothing: Fit) -> Found:
    """The PSF of any form, at most 31 pixels a side, that blurred a picture.

    luma: of the picture, float32 ``(H, W)`` in [0, 1].
    seen: its spectrum. nothing: no blur at all, fitted to that.
    """
    psf = shake.find(luma, _size(luma))
    power, none = power_spectrum.power_of(psf, seen), np.zeros(0)
    fit = whittle.fit(seen, lambda at, _: power, none, none, none)
    evidence = _evidence(psf, fit, nothing)
    may_be = _likely(*evidence, 1.0) >= CERTAIN  # if not, the halves, which take as long, need not be asked
    return Found(psf, fit, _likely(*evidence, _agreement(luma) if may_be else 0.0))


def _evidence(psf: np.ndarray, fit: Fit, nothing: Fit) -> tuple[float, float, float]:
    """The logarithm of how far, per frequency seen, the PSF is ahead of no blur; what it leaves unexplained; and how
    far it is spread, as a share of its side.
    """
    lead = np.clip((nothing.misfit - fit.misfit) / (fit.seen + _LEAST_SEEN), 0, _LONGEST_LEAD)
    return float(np.log(lead + _LEAST_LEAD)), min(fit.excess, _MOST_EXCESS), _spread(psf) / len(psf)


def _likely(*evidence: float) -> float:
    return float(expit(_WEIGHTS @ [*evidence, 1]))


def _agreement(luma: np.ndarray) -> float:
    """How alike the PSFs of the two halves of the picture are, 0 to 1."""
    looked = shake.part(luma)
    halves = np.array_split(looked, 2, axis=int(np.argmax(looked.shape)))
    return shake.alike(*(shake.find(np.ascontiguousarray(half), _size(half)) for half in halves))


def _size(luma: np.ndarray) -> int:
    """Side of the PSF to look for, odd: at most a third of the picture's."""
    return min(LARGEST, (min(luma.shape) // 3 - 1) // 2 * 2 + 1)


def _spread(psf: np.ndarray) -> float:
    """Root of the mean squared distance from the centre, in pixels."""
    down, right = (np.arange(side) - side // 2 for side in psf.shape)
    return float(np.sqrt((psf * (down[:, None] ** 2 + right**2)).sum()))
