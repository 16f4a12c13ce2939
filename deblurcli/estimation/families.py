"""Parametric families of blurs as the power spectrum shows them, and how each is fitted to it; see `whittle`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.special import j0, j1

from deblurcli.blur.psf import PSFSpec
from deblurcli.estimation import whittle
from deblurcli.estimation.whittle import Fit, Response
from deblurcli.pictures import power_spectrum
from deblurcli.pictures.power_spectrum import Spectrum

_COARSE, _FINE = 128, 256  # sides of the patches for the search and for the fit
FINEST = 512  # side of the patches for the last fit in large pictures
LARGEST_SHARE = 1 / 3  # of a patch's side, that a blur fitted to it may have
HIGHEST = 0.45  # cycles per pixel; the corners beyond hold noise, and what the camera did to it
LOW, MIDDLE = 0.15, 0.22  # cycles per pixel: below, JPEG leaves a spectrum as it was, or mostly
_SMALL_PHASE = 1e-4  # below, a sinc is taken for that of this phase: the same to 1e-8
_AT_ONCE = 64  # sets of parameters whose powers are computed together: 1 MB each
_STARTS = 5  # fits per family: pictures with lines of their own have several optima
_FIRST_ROUNDS, _PURSUED = 5, 2  # of each fit; and how many of the best then go on
# Families fitted once more, and from which multiples of the size found: of a motion's zeros, others have some as well.
_REFIT = {"motion": (1, 2, 3, 4), "defocus": (1,)}


def _untouched(at: Spectrum, parameters: np.ndarray) -> np.ndarray:
    return np.ones((*parameters.shape[:-1], len(at.across)), at.across.dtype)


def _gaussian(at: Spectrum, parameters: np.ndarray) -> np.ndarray:
    """``exp(−4π²σ²f²)``."""
    return np.exp(_bend(at) * parameters**2)


def _motion(at: Spectrum, parameters: np.ndarray) -> np.ndarray:
    """``sinc²(L u)``, u the frequency along the motion."""
    length, angle = parameters[..., :1], np.deg2rad(parameters[..., 1:])
    phase = _nonzero(np.pi * length * (at.across * np.cos(angle) - at.down * np.sin(angle)))
    return (np.sin(phase) / phase) ** 2


def _defocus(at: Spectrum, parameters: np.ndarray) -> np.ndarray:
    """``(2 J₁(2πrf) / 2πrf)²``."""
    phase = 2 * np.pi * at.radius * parameters
    return (2 * j1(phase) / phase) ** 2


def _untouched_response(at: Spectrum, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _untouched(at, parameters), np.empty((0, len(at.power)))


def _gaussian_response(at: Spectrum, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    power = _gaussian(at, parameters)
    return power, (2 * parameters[0] * _bend(at) * power)[None]


def _motion_response(at: Spectrum, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length, angle = parameters[0], np.deg2rad(parameters[1])
    along = at.across * np.cos(angle) - at.down * np.sin(angle)
    turning = -at.across * np.sin(angle) - at.down * np.cos(angle)  # of u with the angle
    phase = _nonzero(np.pi * length * along)
    otf = np.sin(phase) / phase
    slope = 2 * np.pi * otf * (np.cos(phase) - otf) / phase
    return otf**2, np.stack([slope * along, slope * (length * np.pi / 180) * turning])


def _defocus_response(at: Spectrum, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turn = 2 * np.pi * at.radius
    phase = turn * parameters[0]
    otf = 2 * j1(phase) / phase
    return otf**2, (-4 * otf * (otf - j0(phase)) / phase * turn)[None]  # J₂(p) = 2 J₁(p) / p − J₀(p)


def _bend(at: Spectrum) -> np.ndarray:
    return -((2 * np.pi * at.radius) ** 2)


def _nonzero(phase: np.ndarray) -> np.ndarray:
    return np.where(np.abs(phase) < _SMALL_PHASE, _SMALL_PHASE, phase)


def _lines() -> tuple[tuple[float, float], ...]:
    """Lengths and angles to try, so close that no zero of the spectrum falls between two."""
    lengths = [*np.arange(2, 12, 1.0), *np.arange(12, 24, 1.5), *np.arange(24, 45, 2.0)]
    return tuple((length, angle) for length in lengths for angle in np.arange(0, 180, np.clip(90 / length, 3, 15)))


@dataclass(frozen=True)
class ParametricFamily:
    """A family of blurs as the spectrum shows it.

    power: ``(spectrum, θ) → |OTF|²`` at its frequencies, ``(…, F)``, for parameters ``(…, K)``.
    response: for one set of them the same and its derivatives; see `whittle.Response`.
    names: of the parameters θ, as the family's specification has them.
    guesses: parameters to try, for the search.
    low, high: bounds of the parameters.
    least: of the first parameter; below, the blur is none.
    """

    power: Callable[[Spectrum, np.ndarray], np.ndarray]
    response: Response
    names: tuple[str, ...] = ()
    guesses: tuple[tuple[float, ...], ...] = ((),)
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    least: float = 0.0

    def powers(self, at: Spectrum, guesses: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """``|OTF|²`` of many parameters ``(N, K)`` at a spectrum's frequencies, ``(N, F)`` float32."""
        single = replace(at, across=at.across.astype(np.float32), down=at.down.astype(np.float32))
        blocks = (guesses[first : first + _AT_ONCE] for first in range(0, len(guesses), _AT_ONCE))
        return np.concatenate([self.power(single, np.array(block, np.float32)) for block in blocks])


PARAMETRIC: dict[str, ParametricFamily] = {
    "none": ParametricFamily(_untouched, _untouched_response),
    "motion": ParametricFamily(
        _motion, _motion_response, ("length", "angle"), _lines(), (1.0, -np.inf), (50.0, np.inf), 1.8
    ),
    "gaussian": ParametricFamily(
        _gaussian, _gaussian_response, ("sigma",), tuple((s,) for s in np.geomspace(0.3, 8, 30)), (0.3,), (12.0,), 0.55
    ),
    "defocus": ParametricFamily(
        _defocus, _defocus_response, ("radius",), tuple((r,) for r in np.geomspace(0.8, 16, 60)), (0.6,), (24.0,), 1.1
    ),
}


def spectrum_of(luma: np.ndarray, highest: float = HIGHEST, side: int = _FINE) -> Spectrum:
    """The spectrum of a picture's luma ``(H, W)`` up to a frequency in cycles per pixel.

    side: of the patches in pixels; they are even, and no larger than the picture allows.
    """
    return power_spectrum.measure(luma, min(side, min(luma.shape) // 2 * 2), highest)


@lru_cache(maxsize=2)
def _powers(side: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The frequencies of patches of a side up to `HIGHEST`, ``(F,)``, and the `powers` of all guesses there."""
    at = spectrum_of(np.zeros((side, side), np.float32), side=side)
    return at.radius, {name: family.powers(at, family.guesses) for name, family in PARAMETRIC.items()}


@dataclass(frozen=True)
class Search:
    """What a picture's spectrum shows, and the optima of each family in it, the best first."""

    spectrum: Spectrum
    fits: dict[str, list[Fit]]

    @property
    def no_blur(self) -> Fit:
        """No blur at all, fitted to it."""
        return self.fits["none"][0]

    @property
    def best(self) -> str:
        """The family that explains it best."""
        return min(self.fits, key=lambda name: self.fits[name][0].misfit)


def search(luma: np.ndarray, highest: float = HIGHEST) -> Search:
    """Find the optima of each family: among its guesses, then fitted.

    luma: the picture's luma, ``(H, W)``. highest: frequency that is looked at, in cycles per pixel.
    """
    coarse, seen = (spectrum_of(luma, highest, side) for side in (_COARSE, _FINE))
    radius, tables = _powers(coarse.side)
    low = radius <= highest
    if not low.all():
        tables = {name: table[:, low] for name, table in tables.items()}
    misfits = {name: whittle.profile(coarse, table) for name, table in tables.items()}
    fits = {name: sorted(_fits(name, misfits[name], seen), key=lambda fit: fit.misfit) for name in PARAMETRIC}
    return Search(seen, fits)


def _fits(name: str, misfits: np.ndarray, seen: Spectrum) -> list[Fit]:
    family = PARAMETRIC[name]
    return _best_fits(family, seen, _starts(name, misfits), (np.array(family.low), np.array(family.high)))


def _best_fits(
    family: ParametricFamily, seen: Spectrum, starts: Sequence[np.ndarray], bounds: tuple[np.ndarray, np.ndarray]
) -> list[Fit]:
    """The fits from several first guesses, all of them a few rounds, the best of those to the end."""
    begun = sorted(
        (whittle.fit(seen, family.response, start, *bounds, rounds=_FIRST_ROUNDS) for start in starts),
        key=lambda fit: fit.misfit,
    )
    ended = [whittle.fit(seen, family.response, fit.parameters, *bounds) for fit in begun[:_PURSUED]]
    return [*ended, *begun[_PURSUED:]]


def _starts(name: str, misfits: np.ndarray) -> list[np.ndarray]:
    """The best guesses that are not near a better one; and for motion twice the best, as zeros repeat."""
    starts: list[np.ndarray] = []
    for index in np.argsort(misfits):
        guess = np.array(PARAMETRIC[name].guesses[index], float)
        if not any(same_optimum(name, start, guess) for start in starts):
            starts.append(guess)
        if len(starts) == _STARTS:
            break
    return [*starts, starts[0] * [2, 1]] if name == "motion" else starts


def same_optimum(name: str, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two parameters lie at the same optimum; families of one parameter have but one."""
    if name != "motion":
        return True
    rotation = abs((one[1] - other[1] + 90) % 180 - 90)
    return bool(abs(one[0] - other[0]) < 0.15 * one[0] + 0.5 and rotation < max(4, 60 / one[0]))


def specification(name: str, values: Sequence[float] | np.ndarray) -> PSFSpec:
    """The PSF of a family with these values, to two decimals, a motion's angle from 0 to 180 degrees."""
    rounded = [round(float(value), 2) for value in values]
    if name == "motion":
        rounded[1] = round(rounded[1] % 180, 2)
    return PSFSpec.of(name, dict(zip(PARAMETRIC[name].names, rounded)))


def refit(luma: np.ndarray, name: str, values: Sequence[float]) -> Fit | None:
    """A blur found, or one of a multiple of its size, fitted once more, to large patches of a picture.

    luma: the picture's luma, ``(H, W)``. values: the family's parameters.

    None for families of which large patches tell nothing more, and blurs too large for those.
    """
    family, seen, (size, *others) = PARAMETRIC[name], spectrum_of(luma, side=FINEST), values
    sizes = [times * size for times in _REFIT.get(name, ()) if times * size <= LARGEST_SHARE * seen.side]
    low, high = np.array(family.low), np.full(len(values), np.inf)
    starts = [np.array([start, *others]) for start in sizes]
    return min(_best_fits(family, seen, starts, (low, high)), key=lambda fit: fit.misfit, default=None)
