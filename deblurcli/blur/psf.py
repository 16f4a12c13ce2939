"""Point spread functions: the grammar ``family:field=value,...`` and the families behind it.

A *psf* is a float64 array ``(K, L)`` with odd sides, nowhere negative, that sums to 1 and has its
centroid at the centre of the array, so that blurring with it shifts nothing. The one exception is the
family ``paper-motion``, which keeps the off-centre kernels of the paper for its reproduction.

The grammar also describes motion that varies over the picture. It has no PSF; see `VARYING`.

Angles are in degrees, counted counter-clockwise from the horizontal as one sees the picture (y up):
0 is horizontal, 90 vertical, 45 rises to the right, 135 falls to the right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from deblurcli.blur.families import box, defocus, gaussian, motion, paper_motion, trajectory
from deblurcli.blur.model import blur
from deblurcli.blur.moving import ENCODED, LIGHT, Motion
from deblurcli.blur.psf_files import from_file
from deblurcli.choices import RANDOM, did_you_mean
from deblurcli.errors import PSFError
from deblurcli.pictures import images

DIRECTIONS = {"horizontal": 0.0, "vertical": 90.0, "diagonal": 135.0, "antidiagonal": 45.0}


@dataclass(frozen=True)
class Field:
    """One field of a family: a number from `low` to `high`, one of `choices`, or any text.

    names: words understood in place of a number, with the number each stands for.
    """

    name: str
    kind: type
    low: float = 0.0
    high: float = 0.0
    default: float | str | None = None
    choices: tuple[str, ...] = ()
    names: Mapping[str, float] = field(default_factory=dict)

    def read(self, family: str, text: str) -> float | str:
        """The value that `text` gives; PSFError names the field, the value and what is allowed."""
        if self.kind is str:
            if self.choices and text not in self.choices:
                raise PSFError(f"psf {family}: {self.name}={text}; choose one of {', '.join(self.choices)}")
            return text
        try:
            value = self.kind(self.names.get(text, text))
        except ValueError:
            value = np.nan
        if not self.low <= value <= self.high:
            what = "a whole number" if self.kind is int else "a number"
            allowed = ", ".join([f"{what} from {self.low:g} to {self.high:g}", *self.names])
            raise PSFError(f"psf {family}: {self.name}={text}; give {allowed}")
        return value


@dataclass(frozen=True)
class Family:
    """How to make the PSFs of one family, and the fields its specification takes."""

    make: Callable[..., np.ndarray]
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class VaryingFamily:
    """How to make a motion that varies over the picture, and the fields its specification takes."""

    make: Callable[..., Motion]
    fields: tuple[Field, ...]


_SEED = Field("seed", int, 0, 2**31 - 1, default=0)
PSFS: dict[str, Family] = {
    "gaussian": Family(gaussian, (Field("sigma", float, 0.1, 50), Field("size", int, 0, 401, default=0))),
    "motion": Family(
        motion, (Field("length", float, 1, 500), Field("angle", float, -360, 360, default=0.0, names=DIRECTIONS))
    ),
    "defocus": Family(defocus, (Field("radius", float, 0.5, 200),)),
    "box": Family(box, (Field("size", float, 1, 401),)),
    "trajectory": Family(trajectory, (Field("length", float, 1, 200), _SEED)),
    "paper-motion": Family(paper_motion, (Field("direction", str, choices=("horizontal", "vertical", "diagonal")),)),
    "file": Family(from_file, (Field("path", str), Field("centre", str, default="yes", choices=("yes", "no")))),
}
VARYING: dict[str, VaryingFamily] = {
    "varying": VaryingFamily(
        Motion,
        (
            Field("length", float, 0, 200),
            Field("rotation", float, 0, 20, default=1.0),
            Field("zoom", float, 0, 20, default=1.0),
            Field("parts", int, 0, 8, default=1),
            Field("travel", float, 0, 200, default=10.0),
            Field("light", str, default=ENCODED, choices=LIGHT),
            _SEED,
        ),
    ),
}
FAMILIES: dict[str, Family | VaryingFamily] = {**PSFS, **VARYING}
FILE_SUFFIXES = (".npy", *images.SUFFIXES)


@dataclass(frozen=True)
class PSFSpec:
    """A parsed specification of a blur: which family, and a value for each of its fields."""

    family: str
    values: tuple[tuple[str, float | str], ...]

    @classmethod
    def of(cls, family: str, values: Mapping[str, float | str]) -> PSFSpec:
        """The specification of a family with these values; fields that are left out take their defaults.

        Raises PSFError when one without a default is missing.
        """
        return cls(
            family, tuple((field.name, _given_or_default(family, field, values)) for field in FAMILIES[family].fields)
        )

    def array(self) -> np.ndarray:
        """The PSF itself, float64 ``(K, L)``; kept for the next picture, and therefore read-only.

        Raises PSFError when the blur has none, because it varies over the picture.
        """
        if not self.has_psf:
            raise PSFError(f"psf {self}: motion that varies over the picture has no PSF; restore it with deblur")
        return _array(self)

    @property
    def has_psf(self) -> bool:
        """Whether the blur is the same all over the picture."""
        return self.family in PSFS

    def blurred(self, image: np.ndarray) -> np.ndarray:
        """The image, blurred; arguments, result and errors as for `model.blur`."""
        if self.has_psf:
            return blur(image, self.array())
        return VARYING[self.family].make(**dict(self.values)).blurred(image)

    def absolute(self) -> PSFSpec:
        """The same specification, a file's path made absolute, so that it holds in any folder."""
        return PSFSpec(
            self.family,
            tuple((name, str(Path(str(value)).absolute()) if name == "path" else value) for name, value in self.values),
        )

    def __str__(self) -> str:
        """The specification without defaults; `parse` of it gives an equal `PSFSpec`, unless a path has a comma."""
        defaults = {field.name: field.default for field in FAMILIES[self.family].fields}
        given = [f"{name}={_text(value)}" for name, value in self.values if value != defaults[name]]
        return f"{self.family}:{','.join(given)}"


@lru_cache(maxsize=64)
def _array(spec: PSFSpec) -> np.ndarray:
    """The PSF of a specification."""
    made = PSFS[spec.family].make(**dict(spec.values))
    made.flags.writeable = False
    return made


def _text(value: float | str) -> str:
    """A field's value as one would type it."""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def parse(text: str, also: tuple[str, ...] = ()) -> PSFSpec:
    """Read a specification such as ``motion:length=15,angle=30``, ``file:kernel.png`` or a file's path.

    A family's first field may be given without its name: ``gaussian:2``. also: other words that are understood where
    this text comes from, so that a misspelt one is told.

    Raises PSFError that names the family or field at fault, its value and what is allowed.
    """
    named = text.partition(":")[0] in FAMILIES
    if not named and Path(text).suffix.lower() in FILE_SUFFIXES:
        return PSFSpec("file", (("path", text), ("centre", "yes")))
    family, _, rest = text.partition(":")
    if family not in FAMILIES:
        files = ", ".join(FILE_SUFFIXES)
        hint = did_you_mean(family, (*FAMILIES, *also))
        raise PSFError(
            f"psf {text}: no family '{family}'; {hint}choose one of {', '.join(FAMILIES)}, or name a file of {files}"
        )
    given = _given(family, rest, FAMILIES[family].fields)
    return PSFSpec.of(
        family,
        {field.name: field.read(family, given[field.name]) for field in FAMILIES[family].fields if field.name in given},
    )


# What random PSFs are drawn from: the fields of each family, uniform between two bounds.
DRAWN: dict[str, dict[str, tuple[float, float]]] = {
    "gaussian": {"sigma": (0.5, 4)},
    "motion": {"length": (2, 25), "angle": (0, 180)},
    "defocus": {"radius": (1, 6)},
    "trajectory": {"length": (5, 40), "seed": (0, 10**9)},
}
# Drawn only where it is named.
_DRAWABLE = {
    **DRAWN,
    "varying": {
        "length": (2, 25),
        "rotation": (0, 1.5),
        "zoom": (0, 1.5),
        "parts": (0, 4),
        "travel": (2, 25),
        "seed": (0, 10**9),
    },
}


@dataclass(frozen=True)
class RandomPSF:
    """A blur that is drawn anew for each picture, from some of the families in `DRAWN`, or varying motion."""

    families: tuple[str, ...] = tuple(DRAWN)

    def draw(self, rng: np.random.Generator) -> PSFSpec:
        """A specification: one of the families, then its fields, to two decimals."""
        family = self.families[rng.integers(len(self.families))]
        drawn = {name: rng.uniform(*bounds) for name, bounds in _DRAWABLE[family].items()}
        kinds = {field.name: field.kind for field in FAMILIES[family].fields}
        return PSFSpec.of(family, {name: int(x) if kinds[name] is int else round(x, 2) for name, x in drawn.items()})

    @property
    def has_psf(self) -> bool:
        """Whether each of the blurs is the same all over the picture."""
        return PSFS.keys() >= set(self.families)

    def __str__(self) -> str:
        """The text that `parse_or_random` reads."""
        return RANDOM if self == RandomPSF() else f"{RANDOM}:{'+'.join(self.families)}"


def parse_or_random(text: str) -> PSFSpec | RandomPSF:
    """Read a specification as `parse` does, or ``random`` or ``random:FAMILY+FAMILY…``.

    Raises PSFError as `parse` does, and for a family that it does not draw from.
    """
    family, colon, rest = text.partition(":")
    if family != RANDOM:
        return parse(text, (RANDOM,))
    named = tuple(rest.split("+")) if colon else tuple(DRAWN)
    for name in named:
        if name not in _DRAWABLE:
            hint = did_you_mean(name, tuple(_DRAWABLE))
            raise PSFError(f"psf {text}: {hint}random draws from {', '.join(_DRAWABLE)}, not '{name}'")
    return RandomPSF(named)


def _given(family: str, rest: str, fields: tuple[Field, ...]) -> dict[str, str]:
    """The raw text of each field named in `rest`."""
    given: dict[str, str] = {}
    for position, part in enumerate(rest.split(",") if rest else ()):
        name, equals, value = part.partition("=")
        if not equals and position == 0:
            name, value = fields[0].name, part
        if name not in {field.name for field in fields}:
            known = tuple(field.name for field in fields)
            raise PSFError(f"psf {family}: no field '{name}'; {did_you_mean(name, known)}it takes {', '.join(known)}")
        if name in given:
            raise PSFError(f"psf {family}: {name} is given twice; give it once")
        given[name] = value
    return given


def _given_or_default(family: str, field: Field, values: Mapping[str, float | str]) -> float | str:
    value = values.get(field.name, field.default)
    if value is None:
        raise PSFError(f"psf {family}: {field.name} is missing; write {family}:{field.name}=…")
    return value
