"""Training pairs, made on the fly, and the order they are shown in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from deblurcli import psf
from deblurcli.blur import blur
from training.recipe import Recipe


class Pairs(Dataset):
    """Blurred and sharp pictures, made on the fly; an item is a pure function of seed, epoch and index.

    Where the recipe fixes the blur, the epoch makes no difference.

    images: float32 ``(N, H, W, 3)``; keys are ``(epoch, index)``; an item is two tensors ``(3, H, W)``.
    """

    def __init__(self, images: np.ndarray, recipe: Recipe):
        weights = np.array([entry.weight for entry in recipe.data.blur], dtype=float)
        self.images, self.data, self.seed = images, recipe.data, recipe.schedule.seed
        self.psfs = [psf.parse(entry.psf).array() for entry in recipe.data.blur]
        self.chances = weights / weights.sum()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, 0 if self.data.fixed else epoch, index])
        sharp = self.images[index]
        if self.data.flip and rng.random() < 0.5:
            sharp = np.ascontiguousarray(sharp[:, ::-1])
        blurred = blur(sharp, self.psfs[rng.choice(len(self.psfs), p=self.chances)])
        if rng.random() < self.data.round:
            blurred = np.rint(np.clip(blurred, 0, 1) * 255, dtype=np.float32) / np.float32(255)
        return to_tensor(blurred), to_tensor(sharp)


def to_tensor(image: np.ndarray) -> torch.Tensor:
    """An image ``(H, W, 3)`` as a tensor ``(3, H, W)``."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


class Batches(Sampler):
    """The keys of every batch from step `start` to step `stop`: a fresh permutation in each epoch."""

    def __init__(self, count: int, batch: int, seed: int, start: int, stop: int):
        self.count, self.batch, self.seed, self.start, self.stop = count, batch, seed, start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        per_epoch = self.count // self.batch
        epoch, order = -1, np.empty(0, int)
        for step in range(self.start, self.stop):
            if step // per_epoch != epoch:
                epoch = step // per_epoch
                order = np.random.default_rng([self.seed, epoch]).permutation(self.count)
            first = step % per_epoch * self.batch
            yield [(epoch, int(index)) for index in order[first : first + self.batch]]
