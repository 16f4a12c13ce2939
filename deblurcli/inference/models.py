"""Weights by name: the .onnx files in ``weights/`` and the card beside each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from deblurcli.choices import REFINE, did_you_mean
from deblurcli.errors import ModelError
from deblurcli.inference import cards
from deblurcli.inference.cards import Card

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
    card: everything the card holds; None for a file without one.
    """

    path: Path
    multiple_of: int = 16
    halo: int | None = 64
    overshoot: float | None = None
    card: Card | None = None

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


def _standing_alone() -> tuple[str, ...]:
    """Names of the bundled models that restore a picture by themselves."""
    return tuple(name for name in names() if name != REFINE)


def find(name: str = DEFAULT) -> Model:
    """The bundled model of that name, or the .onnx file at that path.

    Bundled weights are checked against the SHA-256 on their card. A file of one's own may have a card
    beside it; without one, cautious values are taken.

    Raises ModelError when there is no such model, or the weights or card are damaged.
    """
    if is_file(name):
        return _own(Path(name))
    if name not in names():
        known = _standing_alone()
        raise ModelError(
            f"model {name}: unknown; {did_you_mean(name, known)}choose one of {', '.join(known)} or give an .onnx file"
        )
    return _model(folder() / f"{name}.onnx")


def card(name: str) -> Card:
    """The card of a model; ModelError when it has none, and as of `find`."""
    found = find(name)
    if found.card is None:
        raise ModelError(f"{found.path}: has no card beside it; export it with python -m training export")
    return found.card


def is_file(name: str) -> bool:
    """Whether a model's name is the path of a file."""
    return Path(name).suffix.lower() == ".onnx"


def _own(path: Path) -> Model:
    """A model from a file of the user's."""
    try:
        there, carded = path.is_file(), path.with_suffix(".json").is_file()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if not there:
        raise ModelError(
            f"{path}: no such file; give the path of an .onnx file or one of {', '.join(_standing_alone())}"
        )
    return _model(path) if carded else Model(path)


def _model(path: Path) -> Model:
    """The model with its card, its weights verified."""
    card = cards.read_checked(path.with_suffix(".json"))
    verify(path, card)
    return Model(path, card["multiple_of"], card["halo"], card.get("overshoot"), card)


def verify(path: Path, card: Card) -> None:
    """Raises ModelError where a file is not the one that its card tells the SHA-256 of."""
    found, expected = sha256(path), card["sha256"]
    if found != expected:
        raise ModelError(f"{path}: SHA-256 is {found[:12]}…, its card says {expected[:12]}…; install the weights again")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; ModelError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
