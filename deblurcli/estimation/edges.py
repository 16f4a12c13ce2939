"""How steep a picture's edges are, which tells sharp pictures from blurred ones whatever blurred them.

The tallest edges of a sharp picture rise within a pixel or two. A blur that reaches over eight pixels leaves no edge
across it that does, so that one direction at least has only gentle ones: motion its own, wrong focus all of them.
Lights are steep in any picture, and left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from deblurcli.pictures import lights

REACH = 3  # pixels to both sides, over which an edge is measured; two thirds of it along diagonals
_TALLEST = 0.998  # quantile of the differences over that distance, from which they are edges
_LEAST_HEIGHT = 1e-3
_LOW = 0.1  # of the tallest edges of all directions: where a direction's own are lower, a blur along it shows nowhere
_DIRECTIONS = ((0, 1, REACH), (1, 0, REACH), (1, 1, 2), (-1, 1, 2))  # rows and columns of a step, steps to each side
# Logistic weight of the logarithm of steepness, and the constant, that tell sharp pictures from blurred: 500 pieces
# of training photographs, 308 of them blurred by motion, shake, Gaussians or wrong focus, noise of 0 to 3%, four in ten
# through JPEG. The area under the curve is 0.99; what a power spectrum shows (alone: 0.89) adds nothing to it.
_WEIGHT, _CONSTANT = 14.2, 12.5

# Of those pictures one that a shake of 3 pixels had blurred was so likely sharp, beside 137 of the 192 sharp ones.
BEYOND_DOUBT = 0.9


def sharpness(luma: np.ndarray) -> float:
    """How likely a picture is sharp, 0 to 1, by the `steepness` of its edges; ``(H, W)``, float32 in [0, 1]."""
    return float(expit(_WEIGHT * np.log(max(steepness(luma), 1e-6)) + _CONSTANT))


def steepness(luma: np.ndarray) -> float:
    """The share of the height of a picture's tallest edges that lies between two neighbouring pixels, 0 to 1.

    luma: ``(H, W)``, float32 in [0, 1], at least 16 pixels a side.

    The median over the edges of each of four directions, and of these the least: about 0.17 or 0.25 where edges are
    slopes, 1 where they are steps. Directions that have hardly an edge are left out; 0 where none has.
    """
    luma = lights.without(luma, 2 * REACH + 1)
    found = [edges for direction in _DIRECTIONS if (edges := _edges(luma, *direction)).height >= _LEAST_HEIGHT]
    tallest = max((edges.height for edges in found), default=0.0)
    return min((edges.steepness for edges in found if edges.height >= _LOW * tallest), default=0.0)


class _Edges(NamedTuple):
    """The least height of the tallest edges in one direction, and their median steepness."""

    height: float
    steepness: float


def _edges(luma: np.ndarray, down: int, across: int, reach: int) -> _Edges:
    """The tallest edges in one direction."""

    def moved(array: np.ndarray, steps: int) -> np.ndarray:
        rows, columns = (
            slice(REACH + steps * step, length - REACH + steps * step)
            for step, length in zip((down, across), luma.shape)
        )
        return array[rows, columns]

    heights = np.abs(moved(luma, reach) - moved(luma, -reach))
    height = float(np.quantile(heights[::2, ::2], _TALLEST))
    tall = np.nonzero(heights >= max(height, _LEAST_HEIGHT))
    if not tall[0].size:
        return _Edges(0.0, 0.0)
    profile = np.stack([moved(luma, steps)[tall] for steps in range(-reach, reach + 1)])
    return _Edges(height, float(np.median(np.abs(np.diff(profile, axis=0)).max(axis=0) / heights[tall])))
