"""What the texts that options take mean; what makes no sense is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import typer

from deblurcli.choices import COLOURS, FORMATS, did_you_mean

DIGITS: dict[str, str] = dict(zip(COLOURS, ("ffffff", "000000")))
MOST_TRIES = 8  # columns beside each other
ALIASES = {"jpg": "jpeg", "tif": "tiff"}


def checked(value: str, names: Sequence[str]) -> str:
    """A value that is one of the names."""
    if value not in names:
        raise typer.BadParameter(
            f"'{value}' is unknown; {did_you_mean(value, tuple(names))}choose one of {', '.join(names)}"
        )
    return value


def listed(given: Sequence[str] | None, names: Sequence[str]) -> list[str]:
    """Some of the names, each once; those given in one text have commas between them."""
    found = [name.strip() for text in given or () for name in text.split(",")]
    return list(dict.fromkeys(checked(name, names) for name in found))


def format_name(value: str | None) -> str | None:
    """A format as asked for, in lower case; jpg and tif are understood."""
    return None if value is None else checked(ALIASES.get(value.lower(), value.lower()), FORMATS)


def shard(value: str) -> str:
    """I/N with I from 1 to N."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", value)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise typer.BadParameter(f"'{value}' is not I/N with I from 1 to N, such as 3/10")
    return value


def colour(value: str | None) -> str | None:
    """A colour as six hexadecimal digits."""
    if value is None:
        return None
    digits = DIGITS.get(value.lower(), value.lower().removeprefix("#"))
    if not re.fullmatch(r"[0-9a-f]{6}", digits):
        raise typer.BadParameter(f"'{value}' is no colour; write white, black or #rrggbb")
    return digits


def crop(value: str | None) -> str | None:
    """X,Y,W,H in whole numbers, W and H at least 1; or centre:SIDE."""
    plain = value and value.replace("center:", "centre:")
    if plain and not re.fullmatch(r"(\d{1,6},){2}[1-9]\d{0,5},[1-9]\d{0,5}|centre:[1-9]\d{0,5}", plain):
        raise typer.BadParameter(f"'{value}' is not X,Y,W,H in pixels, such as 40,60,128,96, or centre:512")
    return plain


def tries(text: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """What --try names, one of the names, and its values; at least one, and no more than `MOST_TRIES`."""
    name, equals, values = text.partition("=")
    found = [value.strip() for value in values.split(",")]
    if not equals or name not in names or not all(found):
        examples = " or ".join(f"{each}=VALUE,..." for each in names)
        raise typer.BadParameter(f"'{text}' is not {examples}", param_hint="--try")
    if len(found) > MOST_TRIES:
        raise typer.BadParameter(f"has {len(found)} values; give at most {MOST_TRIES}", param_hint="--try")
    return name, found


def number(text: str, low: float, high: float, hint: str) -> float:
    """A number within bounds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise typer.BadParameter(f"'{text}' is not a number from {low:g} to {high:g}", param_hint=hint)
    return value


def pixels(megapixels: float) -> int:
    """A number of pixels, as the library counts them."""
    return round(megapixels * 1e6)


def word(text: str) -> str:
    """A text as given; an empty one, as an unset shell variable leaves it, is refused."""
    if not text:
        raise typer.BadParameter("the value is empty; is a shell variable unset?")
    return text


def place(text: str) -> Path:
    """A path as given; an empty one, as an unset shell variable leaves it, is refused."""
    if not text:
        raise typer.BadParameter("the path is empty; is a shell variable unset?")
    return Path(text)


def as_typed(text: str) -> str:
    """A path with the slash at its end, which `Path` drops; an empty one is refused."""
    place(text)
    return text
