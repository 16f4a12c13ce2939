"""Arguments and options that several commands share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

STANDARD = Path("-")
FORMATS = ("jpeg", "png", "webp", "tiff", "bmp", "avif")
ALIASES = {"jpg": "jpeg", "tif": "tiff"}


def _format(value: str | None) -> str | None:
    """A format as asked for, in lower case; jpg and tif are understood."""
    name = None if value is None else ALIASES.get(value.lower(), value.lower())
    if name not in (None, *FORMATS):
        raise typer.BadParameter(f"{value} is not one of {', '.join(FORMATS)}")
    return name


Source = Annotated[Path, typer.Argument(metavar="IN", help="A picture, a folder of pictures, or - (standard input).")]
Target = Annotated[Path, typer.Argument(metavar="OUT", help="A picture, a folder, or - (standard output).")]
Format = Annotated[
    str | None,
    typer.Option(metavar="|".join(FORMATS), help="Format to write; the input's own when left out.", callback=_format),
]
Quality = Annotated[
    int | None, typer.Option(min=1, max=100, metavar="1..100", help="Of lossy formats; 95 when left out.")
]
Workers = Annotated[int, typer.Option(min=0, metavar="N", help="Pictures in work at a time; 0 takes one for each CPU.")]
SkipExisting = Annotated[bool, typer.Option("--skip-existing", help="Leave pictures alone whose output exists.")]
InPlace = Annotated[bool, typer.Option("--in-place", help="Let outputs replace their own inputs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show what would be done and write nothing.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print a line for every picture.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def check_streams(source: Path, target: Path, in_place: bool = False) -> None:
    """Refuse a terminal in place of a picture, and say what is missing."""
    if source == STANDARD and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("name a picture or a folder, or pipe a picture in", param_hint="IN")
    if target == STANDARD and not source.is_dir() and not in_place and (sys.stdout is None or sys.stdout.isatty()):
        raise typer.BadParameter("name an output, or pipe standard output somewhere", param_hint="OUT")
