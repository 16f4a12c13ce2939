"""``deblurcli compare``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from deblurcli.choices import MEGAPIXELS, METRICS, PICKS, SHOWN
from deblurcli.commands import checks, options, values
from deblurcli.commands.help import ACTION, OUTPUT, PICTURES

EXAMPLES = (
    ("Put blurred, restored and sharp pictures side by side", "compare blurred restored photos -o sheet.png"),
    ("Look through them on a web page, the worst first", "compare blurred restored photos --html page.html"),
)


def _metrics(given: list[str] | None) -> list[str]:
    return values.listed(given, METRICS) or list(SHOWN)


def _crop(value: str | None) -> str | None:
    """X,Y,W,H in whole numbers, W and H at least 1."""
    if value is not None and not re.fullmatch(r"(\d{1,6},){2}[1-9]\d{0,5},[1-9]\d{0,5}", value):
        raise typer.BadParameter(f"'{value}' is not X,Y,W,H in pixels, such as 40,60,128,96")
    return value


def compare(
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR",
            parser=values.place,
            help="Two or more folders or pictures. The last one holds the sharp pictures.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=values.place,
            help="Picture file to write the contact sheet to.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    html: Annotated[
        Path | None, options.page("all rows, the worst first, and a slider between any two columns")
    ] = None,
    sharp: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=values.place,
            help="Which DIR holds the sharp pictures, if it is not the last one.",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    titles: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Titles of the columns, with commas between them. By default the names of the folders.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,...",
            help=f"Scores to show above each picture: {', '.join(METRICS)}. {','.join(SHOWN)} by default.",
            callback=_metrics,
            autocompletion=options.completed_list(METRICS),
            rich_help_panel=ACTION,
        ),
    ] = None,
    count: Annotated[
        int,
        typer.Option(min=1, max=1000, metavar="N", help="Largest number of rows.", rich_help_panel=PICTURES),
    ] = 6,
    pick: Annotated[
        str,
        options.choice(
            PICKS,
            "Which rows to show if there are more than --count. spread takes names at even distances, first the first "
            "names; worst and best go by the first score of the last column that is not sharp.",
            PICTURES,
        ),
    ] = PICKS[0],
    width: Annotated[
        int,
        typer.Option(
            min=32,
            max=4096,
            metavar="PIXELS",
            help="Width of a column. Larger pictures are reduced, smaller ones enlarged by a whole number.",
            rich_help_panel=ACTION,
        ),
    ] = 256,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="Show only this detail: left edge, top edge, width and height in pixels. Scores are still those of "
            "the whole picture.",
            callback=_crop,
            rich_help_panel=ACTION,
        ),
    ] = None,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Draw pictures of several folders side by side, with scores.

    Give -o for a contact sheet, --html for a page to look through, or both. The contact sheet has a column for each DIR
    and a row for each picture name. If a picture is missing in one DIR, or cannot be read or compared, the exit code is
    1 and the other pictures are still drawn.
    """
    _check(places, sharp, titles)
    if output is None and html is None:
        raise typer.BadParameter("is missing; name a file for the sheet, or a page with --html", param_hint="--output")

    from deblurcli.reports import comparison, contact_sheet
    from deblurcli.terminal import console, progress

    look = contact_sheet.Look(
        titles=None if titles is None else _parts(titles),
        sharp=-1 if sharp is None else places.index(sharp),
        metrics=tuple(metric or ()),
        count=count,
        pick=pick,
        width=width,
        crop=None if crop is None else _rectangle(crop),
    )
    rest = (look, workers, values.pixels(max_pixels), lambda rows: progress.follow(rows, "compare", quiet))
    codes = []
    if html is not None:
        codes.append(console.paged(html, comparison.page(places, html, *rest), quiet))
    if output is not None:
        codes.append(console.compared(contact_sheet.contact_sheet(places, output, *rest), quiet))
    raise typer.Exit(max(codes))


def _rectangle(text: str) -> tuple[int, int, int, int]:
    x, y, width, height = (int(number) for number in text.split(","))
    return x, y, width, height


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _check(places: list[Path], sharp: Path | None, titles: str | None) -> None:
    """Refuse what does not fit together."""
    for place in places:
        checks.check_stdin(place, "DIR")
    if len(places) < 2:
        raise typer.BadParameter("name at least two folders or pictures, the sharp one last", param_hint="DIR")
    if sharp is not None and sharp not in places:
        raise typer.BadParameter(f"'{sharp}' is not one of the DIRs", param_hint="--sharp")
    if titles is not None and len(_parts(titles)) != len(places):
        raise typer.BadParameter(
            f"there are {len(_parts(titles))} titles for {len(places)} columns; give one for each",
            param_hint="--titles",
        )
