"""Training pairs, made on the fly, the order they are shown in, and how they reach the accelerator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from deblurcli.blur import psf
from deblurcli.blur.model import blur, through_jpeg
from deblurcli.pictures.images import from_float, to_float
from training.data.sources import Pictures
from training.recipe import Recipe

Key = tuple[int, int]
Batch = tuple[torch.Tensor, ...]  # what the network takes, in the order it takes it, and the sharp pictures last
RESIDENT_SHARE = 0.25  # of an accelerator's memory, that pairs may take for the length of a fit
AHEAD = 4  # batches that each worker has ready
AT_ONCE = 500  # batches whose keys go to the accelerator together, so that it is seldom waited for


class Pairs(Dataset[Batch]):
    """Blurred and sharp pictures, made on the fly; an item is a pure function of seed, epoch and index.

    Where the recipe fixes the blur, the epoch makes no difference.

    pictures: float32 ``(N, H, W, 3)``, or a sequence of uint8 ``(H, W, 3)`` that are cut into pieces.
    chosen: which of them to use; all when left out.

    Keys are ``(epoch, index)``; an item is two float32 tensors ``(3, H, W)``, blurred and sharp.
    """

    def __init__(self, pictures: Pictures, recipe: Recipe, chosen: np.ndarray | None = None):
        weights = np.array([entry.weight for entry in recipe.data.blur], dtype=float)
        self.pictures, self.data, self.seed = pictures, recipe.data, recipe.schedule.seed
        self.chosen = np.arange(len(pictures)) if chosen is None else chosen
        self.chances = weights / weights.sum()
        self.specs = [psf.parse_or_random(entry.psf) for entry in recipe.data.blur]

    def __len__(self) -> int:
        return self.data.crops * len(self.chosen)

    def __getitem__(self, key: Key) -> Batch:
        epoch, index = key
        rng = np.random.default_rng([self.seed, 0 if self.data.fixed else epoch, index])
        picture = self.pictures[int(self.chosen[index % len(self.chosen)])]
        corner = self._corner(picture.shape, rng)
        flip = self.data.flip and rng.random() < 0.5
        kernel = self.spec(rng).array()
        region, rows, columns = self._region(picture, corner, max(kernel.shape) // 2)
        if flip:
            region = np.ascontiguousarray(region[:, ::-1])
            columns = slice(region.shape[1] - columns.stop, region.shape[1] - columns.start)
        blurred = self._degraded(blur(region, kernel)[rows, columns], rng)
        return to_tensor(blurred), to_tensor(region[rows, columns])

    def _corner(self, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
        """Top and left of the piece to take."""
        if not self.data.crop:
            return 0, 0
        top, left = (int(rng.integers(side - length + 1)) for side, length in zip(shape, self.data.piece))
        return top, left

    def spec(self, rng: np.random.Generator) -> psf.PSFSpec:
        """A PSF drawn as the recipe says."""
        spec = self.specs[rng.choice(len(self.chances), p=self.chances)]
        return spec.draw(rng) if isinstance(spec, psf.RandomPSF) else spec

    def _region(self, picture: np.ndarray, corner: tuple[int, int], reach: int) -> tuple[np.ndarray, slice, slice]:
        """The piece with what a PSF of that reach mixes into it, float32, and where in it the piece lies.

        Beyond the picture's own edge there is nothing, as for the tool.
        """
        if not self.data.crop:
            return to_float(picture), slice(0, picture.shape[0]), slice(0, picture.shape[1])
        (top, bottom, rows), (left, right, columns) = (
            _along(side, start, length, reach) for side, start, length in zip(picture.shape, corner, self.data.piece)
        )
        return to_float(np.ascontiguousarray(picture[top:bottom, left:right])), rows, columns

    def _degraded(self, blurred: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What happens after the blur: noise, JPEG, rounding; each only where the recipe asks for it."""
        if self.data.noise[1]:
            deviation = np.float32(rng.uniform(*self.data.noise))
            blurred = blurred + deviation * rng.standard_normal(blurred.shape, np.float32)
        if self.data.jpeg and rng.random() < self.data.jpeg:
            worst, best = self.data.quality
            return to_float(through_jpeg(from_float(blurred, np.uint8), int(rng.integers(worst, best + 1))))
        if rng.random() < self.data.round:
            return np.rint(np.clip(blurred, 0, 1) * 255, dtype=np.float32) / np.float32(255)
        return blurred


def _along(side: int, start: int, length: int, reach: int) -> tuple[int, int, slice]:
    """First and last of what is cut along one axis, and where in it the piece lies."""
    first = max(start - reach, 0)
    return first, min(start + length + reach, side), slice(start - first, start - first + length)


def to_tensor(image: np.ndarray) -> torch.Tensor:
    """An image ``(H, W, 3)`` as a tensor ``(3, H, W)``."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


class Batches(Sampler[list[Key]]):
    """The keys of every batch from step `start` to step `stop`: a fresh permutation in each epoch.

    rank, world: of the processes that share each batch; the order and the batch as a whole stay the same.
    """

    def __init__(self, count: int, batch: int, seed: int, start: int, stop: int, rank: int = 0, world: int = 1):
        self.count, self.batch, self.seed, self.start, self.stop = count, batch, seed, start, stop
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        return max(self.stop - self.start, 0)

    def __iter__(self) -> Iterator[list[Key]]:
        per_epoch = self.count // self.batch
        epoch, order = -1, np.empty(0, int)
        for step in range(self.start, self.stop):
            if step // per_epoch != epoch:
                epoch = step // per_epoch
                order = np.random.default_rng([self.seed, epoch]).permutation(self.count)
            first = step % per_epoch * self.batch
            yield [(epoch, int(index)) for index in order[first : first + self.batch][self.rank :: self.world]]


def watching(count: int, batch: int = 64, rank: int = 0, world: int = 1) -> list[list[Key]]:
    """The keys of the batches a fit is watched with, the same at every call; each process has its own."""
    own = range(rank, count, world)
    return [[(0, index) for index in own[first : first + batch]] for first in range(0, len(own), batch)]


Order = Batches | Sequence[list[Key]]  # the keys of every batch, in turn


class Resident:
    """Batches of pairs that lie on the accelerator for the length of a fit: each is made once."""

    def __init__(self, pairs: Pairs, batches: Order, device: torch.device):
        made = [pairs[0, index] for index in range(len(pairs))]
        self.parts = [torch.stack(part).to(device) for part in zip(*made)]
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        batches = iter(self.batches)
        while many := [[index for _, index in keys] for keys in islice(batches, AT_ONCE)]:
            chosen = torch.tensor([index for indices in many for index in indices]).to(self.parts[0].device)
            for indices in chosen.split([len(indices) for indices in many]):
                yield tuple(part[indices] for part in self.parts)


def supply(pairs: Pairs, batches: Order, device: torch.device, workers: int) -> Iterable[Batch]:
    """Batches of pairs in the order of their keys, however they are made.

    On the CPU, `workers` processes make them, or this one. For an accelerator, those that are the same in every
    epoch are made once and stay on it if they fit; all others come from the workers through pinned memory.
    """
    accelerated = device.type == "cuda"
    stay_the_same = pairs.data.fixed or not isinstance(batches, Batches)
    if accelerated and len(pairs) and stay_the_same and _fit_on(device, pairs):
        return Resident(pairs, batches, device)
    if workers:  # which are forked, and OpenCV's threads do not outlive that: a worker that needs them waits for ever
        cv2.setNumThreads(1)
    return DataLoader(
        pairs,
        batch_sampler=batches,
        num_workers=workers,
        pin_memory=accelerated,
        prefetch_factor=AHEAD if workers else None,
    )


def _fit_on(device: torch.device, pairs: Pairs) -> bool:
    """Whether all pairs take no more than their share of the accelerator's memory."""
    needed = len(pairs) * sum(part.nbytes for part in pairs[0, 0])
    return needed <= RESIDENT_SHARE * torch.cuda.get_device_properties(device).total_memory
