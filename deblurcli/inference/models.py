"""Weights by name: the .onnx files in ``weights/`` and the card beside each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from deblurcli.errors import ModelError

DEFAULT = "photo"
_PACKAGE = Path(__file__).parents[1]
FOLDERS = (_PACKAGE / "weights", _PACKAGE.parent / "weights")  # in a wheel, in a checkout


@dataclass(frozen=True)
class Model:
    """A network's weights and what its card says of them.

    path: of the .onnx file.
    multiple_of: height and width the network takes are multiples of this.
    halo: context in pixels it needs around what is kept of a tile; None for a network that looks at the whole picture,
        which is then not cut into tiles.
    overshoot: how far what it restores may go beyond flat areas, on the scale [0, 1]; None where that is left to it.
        See `dehalo`.
    card: everything the card holds; empty for a file without one.
    """

    path: Path
    multiple_of: int = 16
    halo: int | None = 64
    overshoot: float | None = None
    card: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


def folder() -> Path:
    """The folder of the bundled weights; ModelError when the installation has none."""
    for place in FOLDERS:
        if place.is_dir():
            return place
    raise ModelError(f"{FOLDERS[0]}: the bundled weights are missing; install deblurcli again")


def names() -> list[str]:
    """Names of the bundled models, sorted."""
    return sorted(path.stem for path in folder().glob("*.onnx"))


def find(name: str = DEFAULT) -> Model:
    """The bundled model of that name, or the .onnx file at that path.

    Bundled weights are checked against the SHA-256 on their card. A file of one's own may have a card
    beside it; without one, cautious values are taken.

    Raises ModelError when there is no such model, or the weights or card are damaged.
    """
    if name.lower().endswith(".onnx"):
        return _own(Path(name))
    if name not in names():
        raise ModelError(f"model {name}: unknown; choose one of {', '.join(names())} or give an .onnx file")
    return _model(folder() / f"{name}.onnx")


def _own(path: Path) -> Model:
    """A model from a file of the user's."""
    try:
        there, carded = path.is_file(), path.with_suffix(".json").is_file()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if not there:
        raise ModelError(f"{path}: no such file; give the path of an .onnx file or one of {', '.join(names())}")
    return _model(path) if carded else Model(path)


def _model(path: Path) -> Model:
    """The model with its card, its weights verified."""
    card = read_card(path.with_suffix(".json"))
    found = sha256(path)
    try:
        expected, multiple_of = str(card["sha256"]), int(card["multiple_of"])
        halo = None if card["halo"] is None else int(card["halo"])
        overshoot = None if card.get("overshoot") is None else float(card["overshoot"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path.with_suffix('.json')}: not a model card ({error!r}); restore or remove it") from error
    in_range = {
        "multiple_of": 1 <= multiple_of <= 1024,
        "halo": 0 <= (halo or 0) <= 1024,
        "overshoot": overshoot is None or 0.01 <= overshoot <= 1,
    }
    for name, holds in in_range.items():
        if not holds:
            raise ModelError(f"{path.with_suffix('.json')}: {name} is out of range; restore or remove the card")
    if found != expected:
        raise ModelError(f"{path}: SHA-256 is {found[:12]}…, its card says {expected[:12]}…; install the weights again")
    return Model(path, multiple_of, halo, overshoot, card)


def read_card(path: Path) -> dict:
    """The contents of a card; ModelError when it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: the card cannot be read ({error}); install the weights again") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; ModelError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
