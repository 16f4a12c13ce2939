"""A still picture as a moving scene: the camera moves, and parts of the picture move in front of the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deblurcli.blur.varying import Layer, exposed, random_poses
from deblurcli.pictures.images import checked, from_float, to_float

LIGHT = ENCODED, LINEAR = "encoded", "linear"  # what an exposure averages
_FEWEST = 9  # instants of an exposure
_RIM = 2  # pixels over which a part fades into what surrounds it
_SOFTNESS = 1.5  # standard deviation in pixels of what softens the fill, whose mirror image is broken in places
_WAVES = np.arange(1, 5)  # of a part's outline, per turn


@dataclass(frozen=True)
class Motion:
    """How the camera and parts of the picture move during an exposure, by random paths.

    length: of the camera's path in pixels.
    rotation: of the camera from first to last, in degrees.
    zoom: from first to last, in percent.
    parts: how many regions of the picture move against the rest.
    travel: length of each part's own path in pixels; the camera's motion comes on top.
    light: "encoded" averages the values of the image, "linear" the light they stand for, as a sensor does.
    seed: of the paths and of the parts' outlines.
    """

    length: float
    rotation: float
    zoom: float
    parts: int
    travel: float
    light: str
    seed: int

    def blurred(self, image: np.ndarray) -> np.ndarray:
        """The image as the exposure shows it.

        image: ``(H, W, 1 or 3)``, uint8, uint16 or float; the result has the same shape and type (float64 becomes
            float32), and whole numbers are rounded.

        Raises ImageError when the image is none.
        """
        image, is_linear = checked(image), self.light == LINEAR
        sharp = np.clip(to_float(image), 0, 1) if is_linear else to_float(image)
        seen = exposed(self.layers(sharp), is_linear)
        return seen if image.dtype == np.float32 else from_float(seen, image.dtype)

    def layers(self, image: np.ndarray) -> list[Layer]:
        """Layers that show just the image at the middle of the exposure; what parts hide is filled in by `filled`.

        image: float32 ``(H, W, C)`` in [0, 1].
        """
        rng, shape, instants = np.random.default_rng(self.seed), image.shape[:2], self._instants(image)
        camera = random_poses(rng, self.length, self.rotation, self.zoom, instants)
        covers = [random_cover(rng, *shape) for _ in range(self.parts)]
        own = [random_poses(rng, self.travel, 0, 0, instants) - (0, 0, 0, 1) for _ in covers]
        hidden = np.any([cover == 1 for cover in covers], axis=0) if covers else np.zeros(shape, bool)
        front = [Layer(image, cover, camera + path) for cover, path in zip(covers, own)]
        return [Layer(filled(image, hidden), None, camera), *front]

    def _instants(self, image: np.ndarray) -> int:
        """An odd number, about as many as the longest path in the picture has pixels."""
        widening = np.deg2rad(self.rotation) + self.zoom / 100  # of the distance from the centre
        longest = self.length + np.hypot(*image.shape[:2]) / 2 * widening + (self.travel if self.parts else 0)
        return max(2 * int(np.ceil(longest / 2)) + 1, _FEWEST)


def random_cover(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A random region with a smooth outline, float32 ``(height, width)``: 1 inside, 0 outside, between them at its rim.

    The same state of `rng` gives the same outline at any size.
    """
    centre, radius = rng.uniform(0.2, 0.8, 2) * (height, width), rng.uniform(0.12, 0.28) * min(height, width)
    waves = rng.normal(0, 0.25 / _WAVES), rng.uniform(0, 2 * np.pi, len(_WAVES))
    y, x = np.arange(height)[:, None] - centre[0], np.arange(width) - centre[1]
    angle = np.arctan2(y, x)
    outline = radius * np.exp(sum(size * np.cos(wave * angle + phase) for wave, size, phase in zip(_WAVES, *waves)))
    return np.clip(1 - (np.hypot(y, x) - outline) / _RIM, 0, 1).astype(np.float32)


def filled(image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The image, where it is hidden its mirror image about the rim of the hidden region, a little softened.

    image: ``(H, W, C)``. hidden: bool ``(H, W)``. Where the mirror image is hidden as well, or lies outside the
    picture, the nearest pixel that is not hidden is repeated. Where all is hidden, the image stays as it is.
    """
    if hidden.all() or not hidden.any():
        return image
    from scipy import ndimage  # takes as long to import as all else that blurring needs

    nearest = ndimage.distance_transform_edt(hidden, return_distances=False, return_indices=True)[:, hidden]
    mirrored = 2 * nearest - np.nonzero(hidden)
    inside = np.all((mirrored >= 0) & (mirrored < np.array(hidden.shape)[:, None]), axis=0)
    inside[inside] = ~hidden[tuple(mirrored[:, inside])]
    result = image.copy()
    result[hidden] = image[tuple(np.where(inside, mirrored, nearest))]
    soft = ndimage.gaussian_filter(result, (_SOFTNESS, _SOFTNESS, 0), mode="mirror")
    result[hidden] = soft[hidden]
    return result
