"""What networks for photographs learn from; `refine` sees what the Wiener filter makes of a picture as well."""

from __future__ import annotations

import numpy as np
import torch

from deblurcli.deconvolution.observation import Observation
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.wiener import WienerPair, wiener_pair
from deblurcli.estimation import estimate
from deblurcli.pictures import noise
from deblurcli.pictures.images import to_float
from deblurcli.pictures.luma import to_luma
from deblurcli.pictures.power_spectrum import log_power_spectrum
from training.data.degradation import Sample, degrade, piece
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
        again = bool(self.data.twice) and rng.random() < self.data.twice
        return degrade(sharp, margin, [self.spec(rng) for _ in range(1 + again)], self.data, rng)

    def inputs(self, sample: Sample) -> np.ndarray:
        """What the network looks at, ``(H, W, 3 · layers)``."""
        return sample.blurred


class SpectrumPairs(Degraded):
    """Blurred pictures ``(3, H, W)``, their log power spectra ``(64, 33)``, and sharp ones.

    A piece is cut out of a larger one, whose spectrum it is.
    """

    def __getitem__(self, key: Key) -> Batch:
        rng = np.random.default_rng([self.seed, *key])
        picture, size = self._picture(key), self.data.piece
        height, width = (
            max(length, min(int(rng.choice(self.data.around or (length,))), side))
            for length, side in zip(size, picture.shape)
        )
        around = height, width
        sample = self.degraded(picture, around, rng)
        corner = [int(rng.integers(side - length + 1)) for side, length in zip(around, size)]
        cut = tuple(slice(first, first + length) for first, length in zip(corner, size))
        spectrum = torch.from_numpy(log_power_spectrum(to_luma(sample.blurred)))
        return to_tensor(sample.blurred[cut]), spectrum, to_tensor(sample.sharp[cut])


class Refinements(Degraded):
    """Inputs ``(9, H, W)``, blurred, boldly and carefully restored, and sharp pictures ``(3, H, W)``."""

    def inputs(self, sample: Sample) -> np.ndarray:
        """The blurred picture and both images that the Wiener filter restores."""
        pair = restored(sample)
        return np.concatenate([sample.blurred, pair.bold, pair.careful], axis=2)


def restored(sample: Sample) -> WienerPair:
    """What the Wiener filter restores, as in the tool: more careful where the PSF is not exact."""
    ratio = None if sample.exact else min(estimate.NSR_SAFETY * noise.measured_nsr(sample.blurred, _ROUNDING), 1.0)
    options = DeconvolutionOptions(nsr=ratio, least_noise=_ROUNDING, compressed=sample.compressed)
    return wiener_pair(Observation.of(sample.blurred, sample.given, options))


def pairs(pictures: Pictures, recipe: Recipe, chosen: np.ndarray | None = None) -> Pairs:
    """The pairs of a recipe: plain, degraded as cameras do, or with what is to be refined."""
    refines, needs_spectrum = recipe.network.get("layers", 1) == LAYERS, "gains" in recipe.network
    kind = Refinements if refines else SpectrumPairs if needs_spectrum else Degraded if recipe.data.realistic else Pairs
    return kind(pictures, recipe, chosen)
