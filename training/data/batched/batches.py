"""Batches of blurred and sharp pieces as a recipe wants them, every step of making them on one device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from deblurcli.blur import families
from deblurcli.blur.varying import GAMMA
from training.data.batched import blurs, camera, scenery, spectra
from training.data.batched.blurs import REACH
from training.data.batched.gallery import Gallery
from training.data.batched.scenery import uniform
from training.data.degradation import BRIGHTEST
from training.data.pairs import Batch, Pairs
from training.data.sources import Pictures
from training.recipe import Recipe, RecipeError, Varying

BANK = 2048  # PSFs drawn once, of which each piece gets one
INSTANTS = (11, 15, 21, 31)  # of an exposure, one number for a whole batch
DEPTHS, WIDEST = 5, 6.0  # blurs between which depth chooses, and the radius of the widest in pixels
WHOLE_EVERY = 4  # one batch in so many is of whole small pictures

Both = tuple[torch.Tensor, torch.Tensor]  # blurred and sharp


@dataclass(frozen=True)
class Mixture:
    """How many pieces of a batch are blurred in which way; of the `varying`, `parted` have a part that moves alone."""

    varying: int
    parted: int
    deep: int
    uniform: int

    @classmethod
    def of(cls, count: int, varying: Varying) -> Mixture:
        """The mixture of a batch of so many pieces."""
        moved, deep = round(varying.share * count), round(varying.depth * count)
        return cls(moved, round(varying.parts * moved), deep, count - moved - deep)


class Batches:
    """Blurred pieces, their log power spectra and sharp pieces, batch by batch; each a function of seed and step.

    chosen: which of the pictures to use. start, stop: steps. Every `WHOLE_EVERY`-th batch holds small pictures whole,
    as many as have the pixels of the others.

    Raises RecipeError when no picture is as large as a piece with `REACH` pixels around it.
    """

    def __init__(
        self, recipe: Recipe, pictures: Pictures, chosen: np.ndarray, device: torch.device, start: int, stop: int
    ):
        if recipe.data.varying is None:
            raise RecipeError(f"{recipe.name}: data.varying says how batches are made, and is missing")
        self.data, self.varying, self.seed = recipe.data, recipe.data.varying, recipe.schedule.seed
        self.start, self.stop, self.device = start, stop, device
        self.needs_spectrum = "gains" in recipe.network
        self.scene = self.data.piece[0] + 2 * REACH, self.data.piece[1] + 2 * REACH
        shown = [pictures[int(index)] for index in chosen]
        large = [picture for picture in shown if min(picture.shape[:2]) >= max(self.scene)]
        small = [picture for picture in shown if picture.shape[:2] == self.data.whole]
        if not large:
            size = f"{self.scene[1]} × {self.scene[0]}"
            raise RecipeError(f"{recipe.name}: no picture has {size} pixels, which a piece and its surroundings take")
        self.scenes = Gallery(large, self.scene, device, self.data.scale)
        self.small = Gallery(small, self.data.whole, device) if small else None
        self.count, self.mixture = recipe.schedule.batch, Mixture.of(recipe.schedule.batch, self.varying)
        drawn, rng = Pairs(shown, recipe), np.random.default_rng(self.seed)
        self.psfs = blurs.bank([drawn.spec(rng).array() for _ in range(BANK)], device)
        discs = [families.defocus(0.5 + (WIDEST - 0.5) * index / (DEPTHS - 1)) for index in range(DEPTHS)]
        self.discs = blurs.transfer(blurs.bank(discs, device), self.scene)

    def __len__(self) -> int:
        return max(self.stop - self.start, 0)

    def __iter__(self) -> Iterator[Batch]:
        for step in range(self.start, self.stop):
            yield self[step]

    @torch.no_grad()
    def __getitem__(self, step: int) -> Batch:
        random = torch.Generator(self.device)
        random.manual_seed((self.seed << 32) + step)
        small = self.small if step % WHOLE_EVERY == WHOLE_EVERY - 1 else None
        blurred, sharp = self._pieces(random) if small is None else self._whole(small, random)
        seen = self._photographed(blurred, random)
        spectrum = (spectra.log_power_spectra(seen),) if self.needs_spectrum else ()
        return seen, *spectrum, sharp

    def _whole(self, small: Gallery, random: torch.Generator) -> Both:
        """Small pictures whole, their values blurred all over, as the paper blurs faces."""
        (height, width), (down, across) = self.data.piece, self.data.whole
        pictures = small.pieces(self.count * height * width // (down * across), random)
        return blurs.convolved(blurs.mirrored(pictures), self._transfers(pictures, random)).clamp(0, 1), pictures

    def _pieces(self, random: torch.Generator) -> Both:
        """Pieces of pictures, blurred in all the ways of the mixture."""
        scenes = self.scenes.pieces(self.count, random)
        shares = torch.full((self.count, 1, 1, 1), self.data.linear, device=self.device)
        shares[: self.mixture.varying] = self.varying.linear
        light, gamma = _light(scenes, uniform(self.count, random) < shares, random)
        ways = (
            (self._parted, self.mixture.parted),
            (self._moved, self.mixture.varying - self.mixture.parted),
            (self._deep, self.mixture.deep),
            (self._uniform, self.mixture.uniform),
        )
        parts = light.split([count for _, count in ways])
        made = [way(part, random) for (way, count), part in zip(ways, parts) if count]
        blurred, sharp = (torch.cat(both) for both in zip(*made))
        return _encoded(blurred, gamma), _encoded(sharp, gamma)

    def _uniform(self, scenes: torch.Tensor, random: torch.Generator) -> Both:
        """Blurred all over by a PSF; half of the pieces end in a mirror, the others in what lies beyond."""
        sharp = blurs.middle(scenes)
        seen = torch.where(uniform(len(scenes), random) < 0.5, scenes, blurs.mirrored(sharp))
        return blurs.convolved(seen, self._transfers(sharp, random)), sharp

    def _transfers(self, pieces: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        """A transfer function for each piece with its surroundings; some are those of two blurs."""
        count, _, height, width = pieces.shape
        chosen = torch.randint(len(self.psfs), (2, count), generator=random, device=self.device)
        size = height + 2 * REACH, width + 2 * REACH
        one, other = (blurs.transfer(self.psfs[indices], size) for indices in chosen)
        twice = uniform(count, random)[..., 0] < self.data.twice
        return one * torch.where(twice, other, torch.ones_like(other))

    def _deep(self, scenes: torch.Tensor, random: torch.Generator) -> Both:
        """Out of focus by how far away a made-up depth is."""
        depth = scenery.depths(len(scenes), self.data.piece, random)
        discs = self.discs.expand(len(scenes), -1, -1, -1)
        return blurs.out_of_focus(scenes, depth, discs), blurs.middle(scenes)

    def _moved(self, scenes: torch.Tensor, random: torch.Generator) -> Both:
        """Moved by the camera."""
        poses = self._poses(len(scenes), self._instants(random), self.varying.shift, random)
        return blurs.exposed(scenes, poses, self.data.piece), blurs.middle(scenes)

    def _parted(self, scenes: torch.Tensor, random: torch.Generator) -> Both:
        """Moved by the camera, and something in front on its own."""
        instants = self._instants(random)
        back = self._poses(len(scenes), instants, self.varying.shift, random)
        front = self._poses(len(scenes), instants, self.varying.front, random)
        parts, rest = scenery.fronts(scenes, random), slice(instants // 2, instants // 2 + 1)
        blurred, sharp = (
            blurs.exposed(scenes, back[part], self.data.piece, parts, front[part]) for part in (slice(None), rest)
        )
        return blurred, sharp

    def _poses(self, count: int, instants: int, reach: float, random: torch.Generator) -> torch.Tensor:
        return scenery.poses(count, instants, reach, self.varying, random)

    def _instants(self, random: torch.Generator) -> int:
        return INSTANTS[random.initial_seed() % len(INSTANTS)]

    def _photographed(self, blurred: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        """Blurred pieces with noise, as files of 8 bits hold them; a share of them went through JPEG."""
        count, data = len(blurred), self.data
        read = uniform(count, random, *data.noise) * (uniform(count, random) >= data.noiseless)
        tilt = uniform(count, random, 0, data.shot)
        seen = camera.rounded(camera.noisy(blurred, read * (1 - tilt), read * tilt, random))
        chosen = torch.randperm(count, generator=random, device=self.device)[: round(data.jpeg * count)]
        if len(chosen):
            quality = uniform(len(chosen), random, *data.quality).round().flatten()
            is_coarse = uniform(len(chosen), random).flatten() < 0.5
            seen[chosen] = camera.through_jpeg(seen[chosen], quality, is_coarse)
        return seen


def _light(images: torch.Tensor, is_linear: torch.Tensor, random: torch.Generator) -> Both:
    """Images as light, some of them linear and in part brighter than white; and the exponents, ``(N, 1, 1, 1)``."""
    gamma = torch.where(is_linear, GAMMA, 1.0)
    brightness = torch.where(is_linear, uniform(len(images), random, 1, BRIGHTEST), 1.0)
    return brightness * images**gamma, gamma


def _encoded(light: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """Light as a picture holds it, in [0, 1]; what is brighter than white is white."""
    return light.clamp(0, 1) ** (1 / gamma)
