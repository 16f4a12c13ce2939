"""A given PSF, adjusted to the picture where its spectrum clearly shows another one nearby.

Lengths are guessed and angles read off by eye, and being wrong by a pixel or by five degrees costs most of what
deconvolution brings. A motion's and a defocus's spectra have zeros, which show both to a fraction of that: the family
is fitted again, near what was given, by the misfit of `whittle`. The given PSF stays unless the misfit falls by more
than pictures let it fall about true PSFs, and lies as far below that of no blur. Of a Gaussian, which has no zeros, the
spectrum tells less than most people know.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from deblurcli.blur.psf import PSFSpec
from deblurcli.estimation import families, whittle
from deblurcli.estimation.families import FINEST, LARGEST_SHARE, PARAMETRIC
from deblurcli.estimation.whittle import Fit
from deblurcli.pictures.images import checked
from deblurcli.pictures.luma import central_luma
from deblurcli.pictures.power_spectrum import Spectrum

SMALLEST_SIDE = 128  # below, too few frequencies tell: one true PSF in four would be moved
# How far from what is given is looked, by family and parameter: a share of it, or at least so much in its unit.
REACH = {"motion": ((0.3, 2.0), (0.0, 12.0)), "defocus": ((0.3, 0.75),)}
_STEPS = 11  # along each parameter
# Of 100 training photographs with noise of 0 to 2.5%, blurred by a motion or defocus, the misfit falls by less about
# 95 true PSFs, and by more in 95 of 100 about motions a pixel and 5 degrees wrong.
_CLEARLY = 0.012


def adjusted(image: np.ndarray, given: PSFSpec) -> PSFSpec:
    """The PSF that an image shows near a given one; the latter where none is clearly better.

    image: ``(H, W, 1 or 3)``, blurred; float in [0, 1], uint8 or uint16; at least 128 pixels a side, else the
        given PSF stays.
    given: of any family; others than motion and defocus stay as they are. Lengths and radii are looked for within 30%
        of what was given, or 2 and 0.75 pixels, angles within 12 degrees.

    Raises ImageError when the image is none.

    >>> from deblurcli.blur import families
    >>> from deblurcli.blur.model import blur
    >>> from deblurcli.blur.psf import parse
    >>> squares = np.kron(np.random.default_rng(0).random((24, 24)), np.ones((9, 9)))[..., None].astype(np.float32)
    >>> found = dict(adjusted(blur(squares, families.motion(9, 30)), parse("motion:10,angle=35")).values)
    >>> round(found["length"]), round(found["angle"])
    (9, 30)
    """
    image = checked(image)
    if given.family not in REACH or min(image.shape[:2]) < SMALLEST_SIDE:
        return given
    values = np.array([dict(given.values)[name] for name in PARAMETRIC[given.family].names])
    luma = central_luma(image)
    seen = families.spectrum_of(luma, side=FINEST)
    if values[0] > LARGEST_SHARE * seen.side:
        return given
    others = (
        whittle.fit_known(seen, power(seen, values))
        for power in (PARAMETRIC[given.family].power, PARAMETRIC["none"].power)
    )
    low, high = _bounds(given.family, values)
    starts = values, _likeliest(families.spectrum_of(luma), given.family, low, high)
    after = min((_fitted(seen, given.family, start, low, high) for start in starts), key=lambda fit: fit.misfit)
    inside = np.all((after.parameters > low) & (after.parameters < high))  # else the search ends there, not the slope
    is_clear = min(fit.misfit for fit in others) - after.misfit > _CLEARLY
    return families.specification(given.family, after.parameters) if inside and is_clear else given


def _fitted(seen: Spectrum, family: str, start: np.ndarray, low: np.ndarray, high: np.ndarray) -> Fit:
    return whittle.fit(seen, PARAMETRIC[family].response, start, low, high)


def _likeliest(seen: Spectrum, family: str, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The values within bounds whose blur explains a spectrum best, of so many along each parameter."""
    guesses = np.array([*product(*np.linspace(low, high, _STEPS).T)])
    return guesses[int(np.argmin(whittle.profile(seen, PARAMETRIC[family].powers(seen, guesses))))]


def _bounds(family: str, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where to look for the parameters."""
    shape = PARAMETRIC[family]
    reach = np.array([max(share * value, least) for value, (share, least) in zip(values, REACH[family])])
    return np.maximum(values - reach, shape.low), values + reach
