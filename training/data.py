"""The pictures networks are trained and tested on: the paper's faces, its split and its blurs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

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
