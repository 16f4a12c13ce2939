"""Pictures as a camera takes them that shifts, rolls and zooms while the shutter is open.

Every instant is the sharp picture, warped about its middle: rolled by an angle, enlarged, and shifted. Their mean is
the blurred picture. Values are averaged as they are stored, as `deblurcli blur` does it, without gamma.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from deblurcli.blur.families import centred

FEWEST = 41  # instants
_FINE = 1.0  # pixels that nothing may move farther from one instant to the next
_KNOTS = 5


@dataclass(frozen=True)
class Path:
    """How the picture moves. All arrays have one value for each instant; the mean of each is 0.

    down, right: in pixels. roll: in radians, counterclockwise in the picture. zoom: enlargement less 1.
    """

    down: np.ndarray
    right: np.ndarray
    roll: np.ndarray
    zoom: np.ndarray

    def matrices(self, size: tuple[int, int]) -> np.ndarray:
        """The affine maps ``(N, 2, 3)`` from (x, y) of the sharp picture to where it is seen.

        size: height and width in pixels.
        """
        scale = 1 + self.zoom
        cosine, sine = scale * np.cos(self.roll), scale * np.sin(self.roll)
        middle = (np.array(size[::-1]) - 1) / 2
        turn = np.stack([np.stack([cosine, sine], 1), np.stack([-sine, cosine], 1)], 1)
        shift = np.stack([self.right, self.down], 1) + middle - turn @ middle
        return np.concatenate([turn, shift[..., None]], axis=2)

    def shifts(self, place: tuple[float, float], size: tuple[int, int]) -> np.ndarray:
        """How far (x, y) the point at a place (x, y) is from there at each instant, ``(N, 2)`` in pixels."""
        return self.matrices(size) @ np.array([*place, 1.0]) - place

    def variation(self, size: tuple[int, int]) -> float:
        """By how many pixels the path of a corner differs from that of the middle: the largest over the corners.

        It is the extent, between any two instants, of the one path less the other.
        """
        middle = self.shifts(((size[1] - 1) / 2, (size[0] - 1) / 2), size)
        return max(_extent(self.shifts(corner, size) - middle) for corner in _corners(size))

    def longest_step(self, size: tuple[int, int]) -> float:
        """How far a corner moves at most from one instant to the next, in pixels."""
        ways = np.stack([self.shifts(corner, size) for corner in _corners(size)])
        return float(np.linalg.norm(np.diff(ways, axis=1), axis=2).max())

    def psf(self) -> np.ndarray:
        """The PSF in the middle of the picture: the shifts alone, ``(K, K)``, spread over pixels linearly."""
        reach = int(np.ceil(max(np.abs(self.down).max(), np.abs(self.right).max()))) + 1
        psf = np.zeros((2 * reach + 1,) * 2)
        corner = [np.floor(axis).astype(int) for axis in (self.down, self.right)]
        rest = self.down - corner[0], self.right - corner[1]
        for below in (0, 1):
            for beside in (0, 1):
                weight = np.abs(1 - below - rest[0]) * np.abs(1 - beside - rest[1])
                np.add.at(psf, (reach + corner[0] + below, reach + corner[1] + beside), weight)
        return centred(psf / psf.sum())


def _corners(size: tuple[int, int]) -> list[tuple[float, float]]:
    return [(x, y) for x in (0, size[1] - 1) for y in (0, size[0] - 1)]


def _extent(points: np.ndarray) -> float:
    """The largest distance between two of the points ``(N, 2)``."""
    return float(np.linalg.norm(points[:, None] - points[None], axis=2).max())


def blurred(sharp: np.ndarray, path: Path, margin: int = 0) -> np.ndarray:
    """The mean of a picture along a path; float32.

    sharp: float32 ``(H, W, C)``; beyond its border its mirror image goes on. margin: pixels that are cut off each side.
    """
    total = np.zeros(sharp.shape, np.float32)
    height, width = sharp.shape[:2]
    for matrix in path.matrices((height, width)):
        seen = cv2.warpAffine(sharp, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        total += seen.reshape(sharp.shape)
    return (total / np.float32(len(path.roll)))[margin : height - margin, margin : width - margin]


def drawn(random: np.random.Generator, size: tuple[int, int], shift: float, roll: float, zoom: float) -> Path:
    """A smooth random path, in steps of at most a pixel.

    size: height and width of the picture. shift: extent of the shifts in pixels, the larger of both directions.
    roll, zoom: extents, in radians and as a share.
    """
    knots = np.cumsum(random.normal(0, 1, (_KNOTS, 4)), axis=0)
    spline = CubicSpline(np.linspace(0, 1, _KNOTS), knots)
    count = FEWEST
    while True:
        ways = spline(np.linspace(0, 1, count))
        ways -= ways.mean(axis=0)
        extents = np.ptp(ways, axis=0)
        extents[:2] = extents[:2].max()
        down, right, rolls, zooms = (ways * np.array([shift, shift, roll, zoom]) / extents).T
        path = Path(down, right, rolls, zooms)
        if path.longest_step(size) <= _FINE:
            return path
        count *= 2
