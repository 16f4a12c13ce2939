"""What `refine` learns from: a blurred picture, what the Wiener filter makes of it twice, and the sharp one."""

from __future__ import annotations

import cv2
import numpy as np

from deblurcli import estimate, noise
from deblurcli.images import to_float
from deblurcli.observed import Settings
from deblurcli.wiener_filter import wiener_twice
from training.data import Pictures
from training.degradation import MARGIN, Sample, degrade
from training.pairs import Batch, Key, Pairs, to_tensor
from training.recipe import Recipe

LAYERS = 3
_ROUNDING = noise.rounding_noise(np.dtype(np.uint8))


class Refinements(Pairs):
    """Inputs ``(9, S, S)``, blurred, boldly and carefully restored, and sharp pictures ``(3, S, S)``; see `Pairs`.

    Pieces are cut from pictures that are reduced, turned and mirrored at random, with `MARGIN` pixels around them.
    """

    def __getitem__(self, key: Key) -> Batch:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        picture = to_float(self.pictures[self.chosen[index % len(self.chosen)]])
        sharp = piece(picture, self.data.crop + 2 * MARGIN, self.data.scale, rng)
        sample = degrade(sharp, self.spec(rng), self.data, rng)
        careful, bold = restored(sample)
        return to_tensor(np.concatenate([sample.blurred, bold, careful], axis=2)), to_tensor(sample.sharp)


def restored(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """The Wiener filter's answers as the tool would give them: more careful where the PSF is not exact."""
    ratio = None if sample.exact else min(estimate.PRUDENCE * noise.noise_to_signal(sample.blurred, _ROUNDING), 1.0)
    settings = Settings(nsr=ratio, least_noise=_ROUNDING, compressed=sample.compressed)
    return wiener_twice(sample.blurred, sample.told, settings)


def piece(image: np.ndarray, side: int, least: float, rng: np.random.Generator) -> np.ndarray:
    """A square cut out of an image at random, after it is reduced, turned and mirrored at random; float32.

    least: scale to reduce to at most, where the image is large enough; smaller is sharper.
    """
    scale = rng.uniform(min(max(least, side / min(image.shape[:2])), 1.0), 1.0)
    height, width = (max(side, round(scale * length)) for length in image.shape[:2])
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    cut = np.rot90(image[top : top + side, left : left + side], rng.integers(4))
    return np.ascontiguousarray(cut[:, :: rng.choice([-1, 1])])


def pairs(pictures: Pictures, recipe: Recipe, chosen: np.ndarray | None = None) -> Pairs:
    """The pairs of a recipe: for a network that looks at one picture, or at what is to be refined."""
    kind = Refinements if recipe.network.get("layers", 1) == LAYERS else Pairs
    return kind(pictures, recipe, chosen)
