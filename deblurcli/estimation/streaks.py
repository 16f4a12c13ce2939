"""The PSF as lights draw it: at night a shaken camera leaves the same streak of every bright point.

A streak is a thin, bright figure on darker ground, with nothing as bright around it. Where several at different places
are alike, the one that is most like the others is the path of the camera, and how long it stayed where. It is no more
than a candidate: letters on a dark ground are alike as well, and so are lamps.

Source of the idea: Z. Hu, S. Cho, J. Wang and M.-H. Yang, Deblurring low-light images with light streaks, CVPR 2014.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from deblurcli.blur.families import centred
from deblurcli.estimation import psf_shape

_LEVELS = 0.8, 0.45, 0.2, 0.1  # of light, from which on pixels are part of a streak
_BRIGHT = 0.1  # share of a picture that is so bright, at most: more is no dark ground
_SIDES = 12, 151  # pixels, of the longer side of a streak
_FILLED = 0.35  # of the square around it, at most
_AROUND = 0.35  # of its longer side: how far around it nothing is nearly as bright
_NEARLY, _MOST_AROUND = 0.5, 0.98  # of its height over the ground; the quantile of what lies around it
_FAINT = 0.1  # of its height: what is fainter is ground
_RIM = np.ones((5, 5), np.uint8)  # what belongs to a streak beside its pixels
_LOOKED_AT, _COMPARED = 100, 16  # figures of each level, the largest; streaks, the highest
_ALIKE, _OTHERS = 0.9, 2  # correlation of streaks that are alike, and how many others one is to be like
_AS_LARGE = 1.4  # times, of the longer side, where two may be alike


@dataclass(frozen=True)
class _Streak:
    """A streak: its rows and columns, its height over the ground, and its light as a PSF."""

    place: tuple[slice, slice]
    height: float
    psf: np.ndarray

    def overlaps(self, other: _Streak) -> bool:
        """Whether both are seen at one place."""
        return all(a.start < b.stop and b.start < a.stop for a, b in zip(self.place, other.place))

    def is_as_large(self, other: _Streak) -> bool:
        """Whether they may be alike, by their sizes."""
        smaller, larger = sorted((len(self.psf), len(other.psf)))
        return larger <= _AS_LARGE * smaller


def psf(light: np.ndarray) -> np.ndarray | None:
    """The PSF ``(K, K)`` that lights drew in a picture; None where they drew none.

    light: of the picture, float32 ``(H, W)`` in [0, 1]; see `light.decoded`.
    """
    seen = sorted(_streaks(light), key=lambda streak: -streak.height)[:_COMPARED]
    support = [_support(streak, seen) for streak in seen]
    if max(support, default=0.0) < _ALIKE:
        return None
    return seen[int(np.argmax(support))].psf


def _support(streak: _Streak, seen: list[_Streak]) -> float:
    """How much a streak is like as many others, all at different places, as it is to be like: the least of these."""
    places = [streak]
    others = [(psf_shape.alike(streak.psf, other.psf), other) for other in seen if streak.is_as_large(other)]
    for correlation, other in sorted(others, key=lambda pair: -pair[0]):
        if not any(other.overlaps(each) for each in places):
            places.append(other)
        if len(places) > _OTHERS:
            return correlation
    return 0.0


def _streaks(light: np.ndarray) -> Iterator[_Streak]:
    """All figures that may be streaks, at one place maybe of several levels."""
    for level in _LEVELS:
        bright = light >= level
        if bright.mean() > _BRIGHT:
            return
        _, labels, found, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8), connectivity=8)
        sides, areas = found[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1), found[:, cv2.CC_STAT_AREA]
        thin = (sides >= _SIDES[0]) & (sides <= _SIDES[1]) & (areas <= _FILLED * sides.astype(float) ** 2)
        for label in sorted(np.flatnonzero(thin), key=lambda label: -areas[label])[:_LOOKED_AT]:
            left, top, width, height = (int(number) for number in found[label][: cv2.CC_STAT_AREA])
            streak = _isolated(light, labels, int(label), (slice(top, top + height), slice(left, left + width)))
            if streak is not None:
                yield streak


def _isolated(light: np.ndarray, labels: np.ndarray, label: int, place: tuple[slice, slice]) -> _Streak | None:
    """The streak of the pixels with a label, if it lies inside the picture and nothing around is nearly as bright."""
    margin = int(_AROUND * max(part.stop - part.start for part in place)) + len(_RIM)
    around = tuple(slice(part.start - margin, part.stop + margin) for part in place)
    if any(part.start < 0 or part.stop > length for part, length in zip(around, light.shape)):
        return None
    seen, own = light[around], labels[around] == label
    near = cv2.dilate(own.astype(np.uint8), _RIM) > 0
    ground = float(np.median(seen[~near]))
    height = float(np.quantile(seen[own], 0.9)) - ground
    if height <= 0 or np.quantile(seen[~near], _MOST_AROUND) > ground + _NEARLY * height:
        return None
    drawn = np.where(near, np.clip(seen - ground - _FAINT * height, 0, None), 0).astype(np.float64)
    drawn = centred(drawn / drawn.sum())
    return _Streak(place, height, psf_shape.framed(drawn, psf_shape.odd(max(drawn.shape) + 1)))
