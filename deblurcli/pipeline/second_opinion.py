"""Two restorations of one picture, with a PSF that was found and by a network that knows of none, blended by agreement.

A right PSF changes the picture as the network does, and more. Where the network changes it more than the PSF does, or
the other way round, the PSF does not hold there: something moved on its own, or the camera turned, or the PSF is wrong.
With a and b the changes that PSF and network make, and means over a neighbourhood::

    r = √(mean b² / mean a²)       c = mean ab / √(mean a² mean b²)       opposition = r − c

The larger the opposition, the more is taken from the network; see `Trust`. In 70 photographs as a camera makes them,
right PSFs of any form came to 0.5 at most, while 7 of 10 that lost came to 1 and more.

A PSF with a formula that was at work in the values of the file is used everywhere or not at all. Whether it holds tells
a small network from both restorations of the part with the strongest gradients; see `reliability.preferred`. Of 33
scenes held out that were restored with such a PSF, certain by itself, it refuses seven, none of which did better with
it than without; the mean gain of all rises from 0.0 to 0.7 dB. PSFs of any form it does not judge: of those of real
camera shake it refused four that were right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import expit

from deblurcli.estimation import views
from deblurcli.inference import reliability
from deblurcli.pictures import cells
from deblurcli.pictures.images import Picture
from deblurcli.pictures.luma import to_luma
from deblurcli.pictures.tiles import Progress, unwatched

_CELL = 16  # pixels a side over which changes are summed up at first
_NEIGHBOURHOOD = 4.0  # cells: standard deviation of the Gaussian that means are taken with
_LEAST = 1e-10  # of mean squares: what no change counts as
_ROWS = 16  # of cells, that are worked on together
_PART = 400  # pixels a side of the part that is looked at where the whole picture is decided on
LEAST_SHARE = 0.1  # of what a PSF restored, that is to be taken: below, it is not used at all


@dataclass(frozen=True)
class Trust:
    """How much a PSF is trusted beside the network.

    even: the opposition at which both count alike. spread: how much more makes it e times as much of the network.
    """

    even: float
    spread: float


# The network hardly knows shake, so that it only has a say where it opposes. Of blurs with a formula in light it undoes
# about as much as a PSF does. 23 such photographs gain 3.3 dB by the PSF, 3.5 by the network, and 3.9 by both.
OF_ANY_FORM, WITH_A_FORMULA = Trust(0.6, 0.1), Trust(0.15, 0.26)


def blended(picture: Picture, restored: Picture, blindly: Picture, trust: Trust) -> tuple[Picture, float]:
    """The picture restored with a PSF where the network does not oppose, and blindly where it does.

    restored, blindly: of the same shape and type as the picture. The former is written over, which saves memory.
    trust: in the PSF.

    Returns also the share that was taken from the former, 0 to 1.
    """
    shares = _shares(picture.pixels, restored.pixels, blindly.pixels, trust)
    pixels = restored.pixels
    for rows in _strips(len(pixels)):
        share = cells.at_pixels(shares, _CELL, rows, pixels.shape[1])[..., None]
        pixels[rows] = _mixed(pixels[rows], blindly.pixels[rows], share)
    return restored, float(shares.mean())


def holds(picture: Picture, restored: Picture, blindly: Callable[[Picture, Progress], Picture]) -> bool:
    """Whether a PSF is right, by what it restored of a picture and what a network makes of its most detailed part.

    restored: of the same shape and type as the picture. blindly: restores a picture without a PSF.

    Raises ModelError when the weights that tell it are missing or damaged.
    """
    at = views.detailed(picture.pixels, _PART)
    part = Picture(np.ascontiguousarray(picture.pixels[at]))
    share = reliability.share_preferred(part.pixels, blindly(part, unwatched).pixels, restored.pixels[at])
    return share >= LEAST_SHARE


def _shares(pixels: np.ndarray, restored: np.ndarray, blindly: np.ndarray, trust: Trust) -> np.ndarray:
    """The share of the first restoration in every cell, ``(m, n)``."""
    sums = np.concatenate([_sums(pixels[rows], restored[rows], blindly[rows]) for rows in _strips(len(pixels))])
    own, other, both = cv2.split(cv2.GaussianBlur(sums, (0, 0), _NEIGHBOURHOOD, borderType=cv2.BORDER_REFLECT))
    own, other = own + _LEAST, other + _LEAST
    opposition = np.sqrt(other / own) - both / np.sqrt(own * other)
    return expit((trust.even - opposition) / trust.spread).astype(np.float32)


def _sums(pixels: np.ndarray, restored: np.ndarray, blindly: np.ndarray) -> np.ndarray:
    """The mean squares of both changes and the mean of their product in each cell of a strip, ``(m, n, 3)``."""
    own, other = (to_luma(image) - to_luma(pixels) for image in (restored, blindly))
    products = np.stack([own * own, other * other, own * other], axis=2)
    down, across = (-side % _CELL for side in own.shape)
    grown = cv2.copyMakeBorder(products, 0, down, 0, across, cv2.BORDER_REPLICATE)
    size = grown.shape[1] // _CELL, grown.shape[0] // _CELL
    return cv2.resize(grown, size, interpolation=cv2.INTER_AREA)


def _strips(height: int) -> list[slice]:
    return [slice(first, min(first + _ROWS * _CELL, height)) for first in range(0, height, _ROWS * _CELL)]


def _mixed(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A share of one strip and the rest of the other."""
    values = other + share * (one.astype(np.float32) - other)
    return np.rint(values).astype(one.dtype) if np.issubdtype(one.dtype, np.integer) else values.astype(one.dtype)
