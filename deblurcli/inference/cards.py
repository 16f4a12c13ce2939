"""Model cards: what there is to know of a network's weights, in JSON beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Required, TypedDict, cast

from deblurcli.errors import ModelError


class Speed(TypedDict):
    """How fast a network is on one core: megapixels a second, and as a multiple of the paper's U-Net."""

    ratio: float
    megapixels_per_second: float


class Memory(TypedDict):
    """What a process grows by to run a network on 512 × 512."""

    megabytes: float


class Card(TypedDict, total=False):
    """What a card may hold; `read_checked` sees to it that the fields the tool works by make sense.

    name, description, good_for, fails_at, licence: for people. data, validation, blur, varying, recipe, curve, epochs,
    …: what it was trained on and how long. sha256: of the weights. multiple_of, halo, overshoot: see `models.Model`.
    layers: images that the network looks at together. spectrum: what its second input is, where it has one (once
    called told).
    scores, photographs, speed, memory: what was measured.
    """

    name: str
    description: str
    good_for: str
    fails_at: str
    licence: str
    recipe: str
    data: str
    validation: str
    blur: list[dict[str, Any]]
    varying: dict[str, float]
    perceptual_features: str
    sha256: Required[str]
    network: str
    parameters: int
    trainable_parameters: int
    layers: int
    multiple_of: Required[int]
    halo: Required[int | None]
    overshoot: float | None
    spectrum: str
    whole_pictures: str
    parity: float
    epochs: float
    best_epoch: float
    schedule_epochs: int
    schedule_over: bool
    images_seen: int
    minutes: float
    curve: str
    hardware: str
    scores: dict[str, Any]
    photographs: dict[str, Any]
    speed: Speed
    memory: Memory


# Whether each field that the tool works by makes sense.
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "sha256": lambda value: isinstance(value, str),
    "multiple_of": lambda value: _is_whole(value) and 1 <= value <= 1024,
    "halo": lambda value: value is None or (_is_whole(value) and 0 <= value <= 1024),
    "overshoot": lambda value: value is None or (isinstance(value, float | int) and 0.01 <= value <= 1),
}
_MAY_BE_MISSING = {"overshoot"}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read(path: Path) -> Card:
    """The contents of a card; ModelError when it cannot be read."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the card cannot be read ({error}); install the weights again") from error
    if not isinstance(card, dict):
        raise ModelError(f"{path}: not a model card; restore or remove it")
    return cast(Card, card)


def read_checked(path: Path) -> Card:
    """As `read`; ModelError also when a field that the tool works by is missing or out of range."""
    card = read(path)
    for name, check in _CHECKS.items():
        if name not in card and name not in _MAY_BE_MISSING:
            raise ModelError(f"{path}: not a model card ({name} is missing); restore or remove it")
        if not check(card.get(name)):
            raise ModelError(f"{path}: {name} is out of range; restore or remove the card")
    return card


def write(path: Path, card: Mapping[str, object]) -> None:
    """Write a card as readable JSON."""
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
