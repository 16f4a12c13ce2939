"""The pictures networks are trained and tested on: the paper's faces, its split and its blurs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from deblurcli import psf
from deblurcli.blur import blur
from training.recipe import Recipe

SIZE = (96, 128)  # width and height the paper resizes its faces to
SPLIT_SEED = 42
PROTOCOL_SEED = 42
GAUSSIAN = "gaussian:sigma=2,size=9"
MOTIONS = tuple(f"paper-motion:direction={name}" for name in ("horizontal", "vertical", "diagonal"))


def faces(data_home: str | Path | None = None) -> np.ndarray:
    """The paper's sharp faces, float32 ``(7606, 128, 96, 3)`` RGB in [0, 1].

    data_home: scikit-learn's data folder; with None its default. What is not there is downloaded.
    """
    from sklearn.datasets import fetch_lfw_people

    bunch = fetch_lfw_people(data_home=data_home, min_faces_per_person=3, resize=1, color=True)
    return np.stack([cv2.resize(face, SIZE, interpolation=cv2.INTER_AREA) for face in bunch.images])


def split(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the paper's training and test pictures: 80 % and 20 % of `count`, shuffled by seed 42."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(np.arange(count), test_size=0.2, random_state=SPLIT_SEED)
    return train, test


def fitting_split(recipe: Recipe, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to fit on and to watch the fit with: both of the training split, unless the recipe says "test"."""
    train, test = split(count)
    held = recipe.data.validation
    if held == "test":
        return train, test
    return train[held:], train[:held]


def protocol_psfs(kind: str, count: int) -> list[str]:
    """The PSF of each test picture: kind "gaussian", or "motion" with a direction drawn per picture."""
    if kind == "gaussian":
        return [GAUSSIAN] * count
    drawn = np.random.default_rng(PROTOCOL_SEED).integers(len(MOTIONS), size=count)
    return [MOTIONS[index] for index in drawn]


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
