"""Motion that varies over the picture: layers of a scene, each on a path of its own, seen during an exposure.

A *pose* is where a layer is at one instant: shift_x and shift_y in pixels, turn in radians, and zoom, a factor. In the
pose (0, 0, 0, 1) it lies where it lay in the sharp picture. *Poses* are an array ``(T, 4)``, one row for each instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

GAMMA = 2.2  # of encoded values over light, about that of sRGB
_WHOLE = (slice(None), slice(None))
_BEND = 0.4  # how far a path bends and changes its speed; below 0.5 it never turns back


@dataclass(frozen=True)
class Layer:
    """A part of a scene, and its path during the exposure.

    image: float32 ``(H, W, C)`` in [0, 1].
    cover: how much of what lies behind the layer hides, float32 ``(H, W)`` in [0, 1]; None hides everything.
    poses: ``(T, 4)``.
    """

    image: np.ndarray
    cover: np.ndarray | None
    poses: np.ndarray


def warped(image: np.ndarray, pose: Sequence[float] | np.ndarray, window: tuple[slice, slice] = _WHOLE) -> np.ndarray:
    """What the camera sees of a layer at one instant.

    ``seen(p) = image(c + zoom · R(turn) · (p − c) + shift)``, p = (x, y), y down, c = ((W − 1)/2, (H − 1)/2),
    R(turn) = [[cos, −sin], [sin, cos]]; linear between the pixels, mirrored about the outermost pixel.

    image: float32 ``(H, W)`` or ``(H, W, C)``.
    pose: shift_x, shift_y, turn, zoom.
    window: the rows and columns to compute, all by default.
    """
    from scipy import ndimage  # takes as long to import as all else that blurring needs

    shift_x, shift_y, turn, zoom = map(float, pose)
    across = zoom * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])  # of (y, x)
    centre = (np.array(image.shape[:2]) - 1) / 2
    first, behind = np.array([part.indices(side)[:2] for part, side in zip(window, image.shape)]).T
    offset = centre + across @ (first - centre) + (shift_y, shift_x)
    seen = np.empty((*(behind - first), *image.shape[2:]), np.float32)
    for channel in np.ndindex(image.shape[2:]):
        plane = (..., *channel)
        ndimage.affine_transform(image[plane], across, offset, output=seen[plane], order=1, mode="mirror")
    return seen


def exposed(layers: Sequence[Layer], is_linear: bool = False) -> np.ndarray:
    """The mean of all instants of an exposure, float32 ``(H, W, C)``.

    ``frame_t = warped(cover · image) + (1 − warped(cover)) · frame_t``, from the layer at the back to the foremost

    layers: from back to front, each with the same number of instants; the first has no cover.
    is_linear: whether to average light, as a sensor does, instead of the values that encode it.
    """
    back, *front = layers
    scene, parts = _light(back.image, is_linear), [_Part.of(layer, is_linear) for layer in front]
    total = np.zeros_like(scene)
    for instant, pose in enumerate(back.poses):
        frame = warped(scene, pose)
        for part in parts:
            part.lay(frame, instant)
        total += frame
    mean = total / np.float32(len(back.poses))
    return np.clip(mean, 0, 1) ** np.float32(1 / GAMMA) if is_linear else mean


@dataclass(frozen=True)
class _Part:
    """A layer in front of others, ready to be laid over a frame; seen: its image times its cover."""

    seen: np.ndarray
    cover: np.ndarray
    poses: np.ndarray

    @classmethod
    def of(cls, layer: Layer, is_linear: bool) -> _Part:
        """The layer's image as values or as light, times its cover."""
        cover = np.ones(layer.image.shape[:2], np.float32) if layer.cover is None else layer.cover
        return cls(_light(layer.image, is_linear) * cover[..., None], cover, layer.poses)

    def lay(self, frame: np.ndarray, instant: int) -> None:
        """Lay the part over a frame, in place; only where it covers anything, which takes less time."""
        cover = warped(self.cover, self.poses[instant])
        rows, columns = (np.flatnonzero(cover.any(axis=axis)) for axis in (1, 0))
        if rows.size:
            window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            part = warped(self.seen, self.poses[instant], window)
            frame[window] = part + (1 - cover[window][..., None]) * frame[window]


def _light(image: np.ndarray, is_linear: bool) -> np.ndarray:
    image = image.astype(np.float32, copy=False)
    return image ** np.float32(GAMMA) if is_linear else image


def random_poses(rng: np.random.Generator, length: float, rotation: float, zoom: float, instants: int) -> np.ndarray:
    """A random smooth path ``(instants, 4)``, slightly curved, whose middle instant is exactly (0, 0, 0, 1).

    The same state of `rng` gives the same path at any number of instants, and draws as much.

    length: of the path of the shift in pixels.
    rotation: from the first instant to the last, in degrees, either way.
    zoom: from the first instant to the last, in percent, in or out.
    instants: an odd number.
    """
    angle, sideways = rng.uniform(0, 2 * np.pi), rng.uniform(-_BEND, _BEND)
    uneven, sign = rng.uniform(-_BEND, _BEND, 3), rng.choice((-1.0, 1.0), 2)
    time = (np.arange(instants) - instants // 2) / max(instants // 2, 1)
    along, turned, zoomed = (time + uneven[:, None] * time**2) / 2
    path = (along + 1j * sideways * time**2) * np.exp(1j * angle)
    path *= length / np.abs(np.diff(path)).sum() if instants > 1 else 0
    turn, factor = np.deg2rad(rotation) * sign[0] * turned, (1 + zoom / 100) ** (sign[1] * zoomed)
    return np.stack([path.real, path.imag, turn, factor], axis=1)
