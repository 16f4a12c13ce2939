"""``deblurcli estimate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.choices import ESTIMATED, MEGAPIXELS
from deblurcli.commands import checks, options, values
from deblurcli.commands.help import ACTION, OUTPUT

EXAMPLES = (
    ("Find out how one picture was blurred", "estimate photo.png"),
    ("Do so for a folder, and write each PSF as a picture", "estimate photos --save-psf psfs"),
)


def estimate(
    places: options.Sources = None,
    family: Annotated[
        str,
        options.choice(
            ESTIMATED,
            f"Kind of blur to look for: {', '.join(ESTIMATED)}. general is a PSF of any shape, such as camera shake; "
            "auto takes the kind that fits best.",
            ACTION,
        ),
    ] = ESTIMATED[0],
    save_psf: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|FILE",
            parser=values.place,
            help="Write the PSF of each picture to this folder, as a picture. If IN is one picture, this can be a "
            "file: a picture or an .npy array.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Find out how pictures were blurred, from the pictures alone.

    The result is the point spread function (PSF): it describes how one point of light is smeared. The command prints
    one line of JSON for each picture: the family (kind of blur), its parameters, the specification that --psf of other
    commands takes, the confidence from 0 to 1, and whether `deblurcli wiener --psf auto` would trust the result.
    """
    source = options.inputs(places)
    checks.check_stdin(source, "IN")

    if save_psf is not None and save_psf.suffix and not options.is_single(source):
        raise typer.BadParameter(
            "this is a file, but there may be several pictures; name a folder", param_hint="--save-psf"
        )

    from deblurcli.batch import refusals, run
    from deblurcli.blur import psf_files
    from deblurcli.pipeline.describe import EstimateWork
    from deblurcli.terminal import console

    if save_psf is not None:
        refusals.check_beside(save_psf, source)
        refusals.check_distinct(source)
        if save_psf.suffix:
            psf_files.check_name(save_psf)
        run.prepare(save_psf.parent if save_psf.suffix else save_psf, set())
    under_way = run.inspect(source, EstimateWork(family, save_psf), workers, values.pixels(max_pixels))
    raise typer.Exit(console.print_json_lines(under_way, "estimate", quiet))
