"""The pictures networks are trained and tested on: the paper's faces with its split and blurs, or a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from deblurcli.pictures import images
from training.data.drawings import drawings
from training.data.packs import Pack
from training.recipe import Recipe, RecipeError

SIZE = (96, 128)  # width and height the paper resizes its faces to
SPLIT_SEED = 42
PROTOCOL_SEED = 42
GAUSSIAN = "gaussian:sigma=2,size=9"
MOTIONS = tuple(f"paper-motion:direction={name}" for name in ("horizontal", "vertical", "diagonal"))

CENTRED = tuple(f"motion:length=8,angle={name}" for name in ("horizontal", "vertical", "diagonal"))
PROTOCOL_PSFS = {"gaussian": (GAUSSIAN,), "motion": MOTIONS, "centred-motion": CENTRED}

Pictures = np.ndarray | Sequence[np.ndarray]


def faces(data_home: str | Path | None = None) -> np.ndarray:
    """The paper's sharp faces, float32 ``(7606, 128, 96, 3)`` RGB in [0, 1].

    data_home: scikit-learn's data folder; with None its default. What is not there is downloaded.
    """
    return resized(_lfw(data_home))


def _lfw(data_home: str | Path | None) -> np.ndarray:
    """The faces as scikit-learn cuts them, float32 ``(7606, 125, 94, 3)``: whole numbers over 255."""
    from sklearn.datasets import fetch_lfw_people

    people = fetch_lfw_people(data_home=data_home, min_faces_per_person=3, resize=1, color=True)
    return cast(Any, people).images  # a Bunch, whose fields have no types


def resized(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Faces, float in [0, 1] or uint8, at the paper's size, as the paper makes them; float32 ``(N, 128, 96, 3)``."""
    return np.stack([cv2.resize(images.to_float(face), SIZE, interpolation=cv2.INTER_AREA) for face in pictures])


def _packable_faces(recipe: Recipe, data_home: Path | None) -> list[np.ndarray]:
    return [images.from_float(face, np.uint8) for face in _lfw(data_home)]


def _folder(recipe: Recipe, data_home: Path | None) -> list[np.ndarray]:
    """All pictures below the recipe's folder in the order of their names, uint8 ``(H, W, 3)``."""
    folder = (data_home or Path()) / recipe.data.path
    names = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    if not names:
        raise RecipeError(f"{folder}: no pictures there; {recipe.name} takes them from data.path or --data-home")
    photographs = [_photograph(path, recipe.data.piece) for path in names]
    made = drawings(recipe.data.drawings, recipe.schedule.seed)
    return photographs + _training_faces(recipe.data.faces, data_home) + made


def _training_faces(count: int, data_home: Path | None) -> list[np.ndarray]:
    """So many of the paper's training faces, uint8 ``(128, 96, 3)``."""
    if not count:
        return []
    pictures = faces(data_home)
    return [images.from_float(face, np.uint8) for face in pictures[split(len(pictures))[0][:count]]]


def _photograph(path: Path, piece: tuple[int, int]) -> np.ndarray:
    """A picture as RGB of 8 bits; RecipeError when it is smaller than a piece."""
    pixels = images.from_float(images.to_float(images.read_picture(path).pixels), np.uint8)
    height, width = pixels.shape[:2]
    if height < piece[0] or width < piece[1]:
        crop = f"{piece[1]} × {piece[0]}"
        raise RecipeError(
            f"{path}: {width} × {height}, smaller than data.crop, {crop}; remove it or take smaller pieces"
        )
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


@dataclass(frozen=True)
class Source:
    """Where pictures come from.

    packable: all of them, uint8, as a pack holds them.
    ready: what is in a pack as the training pairs take it.
    """

    packable: Callable[[Recipe, Path | None], Sequence[np.ndarray]]
    ready: Callable[[Sequence[np.ndarray]], Pictures]


SOURCES = {
    "lfw": Source(_packable_faces, resized),
    "folder": Source(_folder, lambda pictures: pictures),
}


def load(recipe: Recipe, data_home: Path | None = None, pack: Path | None = None) -> Pictures:
    """All sharp pictures of a recipe: float32 ``(N, H, W, 3)``, or uint8 ``(H, W, 3)`` each where sizes differ.

    data_home: scikit-learn's data folder, or where a relative ``data.path`` begins.
    pack: a file made by `packs.write` to take them from instead.
    """
    if pack is None and recipe.data.source == "lfw":
        return faces(data_home)
    source = SOURCES[recipe.data.source]
    return source.ready(source.packable(recipe, data_home) if pack is None else Pack(pack))


def split(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the paper's training and test pictures: 80 % and 20 % of `count`, shuffled by seed 42."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(np.arange(count), test_size=0.2, random_state=SPLIT_SEED)
    return np.asarray(train), np.asarray(test)


def test_pictures(pictures: Pictures, most: int | None = None) -> np.ndarray:
    """The paper's test pictures of all of its faces, or the first so many of them; float32 ``(N, 128, 96, 3)``."""
    return np.stack([pictures[int(index)] for index in split(len(pictures))[1][:most]])


def fitted_photographs(recipe: Recipe, count: int) -> np.ndarray:
    """Indices of the photographs of a folder that a recipe fits on, without its faces and drawings."""
    fitted, _ = fitting_split(recipe, count)
    return fitted[fitted < count - recipe.data.faces - recipe.data.drawings]


def fitting_split(recipe: Recipe, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to fit on and to watch the fit with: of the paper's training split, or of all where there is none.

    The paper's own protocol, "test", fits on all of the training split and watches the test split.
    """
    held = recipe.data.validation
    if recipe.data.source == "folder":
        train = np.random.default_rng(SPLIT_SEED).permutation(count)
    else:
        train, test = split(count)
        if held == "test":
            return train, test
    return train[held:], train[:held]


def check(recipe: Recipe, pictures: Pictures) -> dict:
    """What a recipe's data are: numbers of pictures, their sizes, and a SHA-256 of the split."""
    fitting, watching = fitting_split(recipe, len(pictures))
    sizes = np.array([picture.shape[:2] for picture in pictures])
    return {
        "recipe": recipe.name,
        "source": recipe.data.source,
        "pictures": len(pictures),
        "smallest": f"{sizes[:, 1].min()} × {sizes[:, 0].min()}",
        "largest": f"{sizes[:, 1].max()} × {sizes[:, 0].max()}",
        "training": len(fitting),
        "validation": len(watching),
        "validation_is": "the test split" if recipe.data.validation == "test" else "held out of training",
        "steps_per_epoch": recipe.data.crops * len(fitting) // recipe.schedule.batch,
        "split_sha256": split_sha256(fitting, watching),
    }


def split_sha256(fitting: np.ndarray, watching: np.ndarray) -> str:
    """SHA-256 of a split: the indices in order, as 32-bit little-endian numbers, first to fit on, then to watch."""
    return hashlib.sha256(np.concatenate([fitting, watching]).astype("<u4").tobytes()).hexdigest()


def protocol_psfs(kind: str, count: int) -> list[str]:
    """The PSF of each test picture, of a key of `PROTOCOL_PSFS`; a motion has a direction drawn per picture."""
    specs = PROTOCOL_PSFS[kind]
    drawn = np.random.default_rng(PROTOCOL_SEED).integers(len(specs), size=count)
    return [specs[index] for index in drawn]
