"""Recipes: one TOML file names everything that makes a run."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from deblurcli import psf
from deblurcli.errors import DeblurError, PSFError

SOURCES = ("lfw",)
FOLDER = Path(__file__).parent / "recipes"


class RecipeError(DeblurError):
    """A recipe that is missing or makes no sense."""


@dataclass(frozen=True)
class Blur:
    """One PSF of the mixture a network is trained on, and how often it is drawn."""

    psf: str
    weight: float


@dataclass(frozen=True)
class Data:
    """Which pictures, and how a sharp one becomes a training pair.

    validation: how many pictures of the training split to hold out and watch the fit with, or "test" for the
        paper's own protocol, which watches the test split.
    fixed: draw the blur of each picture once and for all rather than at every sight of it.
    """

    source: str
    validation: int | str
    flip: bool
    round: float
    blur: tuple[Blur, ...]
    fixed: bool = False


@dataclass(frozen=True)
class Optimiser:
    """Which optimiser, and its settings; a `clip` of 0 leaves gradients as they are."""

    name: str
    learning_rate: float
    betas: tuple[float, float]
    epsilon: float
    weight_decay: float
    clip: float


@dataclass(frozen=True)
class Schedule:
    """How long to train: at most `epochs`; `patience` epochs without a lower validation loss end it, if not 0.

    With a patience, the network of the epoch with the lowest validation loss is the result; else the last.
    """

    epochs: int
    batch: int
    seed: int
    patience: int = 0


@dataclass(frozen=True)
class Recipe:
    """A whole run. `network` and `rate` hold a name and its own settings, `loss` a weight per loss."""

    name: str
    description: str
    data: Data
    network: dict
    loss: dict[str, float]
    optimiser: Optimiser
    rate: dict
    schedule: Schedule


def load(name: str) -> Recipe:
    """The recipe of that name in `training/recipes`, or the one in a .toml file.

    Raises RecipeError when there is no such recipe, or a field is missing or unknown.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise RecipeError(f"{name}: no such recipe; choose one of {known} or give a .toml file")
    try:
        return _recipe(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, TypeError, KeyError, ValueError, PSFError) as error:
        raise RecipeError(f"{path}: not a valid recipe ({error})") from error


def _recipe(table: dict) -> Recipe:
    blurs = tuple(Blur(**blur) for blur in table["data"].pop("blur"))
    for blur in blurs:
        psf.parse(blur.psf)
    if table["data"]["source"] not in SOURCES:
        raise ValueError(f"data.source is one of {', '.join(SOURCES)}")
    return Recipe(
        data=Data(blur=blurs, **table.pop("data")),
        optimiser=Optimiser(**table.pop("optimiser")),
        schedule=Schedule(**table.pop("schedule")),
        **table,
    )
