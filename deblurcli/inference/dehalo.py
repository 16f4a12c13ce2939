"""Halo suppression: how far a restored picture may go beyond the flat areas beside an edge, where restorations ring.

A sample is limited where what is brightest around it in the blurred picture is a flat area, and likewise below where
what is darkest is one: nothing that blur hid can be brighter than that, but a halo can. Lines, letters and texture are
bright or dark on their own and stay as they are. So do single points, such as stars: where the blurred picture itself
goes beyond the flat areas, the limit gives way, and it never forbids what the blurred picture shows.
"""

from __future__ import annotations

import cv2
import numpy as np

REACH = 16  # pixels: how far around a sample flat areas count; halos of the widest blurs are this wide
FLAT = 0.006  # an area is flat in which a smoothed picture varies by no more
_REDUCED = 2  # times smaller is the picture that flat areas are looked for in
_SMOOTH, _AREA = np.ones((3, 3)) / 9, np.ones((4, 4), np.uint8)  # of the smaller picture
_AROUND = np.ones((2 * REACH // _REDUCED + 1,) * 2, np.uint8)
_FADES = 8.0  # times what an area that is not flat goes beyond the flat ones, a limit recedes
_SPOT = 0.012  # beyond flat areas by more, a point is no noise: noise that goes so far leaves no area flat
_SPOT_FADES = 64.0  # times what a point goes beyond, a limit recedes: so much does a disc of 4 to 5 pixels dim a point
_SPOT_SIGMA = 1.0  # pixels: the blur against noise before points are looked for
_BESIDE = np.ones((7, 7), np.uint8)  # what belongs to a point


def suppress_halos(restored: np.ndarray, blurred: np.ndarray, beyond: float) -> np.ndarray:
    """The restored image without halos of more than `beyond`.

    restored, blurred: float32 ``(H, W, 3)`` in [0, 1], of the same size.
    beyond: how far it may go over the brighter of two flat areas, or below the darker one, on the scale [0, 1];
        `FLAT` at least.
    """
    below, above = _bounds(blurred, beyond - FLAT / 2)
    return np.clip(restored, below, above)


def _bounds(blurred: np.ndarray, beyond: float) -> tuple[np.ndarray, np.ndarray]:
    """The least and greatest value of each sample, each ``(H, W, 3)``; beyond all values where there is no bound."""
    height, width, _ = blurred.shape
    smaller = -(-width // _REDUCED), -(-height // _REDUCED)
    smooth = cv2.filter2D(cv2.resize(blurred, smaller, interpolation=cv2.INTER_AREA), -1, _SMOOTH)
    flat = cv2.dilate(smooth, _AREA) - cv2.erode(smooth, _AREA) <= FLAT
    darkest, brightest = cv2.erode(smooth, _AROUND), cv2.dilate(smooth, _AROUND)
    flat_below = cv2.erode(np.where(flat, smooth, np.float32(2)), _AROUND)
    flat_above = cv2.dilate(np.where(flat, smooth, np.float32(-1)), _AROUND)
    below = flat_below - _FADES * np.maximum(flat_below - darkest - FLAT, 0) - np.float32(beyond)
    above = flat_above + _FADES * np.maximum(brightest - flat_above - FLAT, 0) + np.float32(beyond)
    wide_below = np.minimum(flat_below, cv2.erode(brightest, _AROUND))  # what is narrower than `_AROUND` is filled in
    wide_above = np.maximum(flat_above, cv2.dilate(darkest, _AROUND))
    below, above, wide_below, wide_above = (
        cv2.resize(bound, (width, height)).reshape(blurred.shape) for bound in (below, above, wide_below, wide_above)
    )
    spots = cv2.GaussianBlur(blurred, (0, 0), _SPOT_SIGMA)
    below -= _receding(wide_below - spots)
    above += _receding(spots - wide_above)
    return np.minimum(below, blurred), np.maximum(above, blurred)


def _receding(excess: np.ndarray) -> np.ndarray:
    """How far a limit gives way to points that go so far beyond all that is flat or wide."""
    return cv2.dilate(_SPOT_FADES * np.maximum(excess - _SPOT, 0), _BESIDE)
