"""Arguments and options that several commands share, each in one place."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_type_hints

import typer

if TYPE_CHECKING:
    from deblurcli.batch.planning import Options
    from deblurcli.batch.run import Runner

STANDARD = Path("-")
MEGAPIXELS = 250.0
FORMATS = ("jpeg", "png", "webp", "tiff", "bmp", "avif")
COLOURS = {"white": "ffffff", "black": "000000"}
ALIASES = {"jpg": "jpeg", "tif": "tiff"}


def _format(value: str | None) -> str | None:
    """A format as asked for, in lower case; jpg and tif are understood."""
    name = None if value is None else ALIASES.get(value.lower(), value.lower())
    if name not in (None, *FORMATS):
        raise typer.BadParameter(f"{value} is not one of {', '.join(FORMATS)}")
    return name


def _shard(value: str) -> str:
    """I/N with I from 1 to N."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", value)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise typer.BadParameter(f"{value} is not I/N with I from 1 to N, such as 3/10")
    return value


def _colour(value: str | None) -> str | None:
    """A colour as six hexadecimal digits."""
    if value is None:
        return None
    digits = COLOURS.get(value.lower(), value.lower().removeprefix("#"))
    if not re.fullmatch(r"[0-9a-f]{6}", digits):
        raise typer.BadParameter(f"{value} is neither white, black nor #rrggbb")
    return digits


def one_of(value: str, choices: tuple[str, ...]) -> str:
    """A value that is among the choices."""
    if value not in choices:
        raise typer.BadParameter(f"{value} is not one of {', '.join(choices)}")
    return value


def pixels(megapixels: float) -> int:
    """A number of pixels, as the library counts them."""
    return round(megapixels * 1e6)


def place(text: str) -> Path:
    """A path as given; an empty one, as an unset shell variable leaves it, is refused."""
    if not text:
        raise typer.BadParameter("the path is empty; is a shell variable unset?")
    return Path(text)


Source = Annotated[
    Path, typer.Argument(metavar="IN", parser=place, help="A picture, a folder of pictures, or - (standard input).")
]
Target = Annotated[
    Path, typer.Argument(metavar="OUT", parser=place, help="A picture, a folder, or - (standard output).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Workers = Annotated[
    int, typer.Option(min=0, max=1024, metavar="N", help="Pictures in work at a time; 0 takes one for each CPU.")
]
Provider = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda|tensorrt|openvino|coreml|directml",
        help="Where the network runs; auto takes the best that is available.",
    ),
]
Ensemble = Annotated[
    bool,
    typer.Option(
        "--ensemble", help="Let the network see each picture in eight orientations and average: eight times the work."
    ),
]
MaxPixels = Annotated[
    float,
    typer.Option(min=0, max=1e6, metavar="MEGAPIXELS", help="Refuse larger pictures before they are decoded."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


@dataclass(frozen=True)
class Shared:
    """The options that every command which writes pictures takes."""

    format: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(FORMATS), help="Format to write; the input's own when left out.", callback=_format
        ),
    ] = None
    quality: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="1..100", help="Of lossy formats; 95 when left out.")
    ] = None
    workers: Workers = 0
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave pictures alone whose output exists.")
    ] = False
    in_place: Annotated[bool, typer.Option("--in-place", help="Let outputs replace their own inputs.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would be done and write nothing.")] = False
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Write a line of JSON for every picture, and a summary.")
    ] = None
    json: Json = False
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Take the I-th of N parts of the pictures.", callback=_shard)
    ] = "1/1"
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Work on a Dask cluster that shares this file system.")
    ] = None
    max_pixels: MaxPixels = MEGAPIXELS
    strip: Annotated[bool, typer.Option("--strip", help="Leave EXIF, ICC profile, XMP and resolution out.")] = False
    background: Annotated[
        str | None,
        typer.Option(metavar="COLOUR", help="What shows through in JPEG: white, black or #rrggbb.", callback=_colour),
    ] = None
    quiet: Quiet = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print a line for every picture.")] = False

    def runner(self) -> Runner | None:
        """What does the jobs: None for this machine."""
        if self.cluster is None:
            return None
        from deblurcli.batch.cluster import runner

        return runner(self.cluster)

    def settings(self) -> Options:
        """What the batch engine takes of them."""
        from deblurcli.batch.planning import Options

        given = {field.name: getattr(self, field.name) for field in fields(Options) if hasattr(self, field.name)}
        index, count = (int(part) for part in self.shard.split("/"))
        colour = None if self.background is None else tuple(bytes.fromhex(self.background))
        limit = pixels(self.max_pixels)
        return Options(**{**given, "shard": (index, count), "background": colour, "max_pixels": limit})


def with_shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Shared`, gathered in its argument `shared`."""
    hints, common = get_type_hints(command, include_extras=True), get_type_hints(Shared, include_extras=True)
    parameters = inspect.signature(command).parameters.values()
    own = [each.replace(annotation=hints[each.name]) for each in parameters if each.name != "shared"]
    added = [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=common[each.name])
        for each in fields(Shared)
    ]

    @wraps(command)
    def gathered(**given: object) -> None:
        command(shared=Shared(**{name: given.pop(name) for name in common}), **given)

    gathered.__signature__ = inspect.Signature([*own, *added])
    return gathered


def is_single(source: Path) -> bool:
    """Whether there is one picture to work on."""
    return not os.path.isdir(source)  # noqa: PTH112 (never raises)


def check_stdin(source: Path, name: str) -> None:
    """Refuse a terminal or nothing at all in place of a picture."""
    if source == STANDARD and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("name a picture or a folder, or pipe a picture in", param_hint=name)


def check_streams(source: Path, target: Path, shared: Shared) -> None:
    """Refuse a terminal in place of a picture, and two things on one stream; say what is missing."""
    to_stdout = target == STANDARD and not os.path.isdir(source) and not shared.in_place  # noqa: PTH112 (never raises)
    if to_stdout and shared.json:
        raise typer.BadParameter("the picture goes to standard output; name a file for it", param_hint="--json")
    check_stdin(source, "IN")
    if to_stdout and (sys.stdout is None or sys.stdout.isatty()):
        raise typer.BadParameter("name an output, or pipe standard output somewhere", param_hint="OUT")
