"""Arguments and options that several commands share, each in one place."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from deblurcli.batch.places import Inputs, is_batch
from deblurcli.choices import COLOURS, FORMATS, MEGAPIXELS, PROVIDERS, QUALITY
from deblurcli.commands import values
from deblurcli.commands.help import ACTION, MACHINE, OUTPUT, PICTURES

if TYPE_CHECKING:
    from deblurcli.batch.jobs import Options
    from deblurcli.batch.run import Runner

STANDARD = Path("-")


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


def choice(names: Sequence[str], help: str, panel: str, metavar: str = "NAME") -> Any:
    """An option that takes one of the names."""

    def check(value: str) -> str:
        return values.checked(value, names)

    return typer.Option(
        metavar=metavar, help=help, callback=check, autocompletion=completed(names), rich_help_panel=panel
    )


Sources = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="IN",
        parser=values.place,
        help="Picture, several pictures, folder of pictures, or - for standard input.",
    ),
]
Target = Annotated[
    str,
    typer.Argument(
        metavar="OUT",
        parser=values.as_typed,
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
        callback=values.crop,
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
Rotation = Annotated[
    bool,
    typer.Option(
        "--rotation",
        help="Also find out whether the camera turned, so that the blur differs over the picture. About 10 seconds "
        "more for a picture whose blur is camera shake or uncertain.",
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


def page(shows: str) -> Any:
    """The option --html of a command; shows: what the page holds."""
    return typer.Option(
        metavar="FILE.html", parser=values.place, help=f"Write a web page with {shows}.", rich_help_panel=OUTPUT
    )


Html = Annotated[Path | None, page("all pictures, and what was found of each")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.", rich_help_panel=OUTPUT)]


@dataclass(frozen=True)
class Shared:
    """The options that every command which writes pictures takes."""

    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Format to write: {', '.join(FORMATS)}. By default each picture keeps its own format.",
            callback=values.format_name,
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
            callback=values.colour,
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
            parser=values.place,
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
            callback=values.shard,
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
        from deblurcli.batch.jobs import Options

        given = {field.name: getattr(self, field.name) for field in fields(Options) if hasattr(self, field.name)}
        index, count = (int(part) for part in self.shard.split("/"))
        colour = None if self.background is None else tuple(bytes.fromhex(self.background))
        limit = values.pixels(self.max_pixels)
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


def is_single(source: Inputs) -> bool:
    """Whether there is one picture to work on."""
    return not is_batch(source)
