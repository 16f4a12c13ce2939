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
import scipy.fft

# Fits to 150 sharp training photographs: constant, log frequency, cos 2φ, sin 2φ, cos 4φ, sin 4φ. The constant
# is a picture's contrast and is left almost free.
SHARP_MEAN = np.array([-2.8, -2.6, -0.1, 0.0, 0.15, 0.0])
SHARP_DEVIATION = np.array([3.0, 0.6, 0.45, 0.35, 0.4, 0.2])
PRIOR_WEIGHT = 10.0  # pictures stray from the model more than the likelihood grants; 1 to 30 did equally well

TOLD_SIDE = 64  # of the patches whose power networks are told
TOLD_SHAPE = TOLD_SIDE, TOLD_SIDE // 2 + 1
_LEAST_POWER = 1e-6
_LOWEST = 2.5  # in lines of the spectrum: below, the window's own transform reaches over the origin
_REFERENCE = 0.1  # cycles per pixel, where the constant feature is the spectrum
_MOST_PATCHES = 64
_GRAIN = (
    0.007  # noise assumed on top: without it the depth of the zeros, which no window shows, decides (0.005 to 0.01)
)
_BLOCK = 128  # blurs profiled at once: about 20 MB
_ROUGHLY, _PROMISING = 2, 6  # rounds for all blurs of a family; one in so many, the best by then, gets all rounds
_LARGEST_RATIO = 8.0  # of power to model that moves a fit: single lines and grids must not


@dataclass(frozen=True)
class Spectrum:
    """Mean power of a picture's patches over half the frequency plane.

    power: ``(F,)``, positive; white noise of variance v has power v, and a little is added.
    across, down: ``(F,)``, frequencies in cycles per pixel along the rows (to the right) and down the columns.
    side: of the patches, in pixels.
    """

    power: np.ndarray
    across: np.ndarray
    down: np.ndarray
    side: int

    @property
    def features(self) -> np.ndarray:
        """The regressors x of the sharp spectrum's logarithm, ``(F, 6)``."""
        direction = np.arctan2(self.down, self.across)
        waves = [wave(turns * direction) for turns in (2, 4) for wave in (np.cos, np.sin)]
        logarithm = np.log(np.hypot(self.across, self.down) / _REFERENCE)
        return np.stack([np.ones_like(logarithm), logarithm, *waves], 1)


def measure(luma: np.ndarray, side: int, highest: float) -> Spectrum:
    """The spectrum of a grey picture ``(H, W)``: Welch's mean over patches that overlap by half, under Hann windows.

    side: of the square patches in pixels, at most the picture's; larger resolves finer zeros and averages less.
    highest: frequency in cycles per pixel up to which the spectrum is kept, at most 0.5.

    Of a large picture only the 64 patches with the most contrast count.
    """
    power = _mean_power(luma, side)
    down, across = np.meshgrid(scipy.fft.fftfreq(side), scipy.fft.rfftfreq(side), indexing="ij")
    radius = np.hypot(across, down)
    kept = (radius >= _LOWEST / side) & (radius <= highest) & ~((across == 0) & (down < 0))
    return Spectrum(power[kept].astype(np.float64) + _GRAIN**2, across[kept], down[kept], side)


def told(luma: np.ndarray) -> np.ndarray:
    """The logarithm of a grey picture's mean power as networks are told it, float32 ``(64, 33)``.

    Over patches of 64 × 64, as `measure` takes them; the origin lies in the middle row. A picture ``(H, W)`` that is
    smaller is mirrored.
    """
    missing = [(0, max(TOLD_SIDE - side, 0)) for side in luma.shape]
    power = _mean_power(np.pad(luma, missing, mode="reflect"), TOLD_SIDE)
    return scipy.fft.fftshift(np.log(power + _LEAST_POWER), axes=0).astype(np.float32)


def turned(spectrum: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """What `told` gives, ``(…, 64, 33)``, for the picture turned by `turns` · 90°, and mirrored left to right before.

    It turns as `numpy.rot90` does.
    """
    half = spectrum.shape[-1] - 1
    opposite = _about_origin(spectrum, -2)
    right = opposite if mirrored else spectrum
    left = (spectrum if mirrored else opposite)[..., half:0:-1]
    plane = np.concatenate([left, right[..., :half]], axis=-1)
    for _ in range(turns % 4):
        plane = _about_origin(np.swapaxes(plane, -1, -2), -2)
    return np.concatenate([plane[..., half:], plane[..., :1]], axis=-1)


def _about_origin(plane: np.ndarray, axis: int) -> np.ndarray:
    """A spectrum mirrored along an axis about its origin, which lies in the middle."""
    return np.roll(np.flip(plane, axis), 1, axis)


def _mean_power(luma: np.ndarray, side: int) -> np.ndarray:
    """The mean power of a picture's patches, ``(side, side / 2 + 1)``."""
    window = np.outer(*2 * [np.hanning(side + 1)[:side]])
    window /= np.sqrt((window**2).sum())
    patches = _patches(luma, side)
    return sum(_periodogram(patch, window) for patch in patches) / len(patches)


def _periodogram(patch: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The power of a patch about its level, under a window."""
    level = (patch * window).sum() / window.sum()
    transform = scipy.fft.rfft2((patch - level) * window)
    return transform.real**2 + transform.imag**2


def _patches(luma: np.ndarray, side: int) -> list[np.ndarray]:
    """Patches ``(side, side)`` spread evenly over the picture, views of it."""
    rows, columns = ([*_starts(length, side)] for length in luma.shape)
    corners = [(row, column) for row in rows for column in columns]
    if len(corners) > _MOST_PATCHES:
        contrast = [luma[row : row + side : 4, column : column + side : 4].std() for row, column in corners]
        corners = [corners[index] for index in np.argsort(contrast)[-_MOST_PATCHES:]]
    return [luma[row : row + side, column : column + side] for row, column in corners]


def _starts(length: int, side: int) -> np.ndarray:
    """Where patches start along an axis: about half a side apart, the first and last at the ends."""
    count = int(np.ceil(2 * (length - side) / side)) + 1
    return np.linspace(0, length - side, count).round().astype(int)


def power_of(psf: np.ndarray, spectrum: Spectrum) -> np.ndarray:
    """The power of a PSF's transfer function at a spectrum's frequencies, ``(F,)``; at least 1e-9.

    psf: ``(K, L)``, no larger than the spectrum's patches.
    """
    side = spectrum.side
    plane = np.abs(scipy.fft.rfft2(psf, s=(side, side))) ** 2
    rows, columns = (np.rint(part * side).astype(int) for part in (spectrum.down, spectrum.across))
    return np.maximum(plane[rows % side, columns], 1e-9)


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


def fit(
    spectrum: Spectrum,
    transfer: Callable[[Spectrum, np.ndarray], np.ndarray],
    start: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    rounds: int = 25,
) -> Fit:
    """Fit a family of blurs by Levenberg–Marquardt on the expected Hessian of the misfit.

    transfer: ``(spectrum, θ) → T``, the power of the transfer function at each frequency, ``(F,)``.
    start, low, high: first guess and bounds of θ, each ``(K,)``; K may be 0.
    rounds: most steps to try.
    """
    features, power, count = spectrum.features, spectrum.power, len(start)
    shape = transfer(spectrum, start)
    state = np.concatenate([start, SHARP_MEAN, [np.log(np.quantile(power, 0.05))]])
    state[count] += np.log(power.mean() / (np.exp(features @ SHARP_MEAN) * shape).mean())
    best, damping = _misfit(spectrum, features, transfer, state, count), 1e-3
    for _ in range(rounds):
        gradient, hessian = _normal_equations(spectrum, features, transfer, state, count, best)
        step = np.linalg.solve(hessian + damping * np.diag(np.diag(hessian)), gradient)
        moved = state + np.clip(step, -2, 2)
        moved[:count] = np.clip(moved[:count], low, high)
        tried = _misfit(spectrum, features, transfer, moved, count)
        if tried.value >= best.value:
            damping = 10 * damping + 1e-3
            continue
        gained, state, best, damping = best.value - tried.value, moved, tried, max(damping / 5, 1e-6)
        if gained < 1e-2:
            break
    return _summary(spectrum, features, transfer, state, count, best)


@dataclass(frozen=True)
class _Misfit:
    """The misfit at one state, and the signal and model it came from."""

    value: float
    signal: np.ndarray
    model: np.ndarray


def _misfit(spectrum: Spectrum, features: np.ndarray, transfer: Callable, state: np.ndarray, count: int) -> _Misfit:
    beta = state[count:-1]
    signal = np.exp(np.clip(features @ beta, -60, 30)) * transfer(spectrum, state[:count])
    model = signal + np.exp(state[-1])
    penalty = PRIOR_WEIGHT * np.square((beta - SHARP_MEAN) / SHARP_DEVIATION).sum() / 2
    return _Misfit(float((np.log(model) + spectrum.power / model).sum() + penalty), signal, model)


def _normal_equations(
    spectrum: Spectrum, features: np.ndarray, transfer: Callable, state: np.ndarray, count: int, at: _Misfit
) -> tuple[np.ndarray, np.ndarray]:
    """Descent direction and expected Hessian of the misfit in (θ, β, s)."""
    share = at.signal / at.model
    jacobian = np.empty((len(share), len(state)))
    sharp = np.exp(np.clip(features @ state[count:-1], -60, 30)) / at.model
    for index in range(count):
        step = np.zeros(count)
        step[index] = 1e-3 * max(1.0, abs(state[index]))
        change = transfer(spectrum, state[:count] + step) - transfer(spectrum, state[:count] - step)
        jacobian[:, index] = sharp * change / (2 * step[index])
    jacobian[:, count:-1] = features * share[:, None]
    jacobian[:, -1] = 1 - share
    gradient = jacobian.T @ (np.minimum(spectrum.power / at.model, _LARGEST_RATIO) - 1)
    weight = PRIOR_WEIGHT / SHARP_DEVIATION**2
    gradient[count:-1] -= weight * (state[count:-1] - SHARP_MEAN)
    precision = np.concatenate([np.full(count, 1e-6), weight, [1e-3]])
    return gradient, jacobian.T @ jacobian + np.diag(precision)


def _summary(
    spectrum: Spectrum, features: np.ndarray, transfer: Callable, state: np.ndarray, count: int, best: _Misfit
) -> Fit:
    _, hessian = _normal_equations(spectrum, features, transfer, state, count, best)
    errors = np.sqrt(np.diag(np.linalg.inv(hessian))[:count])
    ideal = (np.log(spectrum.power) + 1).mean()
    misfit = best.value / len(spectrum.power)
    seen = float((best.signal > best.model - best.signal).mean())
    noise = max(float(np.exp(state[-1])) - _GRAIN**2, 0.0)
    return Fit(misfit, state[:count], errors, misfit - ideal, seen, noise)


def profile(spectrum: Spectrum, transfers: np.ndarray, rounds: int = 6) -> np.ndarray:
    """The misfit of each of many given blurs, with β and s fitted to each, many at once; see `Fit`.

    transfers: ``(N, F)``, the power of each blur's transfer function.
    rounds: Fisher scoring steps, of bounded size; more is more exact. Blurs far from the best get two, which leaves
        their misfits too large.

    Returns ``(N,)``.
    """
    features = spectrum.features.astype(np.float32)
    pairs = np.triu_indices(features.shape[1])
    table = _Table(spectrum.power.astype(np.float32), features, features[:, pairs[0]] * features[:, pairs[1]], pairs)
    misfits = _profile(table, transfers, _ROUGHLY)
    promising = np.argsort(misfits)[: max(len(misfits) // _PROMISING, _BLOCK)]
    misfits[promising] = _profile(table, transfers[promising], rounds)
    return misfits


@dataclass(frozen=True)
class _Table:
    """A spectrum's power ``(F,)``, its features ``(F, 6)``, their products ``(F, 21)`` and of which two each is."""

    power: np.ndarray
    features: np.ndarray
    products: np.ndarray
    pairs: tuple[np.ndarray, np.ndarray]


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
