"""What networks for photographs learn from; `refine` sees what the Wiener filter makes of a picture as well."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from deblurcli.deconvolution.observation import Observation
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.wiener import wiener_pair
from deblurcli.estimation import light
from deblurcli.estimation.noise_to_signal import LIGHT_SAFETY, NSR_SAFETY
from deblurcli.pictures import noise
from deblurcli.pictures.images import to_float
from training.data.batched.batches import Batches
from training.data.degradation import Blurring, Sample, blurring, degrade, piece
from training.data.found import FoundPSFs
from training.data.pairs import Batch, Key, Pairs, to_tensor
from training.data.sources import Pictures
from training.recipe import Recipe

LAYERS = 3
_ROUNDING = noise.rounding_noise(np.dtype(np.uint8))


class Degraded(Pairs):
    """Blurred pictures ``(3, H, W)`` as cameras make them, and sharp ones; see `Pairs` and `degradation`."""

    def __getitem__(self, key: Key) -> Batch:
        rng = np.random.default_rng([self.seed, *key])
        sample = self.degraded(self._picture(key), self.data.piece, rng)
        return to_tensor(self.inputs(sample)), to_tensor(sample.sharp)

    def _picture(self, key: Key) -> np.ndarray:
        return to_float(self.pictures[int(self.chosen[key[1] % len(self.chosen)])])

    def degraded(self, picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> Sample:
        """A piece of a picture as the recipe degrades it."""
        sharp, margin = piece(picture, size, self.data.scale, rng)
        return degrade(sharp, margin, self._blurring(rng), self.data, rng)

    def _blurring(self, rng: np.random.Generator) -> Blurring:
        if self.data.found and rng.random() < self.data.found:
            return FoundPSFs.kept().draw(rng)
        again = bool(self.data.twice) and rng.random() < self.data.twice
        return blurring([self.spec(rng) for _ in range(1 + again)], self.data, rng)

    def inputs(self, sample: Sample) -> np.ndarray:
        """What the network looks at, ``(H, W, 3 · layers)``."""
        return sample.blurred


class Refinements(Degraded):
    """Inputs ``(9, H, W)``, blurred, boldly and carefully restored, and sharp pictures ``(3, H, W)``."""

    def inputs(self, sample: Sample) -> np.ndarray:
        """The blurred picture and both images that the Wiener filter restores, where the blur was at work."""
        observation = observed(sample)
        pair = wiener_pair(observation)
        seen = [observation.image, pair.bold, pair.careful]
        return np.concatenate([light.encoded(each) for each in seen] if sample.in_light else seen, axis=2)


def observed(sample: Sample) -> Observation:
    """A sample as the Wiener filter sees it in the tool, which is more careful where the PSF is not exact.

    What was blurred in light is seen there. The tool only finds such PSFs, so that none is taken for exact.
    """
    told = sample.blurring
    blurred = light.decoded(sample.blurred) if sample.in_light else sample.blurred
    safety = LIGHT_SAFETY if sample.in_light and told.least_nsr else NSR_SAFETY
    careful = max(safety * noise.measured_nsr(blurred, _ROUNDING), told.least_nsr)
    ratio = None if told.exact and not sample.in_light else min(careful, 1.0)
    options = DeconvolutionOptions(nsr=ratio, least_noise=_ROUNDING, compressed=sample.compressed)
    return Observation.of(blurred, told.given, options)


def pairs(pictures: Pictures, recipe: Recipe, chosen: np.ndarray | None = None) -> Pairs:
    """The pairs of a recipe: plain, degraded as cameras do, or with what is to be refined."""
    refines = recipe.network.get("layers", 1) == LAYERS
    kind = Refinements if refines else Degraded if recipe.data.realistic else Pairs
    return kind(pictures, recipe, chosen)


def seen(pictures: Pictures, recipe: Recipe, chosen: np.ndarray) -> Iterator[np.ndarray]:
    """Blurred pictures as a recipe's network looks at them, ``(H, W, 3 · layers)``, all of one size."""
    if recipe.data.varying:
        blurred = Batches(recipe, pictures, chosen, torch.device("cpu"), 0, 1)[0][0]
    else:
        made = pairs(pictures, recipe, chosen)
        blurred = (made[0, index][0] for index in range(len(made)))
    return (part.numpy().transpose(1, 2, 0) for part in blurred)
