"""Recipes: one TOML file names everything that makes a run, or what is otherwise in another recipe."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from deblurcli.blur import psf
from deblurcli.errors import DeblurError, PSFError

SOURCES = ("lfw", "folder")
FOLDER = Path(__file__).parent / "recipes"
FORMERLY = "adversary"  # what the section of the critic was called; recipes that say so are read as well
SPECTRAL = "spectral-unet"
_SLIPS = (
    (r"(\w+)\.__init__\(\) missing \d+ required positional arguments?: (.+)", "the section {} lacks {}"),
    (r"(\w+)\.__init__\(\) got an unexpected keyword argument (.+)", "the section {} knows no {}"),
)
_SHARES = "shot", "round", "jpeg", "scale", "noiseless", "twice", "linear", "soft", "wrong", "found"


class RecipeError(DeblurError):
    """A recipe that is missing or makes no sense."""


@dataclass(frozen=True)
class Blur:
    """One PSF of the mixture a network is trained on, and how often it is drawn.

    psf: a specification, or ``random`` or ``random:FAMILY+FAMILY…`` for one drawn at every sight of a picture.
    """

    psf: str
    weight: float


@dataclass(frozen=True)
class Varying:
    """Blur that differs over a picture, as most real blur does; see `training.data.batched`.

    share: of the pieces, blurred by a camera that moves, turns and comes nearer. parts: share of those in which
        something in front moves on its own. depth: share of all pieces, out of focus by a made-up depth.
    linear: share of the moved ones averaged in linear light.
    shift, front: standard deviation of how far the camera and what is in front move at the most, in pixels.
    turn, zoom: standard deviation of the camera's turn in radians, and of its zoom, at the most.
    """

    share: float
    parts: float = 0.5
    depth: float = 0.0
    linear: float = 0.7
    shift: float = 14.0
    front: float = 18.0
    turn: float = 0.015
    zoom: float = 0.012

    def __post_init__(self) -> None:
        if not (min(self.share, self.depth) >= 0 and self.share + self.depth <= 1):
            raise ValueError("data.varying.share and data.varying.depth are shares that come to no more than 1")
        for name in ("parts", "linear"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"data.varying.{name} is a share from 0 to 1")


@dataclass(frozen=True)
class Data:
    """Which pictures, and how a sharp one becomes a training pair.

    source: "lfw" for the paper's faces, "folder" for all pictures below a folder.
    validation: how many pictures of the training split to hold out and watch the fit with, or "test" for the
        paper's own protocol, which watches the test split.
    flip: mirror half of the pictures left to right, before blurring.
    round: share of the inputs rounded to 8 bits.
    fixed: draw the blur of each picture once and for all rather than at every sight of it.
    path: of the folder; a relative one begins at the data folder of the command.
    about: what pictures these are, for the card.
    crop: side in pixels of the square piece that is taken of a picture, or its height and width; 0 takes pictures
        whole, all of one size.
    crops: pieces of each picture that an epoch shows.
    noise: least and largest standard deviation of Gaussian noise, on the scale [0, 1]; drawn uniformly.
    jpeg: share of the inputs that go through JPEG.
    quality: least and largest quality of that JPEG, 1 to 100.
    faces: pictures of the paper's training split that are mixed into those of a folder; no smaller than a piece.
    drawings: pictures of flat shapes, lines and letters that are made and mixed into those of a folder.
    realistic: degrade pictures as cameras do, at every sight of them another way; see `degradation`.

    Where that is so:
    scale: what pictures are reduced to at random, at most. noiseless: share of the inputs without noise.
    twice: share that a second PSF of the mixture blurs as well. linear: share blurred in linear light, brighter lights
        than white in it. soft: share that a small Gaussian blurs as well. wrong: share whose PSF is given a
        little wrong, where a network refines. varying: blur that differs over a picture; pairs are then
        made batch by batch, on the device that trains. whole: height and width of pictures shown whole among those
        pieces. shot: largest share of the noise that grows with the light. found: share blurred by camera shake that
        was found in other pictures, and told as it was found; see `training.data.found`.
    """

    source: str
    validation: int | str
    flip: bool
    round: float
    blur: tuple[Blur, ...]
    fixed: bool = False
    path: str = ""
    about: str = ""
    crop: int | tuple[int, int] = 0
    crops: int = 1
    noise: tuple[float, float] = (0.0, 0.0)
    jpeg: float = 0.0
    quality: tuple[int, int] = (60, 100)
    faces: int = 0
    drawings: int = 0
    realistic: bool = False
    scale: float = 1.0
    noiseless: float = 0.0
    twice: float = 0.0
    linear: float = 0.0
    soft: float = 0.0
    wrong: float = 0.0
    varying: Varying | None = None
    whole: tuple[int, int] = (0, 0)
    shot: float = 0.0
    found: float = 0.0

    def __post_init__(self) -> None:
        for rule, holds in self._rules().items():
            if not holds:
                raise ValueError(rule)
        for blur in self.blur:
            if not psf.parse_or_random(blur.psf).has_psf:
                raise PSFError(f"psf {blur.psf}: a recipe takes blurs with a PSF only; name another")

    @property
    def piece(self) -> tuple[int, int]:
        """Height and width of a piece in pixels; zeros for whole pictures."""
        height, width = (self.crop, self.crop) if isinstance(self.crop, int) else self.crop
        return height, width

    def _rules(self) -> dict[str, bool]:
        """What must hold, in words."""
        (quiet, loud), (worst, best) = self.noise, self.quality
        shares = {name: getattr(self, name) for name in _SHARES}
        return {
            f"data.source is one of {', '.join(SOURCES)}": self.source in SOURCES,
            'data.validation is a number of pictures, or "test" where data.source is "lfw"': (
                self.validation == "test" and self.source == "lfw"
            )
            or (isinstance(self.validation, int) and self.validation >= 0),
            'data.path names the folder where data.source is "folder"': (self.source == "folder") == bool(self.path),
            'data.crop is at least 16 where data.source is "folder"': self.source == "lfw" or min(self.piece) >= 16,
            'data.faces and data.drawings are 0 or more, and for data.source "folder" alone, as is data.realistic': (
                min(self.faces, self.drawings) >= 0
                and (self.source == "folder" or not (self.faces or self.drawings or self.realistic))
            ),
            "data.crops is at least 1": self.crops >= 1,
            "data.varying is for data.realistic, and data.crop then a multiple of 16": self.varying is None
            or (self.realistic and not any(side % 16 for side in self.piece)),
            f"data.{', data.'.join(shares)} are shares from 0 to 1": all(0 <= share <= 1 for share in shares.values()),
            "data.noise is two deviations from 0 to 1, the smaller first": 0 <= quiet <= loud <= 1,
            "data.quality is two numbers from 1 to 100, the smaller first": 1 <= worst <= best <= 100,
        }


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
class CriticSettings:
    """A critic that is trained beside the network, which is to please it; see `critic`.

    network: its name and settings. steps: of the critic for each of the network. penalty: weight of the gradient
    penalty. weight: of the critic's verdict in the network's loss. learning_rate, betas: of the critic's Adam.
    """

    network: dict
    steps: int
    penalty: float
    weight: float
    learning_rate: float
    betas: tuple[float, float]


@dataclass(frozen=True)
class Schedule:
    """How long to train: at most `epochs`; `patience` epochs without a lower validation loss end it, if not 0.

    With a patience, the network of the epoch with the lowest validation loss is the result; else the last.

    minutes: what the run may take in all, if not 0; the learning rate then goes by the time that is spent, so that
        networks can be compared at an equal budget. Such a run is not repeatable to the bit.
    average: what a running mean of the weights keeps of itself at each step, if not 0; that mean is the result then.
    """

    epochs: int
    batch: int
    seed: int
    patience: int = 0
    minutes: float = 0.0
    average: float = 0.0

    def spent(self, seconds: float) -> bool:
        """Whether so many seconds are all that a run may take."""
        return 0 < 60 * self.minutes <= seconds


@dataclass(frozen=True)
class Recipe:
    """A whole run. `network` and `rate` hold a name and its own settings, `loss` a weight per loss.

    good_for, fails_at: what the network is to be used for and where it does not help, for its card.
    overshoot: how far what the network restores may go beyond flat areas, for its card; None leaves that to it.
    """

    name: str
    description: str
    data: Data
    network: dict
    loss: dict[str, float]
    optimiser: Optimiser
    rate: dict
    schedule: Schedule
    critic: CriticSettings | None = None
    good_for: str = ""
    fails_at: str = ""
    overshoot: float | None = None

    def __post_init__(self) -> None:
        if self.network.get("name") == SPECTRAL and self.data.varying is None:
            raise ValueError(f"a {SPECTRAL} takes spectra, which are made with the batches of [data.varying] alone")


def file(name: str) -> Path:
    """The file of a recipe: in `training/recipes`, or the .toml file itself."""
    return Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"


def kept(name: str) -> Path:
    """Where a run of that recipe is kept for others, beside its file; its curve is a .csv file there."""
    return file(name).with_suffix(".pt")


def load(name: str) -> Recipe:
    """The recipe of that name in `training/recipes`, or the one in a .toml file.

    Raises RecipeError when there is no such recipe, or a field is missing or unknown.
    """
    path = file(name)
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise RecipeError(f"{name}: no such recipe; choose one of {known} or give a .toml file")
    try:
        return _recipe(_table(path))
    except (tomllib.TOMLDecodeError, TypeError, KeyError, ValueError, OSError, PSFError, RecursionError) as error:
        raise RecipeError(f"{path}: not a valid recipe ({_slip(str(error))})") from error


def _slip(error: str) -> str:
    """What is wrong with a recipe; of a key too few or too many the section, in place of the class that holds it."""
    for python, plain in _SLIPS:
        found = re.fullmatch(python, error)
        if found:
            return plain.format(found[1].lower(), found[2])
    return error


def _table(path: Path) -> dict:
    """What a file says; where it names another recipe that it is like, what that says of all it does not say itself.

    The other one is of `training/recipes`, and may be like another itself; its sections are taken or replaced as they
    are.
    """
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    if FORMERLY in own:
        own["critic"] = own.pop(FORMERLY)
    other = own.pop("like", None)
    return own if other is None else {**_table(file(other)), **own}


def _recipe(table: dict) -> Recipe:
    blurs = tuple(Blur(**blur) for blur in table["data"].pop("blur"))
    varying = table["data"].pop("varying", None)
    critic = table.pop("critic", None)
    return Recipe(
        data=Data(blur=blurs, varying=Varying(**varying) if varying else None, **_hashable(table.pop("data"))),
        optimiser=Optimiser(**table.pop("optimiser")),
        schedule=Schedule(**table.pop("schedule")),
        critic=CriticSettings(**critic) if critic else None,
        **table,
    )


def _hashable(table: dict) -> dict:
    """A section whose lists are tuples, which compare with sizes."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
