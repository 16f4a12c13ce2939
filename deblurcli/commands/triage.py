"""``deblurcli triage``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.choices import BLURRED, MEGAPIXELS, VERDICTS
from deblurcli.commands import checks, options, values
from deblurcli.commands.help import ACTION

EXAMPLES = (
    ("See which pictures of a folder are blurred, and how", "triage photos"),
    ("Copy them into folders: sharp, motion, defocus and so on", "triage photos --copy sorted"),
)
_NAMES = (BLURRED, *VERDICTS)


def _verdicts(given: list[str] | None) -> list[str]:
    return values.listed(given, _NAMES)


def triage(
    places: options.Sources = None,
    copy: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            parser=values.place,
            help="Copy each picture into a folder of this one that is named after its verdict, such as FOLDER/motion. "
            "No file is ever replaced.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    move: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            parser=values.place,
            help="Move the pictures there instead. A picture whose place is taken stays where it is.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,...",
            help=f"End with exit code 1 if a picture is one of these: {', '.join(VERDICTS)}; {BLURRED} stands for all "
            "but the last two.",
            callback=_verdicts,
            autocompletion=options.completed_list(_NAMES),
            rich_help_panel=ACTION,
        ),
    ] = None,
    html: options.Html = None,
    json: options.Json = False,
    csv: options.Csv = False,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Find out which pictures are blurred, and how.

    Each picture gets one line, the worst first: whether it is sharp, soft, out of focus, blurred by motion or by camera
    shake, over how many pixels a point is spread, what `deblurcli deblur` would do, and how long it would take on one
    CPU core. The estimate is that of `deblur`, so both agree. No picture is changed.
    """
    source = options.inputs(places)
    checks.check_stdin(source, "IN")
    form = checks.form(json, csv)
    if copy is not None and move is not None:
        raise typer.BadParameter("give either --copy or --move, not both", param_hint="--move")
    place = copy or move
    if place is not None and source == options.STANDARD:
        raise typer.BadParameter("standard input has no file name; name a file or a folder", param_hint="IN")

    from dataclasses import replace

    from deblurcli.batch import refusals, run
    from deblurcli.pipeline.triage import Filing, TriageWork
    from deblurcli.reports import album
    from deblurcli.reports.diagnoses import meant
    from deblurcli.terminal import console
    from deblurcli.terminal import triage as terminal

    if html is not None:
        refusals.check_beside(html, source)
    book = None if html is None else album.Album(html)
    under_way = run.inspect(source, TriageWork(album=book), workers, values.pixels(max_pixels))
    if place is not None:
        refusals.check_beside(place, source)
        refusals.check_distinct(source)
        run.prepare(place, set())
        under_way = replace(under_way, outcomes=Filing(place, moves=move is not None)(under_way.outcomes))
    if book is not None:
        under_way = book.listing(under_way, lambda seen: album.diagnosed(source, seen, book))
    code = terminal.triaged(under_way, form, quiet, meant(fail_on or ()))
    console.tell_page("triage", html, quiet)
    raise typer.Exit(code)
