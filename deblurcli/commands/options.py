"""Arguments and options that several commands share, each in one place."""

from __future__ import annotations

import inspect
import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from deblurcli.batch.places import Inputs, is_batch
from deblurcli.choices import COLOURS, FORMATS, MEGAPIXELS, PROVIDERS, QUALITY, did_you_mean
from deblurcli.commands.help import ACTION, MACHINE, OUTPUT, PICTURES

if TYPE_CHECKING:
    from deblurcli.batch.planning import Options
    from deblurcli.batch.run import Runner

STANDARD = Path("-")
DIGITS: dict[str, str] = dict(zip(COLOURS, ("ffffff", "000000")))
MOST_TRIES = 8  # columns beside each other
ALIASES = {"jpg": "jpeg", "tif": "tiff"}


def completed(names: Sequence[str]) -> Callable[[str], list[str]]:
    """What a shell may complete a word to; typer keeps what begins with the word."""

    def complete(incomplete: str) -> list[str]:
        return list(names)

    return complete


def completed_list(names: Sequence[str]) -> Callable[[str], list[str]]:
    """The same, of the last of several names with commas between them."""

    def complete(incomplete: str) -> list[str]:
        before, comma, _ = incomplete.rpartition(",")
        return [f"{before}{comma}{name}" for name in names]

    return complete


def checked(value: str, names: Sequence[str]) -> str:
    """A value that is one of the names."""
    if value not in names:
        raise typer.BadParameter(
            f"'{value}' is unknown; {did_you_mean(value, tuple(names))}choose one of {', '.join(names)}"
        )
    return value


def choice(names: Sequence[str], help: str, panel: str, metavar: str = "NAME") -> Any:
    """An option that takes one of the names."""

    def check(value: str) -> str:
        return checked(value, names)

    return typer.Option(
        metavar=metavar, help=help, callback=check, autocompletion=completed(names), rich_help_panel=panel
    )


def _format(value: str | None) -> str | None:
    """A format as asked for, in lower case; jpg and tif are understood."""
    return None if value is None else checked(ALIASES.get(value.lower(), value.lower()), FORMATS)


def _shard(value: str) -> str:
    """I/N with I from 1 to N."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", value)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise typer.BadParameter(f"'{value}' is not I/N with I from 1 to N, such as 3/10")
    return value


def _colour(value: str | None) -> str | None:
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


def _as_typed(text: str) -> str:
    """A path with the slash at its end, which `Path` drops; an empty one is refused."""
    place(text)
    return text


Sources = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="IN", parser=place, help="Picture, several pictures, folder of pictures, or - for standard input."
    ),
]
Target = Annotated[
    str,
    typer.Argument(
        metavar="OUT",
        parser=_as_typed,
        help="Output picture, output folder, or - for standard output. Of several pictures it is the folder that you "
        "name last; it is made if need be.",
    ),
]
Provider = Annotated[
    str,
    choice(
        PROVIDERS,
        f"Backend of ONNX Runtime that runs the network: {', '.join(PROVIDERS)}. auto takes the first of the "
        "others that works here.",
        MACHINE,
    ),
]
Ensemble = Annotated[
    bool,
    typer.Option(
        "--ensemble",
        help="Run the network on eight turned and mirrored copies of each picture and average the results. Takes "
        "eight times as long.",
        rich_help_panel=ACTION,
    ),
]
Crop = Annotated[
    str | None,
    typer.Option(
        metavar="X,Y,W,H|centre:SIDE",
        help="Restore only this part, for a quick look: left edge, top edge, width and height in pixels, or a square "
        "in the middle. The blur is still that of the whole picture.",
        callback=crop,
        rich_help_panel=ACTION,
    ),
]


def attempts(example: str) -> Any:
    """The option --try of a command; example: what may be tried."""
    return typer.Option(
        "--try",
        metavar="NAME=VALUE,...",
        help=f"Write a sheet instead: the part before, and restored in several ways side by side, such as {example}. "
        "Shows the middle 512 pixels unless --crop names another part.",
        rich_help_panel=ACTION,
    )


Workers = Annotated[
    int,
    typer.Option(
        min=0,
        max=1024,
        metavar="N",
        help="Number of pictures to work on at the same time; 0 means one for each CPU core.",
        rich_help_panel=MACHINE,
    ),
]
MaxPixels = Annotated[
    float,
    typer.Option(
        min=0,
        max=1_000_000,
        metavar="MEGAPIXELS",
        help="Refuse pictures with more megapixels, before they are decoded.",
        rich_help_panel=PICTURES,
    ),
]
Strength = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="NUMBER",
        help="How much of the restored picture to use: 1 is all of it, 0 is the input, 0.5 is half of each. More "
        "than 1 would exaggerate edges and noise.",
        rich_help_panel=ACTION,
    ),
]
Smooth = Annotated[
    float,
    typer.Option(
        min=0.1,
        max=100,
        metavar="NUMBER",
        help="How smooth the restored picture is to be: 10 leaves less noise and less fine detail, 0.3 more of both.",
        rich_help_panel=ACTION,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Restore pictures also if their blur is uncertain, if they look sharp, or if the result seems to have "
        "ripples. Look at the results.",
        rich_help_panel=ACTION,
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Go on and process every picture that comes into the folder IN or changes there, once it is complete. "
        "Ctrl-C ends this. Pictures that have an output already are left alone.",
        rich_help_panel=PICTURES,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the results as JSON on standard output.", rich_help_panel=OUTPUT)
]
Csv = Annotated[
    bool,
    typer.Option(
        "--csv", help="Print the results as CSV on standard output, one line for each picture.", rich_help_panel=OUTPUT
    ),
]
Html = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.html",
        parser=place,
        help="Write a web page with all pictures, and what was found of each.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.", rich_help_panel=OUTPUT)]


@dataclass(frozen=True)
class Shared:
    """The options that every command which writes pictures takes."""

    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Format to write: {', '.join(FORMATS)}. By default each picture keeps its own format.",
            callback=_format,
            autocompletion=completed(FORMATS),
            rich_help_panel=OUTPUT,
        ),
    ] = None
    quality: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            metavar="N",
            help=f"Quality of formats that lose detail, such as JPEG; {QUALITY} by default.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help=f"Colour behind transparent pixels in formats without transparency: {', '.join(COLOURS)} or #rrggbb.",
            callback=_colour,
            autocompletion=completed(COLOURS),
            rich_help_panel=OUTPUT,
        ),
    ] = None
    strip: Annotated[
        bool,
        typer.Option(
            "--strip", help="Do not copy EXIF, ICC profile, XMP and resolution to the output.", rich_help_panel=OUTPUT
        ),
    ] = False
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Allow outputs to replace their inputs.", rich_help_panel=OUTPUT)
    ] = False
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="If OUT names a picture that exists, replace it.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="Show what would be done; write nothing.", rich_help_panel=OUTPUT),
    ] = False
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            parser=place,
            help="Write a report: one line of JSON for each picture, then a summary.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    json: Json = False
    quiet: Quiet = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print a line for each picture.", rich_help_panel=OUTPUT)
    ] = False
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", help="Skip pictures whose output already exists.", rich_help_panel=PICTURES),
    ] = False
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="Divide the pictures into N parts and process part I only.",
            callback=_shard,
            rich_help_panel=PICTURES,
        ),
    ] = "1/1"
    max_pixels: MaxPixels = MEGAPIXELS
    workers: Workers = 0
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Work on the Dask cluster with this scheduler, such as tcp://node1:8786. All machines must share the "
            "file system.",
            rich_help_panel=MACHINE,
        ),
    ] = None

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
    """Give a command the arguments IN and OUT as `source` and `target`, and the options of `Shared` as `shared`."""
    hints, common = get_type_hints(command, include_extras=True), get_type_hints(Shared, include_extras=True)
    parameters = inspect.signature(command).parameters.values()
    gathered_ones = ("source", "target", "shared")
    own = [each.replace(annotation=hints[each.name]) for each in parameters if each.name not in gathered_ones]
    doors = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)
        for name, default, annotation in (("source", None, Sources), ("target", str(STANDARD), Target))
    ]
    added = [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=common[each.name])
        for each in fields(Shared)
    ]

    @wraps(command)
    def gathered(source: list[Path] | None, target: str, **given: Any) -> None:
        inputs, output = _doors(source or [], target)
        command(source=inputs, target=output, shared=Shared(**{name: given.pop(name) for name in common}), **given)

    gathered.__signature__ = inspect.Signature([*doors, *own, *added])  # pyright: ignore[reportAttributeAccessIssue]
    return gathered


def _doors(sources: list[Path], target: str) -> tuple[Inputs, Path]:
    """What IN and OUT mean: click gives OUT the last word, also where there is but one.

    Of several inputs the last word is a folder; so it is where it ends with a slash.
    """
    if not sources:
        return Path(target), STANDARD
    output, is_folder = Path(target), target.endswith(("/", os.sep))
    if len(sources) == 1 and (not is_folder or is_batch(sources[0])):
        return sources[0], output
    if output.suffix and not is_folder and not is_batch(output):
        raise typer.BadParameter(
            f"'{output}' is no folder; several pictures need one, named last, such as restored/", param_hint="OUT"
        )
    return tuple(sources), output


def inputs(places: list[Path] | None) -> Inputs:
    """What IN means where there is no OUT: nothing is standard input."""
    return (places or [STANDARD])[0] if len(places or []) < 2 else tuple(places or [])


def watched(source: Inputs, shared: Shared, others: dict[str, bool]) -> Path:
    """The folder to watch; what does not go with --watch is refused, and so are `others` that are given."""
    beside = {
        "--in-place": shared.in_place,
        "--dry-run": shared.dry_run,
        "--shard": shared.shard != "1/1",
        "--cluster": shared.cluster is not None,
    }
    for option, is_given in {**beside, **others}.items():
        if is_given:
            raise typer.BadParameter("does not work with --watch; leave one of them out", param_hint=option)
    if not isinstance(source, Path) or not is_batch(source):
        raise typer.BadParameter("needs one folder for IN", param_hint="--watch")
    return source


def is_single(source: Inputs) -> bool:
    """Whether there is one picture to work on."""
    return not is_batch(source)


def check_stdin(source: Inputs, name: str) -> None:
    """Refuse a terminal or nothing at all in place of a picture."""
    if source == STANDARD and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("name a picture or a folder, or pipe a picture in", param_hint=name)


def check_page(html: Path | None, crop: str | None, attempts: str | None, shared: Shared) -> None:
    """Refuse a page of what is not shown in it: parts of pictures, sheets, and what other machines do."""
    for given, option in ((crop, "--crop"), (attempts, "--try"), (shared.cluster, "--cluster")):
        if html is not None and given:
            raise typer.BadParameter(f"does not work with {option}; leave one of them out", param_hint="--html")


def check_preview(crop: str | None, attempts: str | None, shared: Shared) -> None:
    """Refuse to put a part of a picture, or a sheet, in place of the picture."""
    if shared.in_place and (crop or attempts):
        hint = "--crop" if crop else "--try"
        raise typer.BadParameter("would replace the picture by a part of it; leave --in-place out", param_hint=hint)


def refuse_both(json: bool, csv: bool) -> None:
    """Refuse two kinds of results on one stream."""
    if json and csv:
        raise typer.BadParameter("give either --json or --csv, not both", param_hint="--csv")


def check_streams(source: Inputs, target: Path, shared: Shared) -> None:
    """Refuse a terminal in place of a picture, and two things on one stream; say what is missing."""
    to_stdout = target == STANDARD and is_single(source) and not shared.in_place
    if to_stdout and shared.json:
        raise typer.BadParameter("the picture goes to standard output; name a file for it", param_hint="--json")
    check_stdin(source, "IN")
    if to_stdout and (sys.stdout is None or sys.stdout.isatty()):
        raise typer.BadParameter("name an output, or pipe standard output somewhere", param_hint="OUT")
