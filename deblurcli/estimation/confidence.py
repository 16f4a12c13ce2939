"""How likely an estimate is right."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from deblurcli.estimation import families
from deblurcli.estimation.families import Search

# Logistic weights of the evidence, see `_evidence`, and the constant last, that tell right estimates from wrong
# ones: 550 training photographs and cuttings of them, blurred (motion, Gaussian, defocus, curves) or not, with
# noise of 0 to 5%, three in ten compressed as JPEG afterwards.
_WEIGHTS = np.array([1.45, 0.37, 0.72, -2.01, 1.12, 0.81, -0.31])
_UNRIVALLED = 0.3  # lead over the next optimum where there is none
_MARGIN = 0.02  # added to shares whose logarithm is taken


def confidence(name: str, search: Search) -> float:
    """How likely the best fit of a family is right: 0 to 1."""
    return float(expit(_WEIGHTS @ [*_evidence(name, search), 1]))


def _evidence(name: str, search: Search) -> np.ndarray:
    """What tells a right estimate: the logarithms of how far, per frequency seen, the fit is ahead of no blur, of
    the next family and of its own next optimum; what it leaves unexplained; the logarithms of the share of
    frequencies seen and of their number.
    """
    fits, best = search.fits, search.fits[name][0]
    shown = best.seen + _MARGIN
    others = min(fits[other][0].misfit for other in fits if other not in ("none", name))
    rivals = [fit.misfit for fit in fits[name][1:] if not families.same_optimum(name, best.parameters, fit.parameters)]
    rival = min(rivals) - best.misfit if rivals else _UNRIVALLED
    leads = np.array([search.no_blur.misfit - best.misfit, others - best.misfit, rival])
    count = len(search.spectrum.power)
    return np.array([*np.log(np.maximum(leads, 0) / shown + 1e-3), best.excess, np.log(shown), np.log(count)])
