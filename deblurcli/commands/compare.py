"""``deblurcli compare``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from deblurcli.commands import options
from deblurcli.commands.score import METRICS, metric_names

PICKS = ("spread", "first", "worst", "best")


def _metrics(given: list[str] | None) -> list[str]:
    return metric_names(given or ["ssim,psnr"])


def _pick(value: str) -> str:
    return options.one_of(value, PICKS)


def _crop(value: str | None) -> str | None:
    """X,Y,W,H in whole numbers, W and H at least 1."""
    if value is not None and not re.fullmatch(r"(\d{1,6},){2}[1-9]\d{0,5},[1-9]\d{0,5}", value):
        raise typer.BadParameter(f"{value} is not X,Y,W,H in pixels, such as 40,60,128,96")
    return value


def compare(
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR", parser=options.place, help="Two or more folders, or pictures; the last one is sharp."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", parser=options.place, help="The picture to write the sheet to."),
    ],
    sharp: Annotated[
        Path | None,
        typer.Option(metavar="DIR", parser=options.place, help="Which DIR is sharp, if it is not the last one."),
    ] = None,
    titles: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Titles of the columns; the folders' names when left out.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(METRICS),
            help="Scores to show; several with commas, or given several times; ssim,psnr when left out.",
            callback=_metrics,
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="Most rows.")] = 6,
    pick: Annotated[
        str,
        typer.Option(
            metavar="|".join(PICKS),
            help="Which rows, if there are more: evenly over the names, the first ones, or by the first score of the "
            "last column that is not sharp.",
            callback=_pick,
        ),
    ] = "spread",
    width: Annotated[
        int,
        typer.Option(
            min=32,
            max=4096,
            metavar="PIXELS",
            help="Of a column; larger pictures are reduced, smaller ones enlarged by 2, 3 and so on.",
        ),
    ] = 256,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H", help="Show this part of every picture; scores are of the whole.", callback=_crop
        ),
    ] = None,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = options.MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Draw folders of pictures side by side on a contact sheet, with scores above every picture.

    There is a row for every name and a column for every DIR, such as: compare blurred restored sharp -o sheet.png.
    The exit code is 1 when a picture is missing in one of them, or cannot be read or compared; the rest is drawn.
    """
    _check(places, sharp, titles)

    from deblurcli.reports import contact_sheet
    from deblurcli.terminal import console

    look = contact_sheet.Look(
        titles=None if titles is None else _parts(titles),
        sharp=-1 if sharp is None else places.index(sharp),
        metrics=tuple(metric),
        count=count,
        pick=pick,
        width=width,
        crop=None if crop is None else tuple(int(number) for number in crop.split(",")),
    )
    made = contact_sheet.contact_sheet(
        places, output, look, workers, options.pixels(max_pixels), lambda rows: console.follow(rows, "compare", quiet)
    )
    raise typer.Exit(console.compared(made, quiet))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _check(places: list[Path], sharp: Path | None, titles: str | None) -> None:
    """Refuse what does not fit together."""
    for place in places:
        options.check_stdin(place, "DIR")
    if len(places) < 2:
        raise typer.BadParameter("name at least two, the sharp one last", param_hint="DIR")
    if sharp is not None and sharp not in places:
        raise typer.BadParameter(f"{sharp} is none of the DIRs", param_hint="--sharp")
    if titles is not None and len(_parts(titles)) != len(places):
        raise typer.BadParameter(f"{len(_parts(titles))} titles for {len(places)} columns", param_hint="--titles")
