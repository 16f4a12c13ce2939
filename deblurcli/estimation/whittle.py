"""The power spectrum of a picture, and how well a blur explains it.

A blurred picture's power spectrum is, on average, that of a sharp one times the power of the PSF's transfer
function, on a floor of white noise::

    M(f) = exp(x(f)·β) · T(f; θ) + exp(s)        T = |OTF|²

x holds a constant, the logarithm of the frequency and the first two even harmonics of its direction, so that
exp(x·β) is a power law with an orientation, as photographs have. A periodogram ordinate P is exponentially
distributed about its mean, hence the misfit that is minimised here (Whittle's likelihood, and a normal prior
on β that sharp photographs gave)::

    Σ log M + P / M  +  Σ w (β − μ)² / 2σ²

Sources: P. Whittle, Estimation and information in stationary time series, Arkiv för Matematik 2, 1953; the
spectrum of photographs, A. van der Schaaf and J. H. van Hateren, Vision Research 36, 1996.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deblurcli.pictures.power_spectrum import GRAIN, Spectrum

# Fits to 150 sharp training photographs: constant, log frequency, cos 2φ, sin 2φ, cos 4φ, sin 4φ. The constant
# is a picture's contrast and is left almost free.
SHARP_MEAN = np.array([-2.8, -2.6, -0.1, 0.0, 0.15, 0.0])
SHARP_DEVIATION = np.array([3.0, 0.6, 0.45, 0.35, 0.4, 0.2])
PRIOR_WEIGHT = 10.0  # pictures stray from the model more than the likelihood grants; 1 to 30 did equally well

_BLOCK = 128  # blurs profiled at once: about 20 MB
# Rounds for all blurs of a family, at about so many frequencies; and how many of the best get all rounds at all of
# them. In 140 spectra of training photographs, sharp and blurred, the fits that began there were as good as those after
# all rounds and frequencies for a sixth of the blurs; with 32 in place of 64 two were not.
_ROUGHLY, _FEW, _PROMISING = 2, 640, 64
_LEAST_SEEN = 0.02  # added to the share of frequencies seen, by which leads are divided
_LARGEST_RATIO = 8.0  # of power to model that moves a fit: single lines and grids must not


@dataclass(frozen=True)
class Fit:
    """A blur fitted to a spectrum.

    misfit: the minimum over θ, β and s, divided by the number of frequencies; smaller explains better.
    parameters: θ, ``(K,)``.
    errors: their standard errors, ``(K,)``, as the likelihood alone would have it: too small for pictures.
    excess: what an ideal fit would leave is 0; in the units of the misfit.
    seen: share of the frequencies at which the blurred signal is above the noise, 0 to 1.
    noise: variance of the noise, without what `measure` adds.
    """

    misfit: float
    parameters: np.ndarray
    errors: np.ndarray
    excess: float
    seen: float
    noise: float

    def lead(self, other: Fit) -> float:
        """How far this is ahead of another fit of the same spectrum, per frequency seen; below 0 if behind."""
        return (other.misfit - self.misfit) / (self.seen + _LEAST_SEEN)


# ``(spectrum, θ) → (T, ∂T/∂θ)``: the power of a blur's transfer function at each frequency, ``(F,)``, and its
# derivatives, ``(K, F)``.
Response = Callable[[Spectrum, np.ndarray], tuple[np.ndarray, np.ndarray]]


def fit(
    spectrum: Spectrum, response: Response, start: np.ndarray, low: np.ndarray, high: np.ndarray, rounds: int = 25
) -> Fit:
    """Fit a family of blurs by Levenberg–Marquardt on the expected Hessian of the misfit.

    response: of the family, see `Response`.
    start, low, high: first guess and bounds of θ, each ``(K,)``; K may be 0.
    rounds: most steps to try.
    """
    problem, count = _Problem(spectrum, response, len(start)), len(start)
    sharp = np.exp(spectrum.features @ SHARP_MEAN) * response(spectrum, start)[0]
    power = spectrum.power
    level = np.log(power.mean() / sharp.mean())
    state = np.concatenate([start, SHARP_MEAN, [np.log(np.quantile(power, 0.05))]])
    state[count] += level
    best, damping = problem.at(state), 1e-3
    equations = problem.normal_equations(best)
    for _ in range(rounds):
        gradient, hessian = equations
        step = np.linalg.solve(hessian + damping * np.diag(np.diag(hessian)), gradient)
        moved = best.state + np.clip(step, -2, 2)
        moved[:count] = np.clip(moved[:count], low, high)
        tried = problem.at(moved)
        if tried.value >= best.value:
            damping = 10 * damping + 1e-3
            continue
        gained, best, damping = best.value - tried.value, tried, max(damping / 5, 1e-6)
        equations = problem.normal_equations(best)
        if gained < 1e-2:
            break
    return problem.summary(best, equations[1])


def fit_known(spectrum: Spectrum, power: np.ndarray) -> Fit:
    """The fit of one blur, of which nothing is free.

    power: of its transfer function at the spectrum's frequencies, ``(F,)``.
    """
    nothing = np.empty(0)
    return fit(spectrum, lambda *_: (power, np.empty((0, len(power)))), nothing, nothing, nothing)


@dataclass(frozen=True)
class _Point:
    """A state (θ, β, s), its misfit, and the signal ``(F,)``, the signal's slopes ``(K, F)`` and the model there."""

    state: np.ndarray
    value: float
    signal: np.ndarray
    slopes: np.ndarray
    model: np.ndarray


@dataclass(frozen=True)
class _Problem:
    """A family of `count` parameters to be fitted to a spectrum."""

    spectrum: Spectrum
    response: Response
    count: int

    def at(self, state: np.ndarray) -> _Point:
        """The misfit at a state."""
        beta = state[self.count : -1]
        sharp = np.exp(np.clip(self.spectrum.features @ beta, -60, 30))
        transfer, slopes = self.response(self.spectrum, state[: self.count])
        signal = sharp * transfer
        model = signal + np.exp(state[-1])
        penalty = PRIOR_WEIGHT * np.square((beta - SHARP_MEAN) / SHARP_DEVIATION).sum() / 2
        value = float((np.log(model) + self.spectrum.power / model).sum() + penalty)
        return _Point(state, value, signal, sharp * slopes, model)

    def normal_equations(self, point: _Point) -> tuple[np.ndarray, np.ndarray]:
        """Descent direction and expected Hessian of the misfit in (θ, β, s)."""
        count, share = self.count, point.signal / point.model
        jacobian = np.empty((len(point.state), len(share)))
        np.divide(point.slopes, point.model, out=jacobian[:count])
        np.multiply(self.spectrum.features.T, share, out=jacobian[count:-1])
        np.subtract(1, share, out=jacobian[-1])
        gradient = jacobian @ (np.minimum(self.spectrum.power / point.model, _LARGEST_RATIO) - 1)
        weight = PRIOR_WEIGHT / SHARP_DEVIATION**2
        gradient[count:-1] -= weight * (point.state[count:-1] - SHARP_MEAN)
        precision = np.concatenate([np.full(count, 1e-6), weight, [1e-3]])
        return gradient, jacobian @ jacobian.T + np.diag(precision)

    def summary(self, best: _Point, hessian: np.ndarray) -> Fit:
        """What came of a fit that ended at a point, with its Hessian there."""
        power = self.spectrum.power
        misfit = best.value / len(power)
        return Fit(
            misfit=misfit,
            parameters=best.state[: self.count],
            errors=np.sqrt(np.diag(np.linalg.inv(hessian))[: self.count]),
            excess=misfit - (np.log(power) + 1).mean(),
            seen=float((best.signal > best.model - best.signal).mean()),
            noise=max(float(np.exp(best.state[-1])) - GRAIN**2, 0.0),
        )


def profile(spectrum: Spectrum, transfers: np.ndarray, rounds: int = 6) -> np.ndarray:
    """The misfit of each of many given blurs, with β and s fitted to each, many at once; see `Fit`.

    transfers: ``(N, F)``, the power of each blur's transfer function.
    rounds: Fisher scoring steps, of bounded size; more is more exact. Blurs far from the best get two and a part of
        the frequencies, and are taken for no better than those near it.

    Returns ``(N,)``.
    """
    table = _Table.of(spectrum)
    few = slice(None, None, max(len(spectrum.power) // _FEW, 1))
    misfits = _profile(table.at(few), transfers[:, few], _ROUGHLY)
    promising = np.argsort(misfits)[:_PROMISING]
    exact = _profile(table, transfers[promising], rounds)
    misfits = np.maximum(misfits, exact.max())
    misfits[promising] = exact
    return misfits


@dataclass(frozen=True)
class _Table:
    """A spectrum's power ``(F,)``, its features ``(F, 6)``, their products ``(F, 21)`` and of which two each is."""

    power: np.ndarray
    features: np.ndarray
    products: np.ndarray
    pairs: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, spectrum: Spectrum) -> _Table:
        """Of a spectrum, float32."""
        features = spectrum.features.astype(np.float32)
        pairs = np.triu_indices(features.shape[1])
        return cls(spectrum.power.astype(np.float32), features, features[:, pairs[0]] * features[:, pairs[1]], pairs)

    def at(self, frequencies: slice) -> _Table:
        """The same of some frequencies alone."""
        return _Table(self.power[frequencies], self.features[frequencies], self.products[frequencies], self.pairs)


def _profile(table: _Table, transfers: np.ndarray, rounds: int) -> np.ndarray:
    """The misfits of many blurs, block by block."""
    blocks = [transfers[first : first + _BLOCK] for first in range(0, len(transfers), _BLOCK)]
    return np.concatenate([_profiled(table, block, rounds) for block in blocks])


def _profiled(table: _Table, transfers: np.ndarray, rounds: int) -> np.ndarray:
    """The misfits of one block of blurs."""
    power, features = table.power, table.features
    weight = PRIOR_WEIGHT / SHARP_DEVIATION**2
    beta = np.tile(SHARP_MEAN, (len(transfers), 1))
    beta[:, 0] += np.log(power.mean() / (transfers @ np.exp(features @ SHARP_MEAN) / len(power)))
    floor = np.full(len(transfers), np.log(np.quantile(power, 0.05)))
    for _ in range(rounds):
        signal, model = _models(features, transfers, beta, floor)
        share = signal / model
        surprise = np.minimum(power / model, _LARGEST_RATIO) - 1
        step = _steps(table, share, surprise, weight, weight * (beta - SHARP_MEAN))
        beta, floor = beta + step[:, :-1], floor + step[:, -1]
    _, model = _models(features, transfers, beta, floor)
    penalty = (weight * (beta - SHARP_MEAN) ** 2).sum(axis=1) / 2
    return ((np.log(model) + power / model).sum(axis=1, dtype=np.float64) + penalty) / len(power)


def _models(features: np.ndarray, transfers: np.ndarray, beta: np.ndarray, floor: np.ndarray) -> tuple:
    """Signal and model of each blur, ``(N, F)`` each, float32."""
    signal = np.exp(np.clip(beta.astype(np.float32) @ features.T, -60, 30)) * transfers
    return signal, signal + np.exp(floor).astype(np.float32)[:, None]


def _steps(table: _Table, share: np.ndarray, surprise: np.ndarray, weight: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """One bounded scoring step of (β, s) for each blur, ``(N, 7)``."""
    features, (first, second) = table.features, table.pairs
    count, size = len(share), features.shape[1]
    hessian, gradient = np.zeros((count, size + 1, size + 1)), np.zeros((count, size + 1))
    hessian[:, first, second] = hessian[:, second, first] = share * share @ table.products
    hessian[:, :size, :size] += np.diag(weight)
    rest = 1 - share
    hessian[:, :size, size] = hessian[:, size, :size] = (share * rest) @ features
    hessian[:, size, size] = np.square(rest).sum(axis=1) + 1
    gradient[:, :size] = (share * surprise) @ features - pull
    gradient[:, size] = (rest * surprise).sum(axis=1)
    return np.clip(np.linalg.solve(hessian, gradient[..., None])[..., 0], -1.5, 1.5)
