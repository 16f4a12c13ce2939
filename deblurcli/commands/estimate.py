"""``deblurcli estimate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.commands import options

FAMILIES = ("auto", "motion", "gaussian", "defocus", "general")


def _family(value: str) -> str:
    """A family's name."""
    if value not in FAMILIES:
        raise typer.BadParameter(f"{value} is not one of {', '.join(FAMILIES)}")
    return value


def estimate(
    source: options.Source = options.STANDARD,
    family: Annotated[
        str,
        typer.Option(metavar="|".join(FAMILIES), help="What kind of PSF to look for.", callback=_family),
    ] = "auto",
    save_psf: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|FILE", help="Write each PSF as a picture; with one picture, a file or .npy array."
        ),
    ] = None,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = options.MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Find the point spread function (PSF) that blurred a picture, from the picture alone.

    Prints a line of JSON for every picture: the family, its parameters, the specification that --psf takes, the
    confidence from 0 to 1, and whether `wiener --psf auto` would trust it.
    """
    options.check_stdin(source, "IN")

    if save_psf is not None and save_psf.suffix and not options.is_single(source):
        raise typer.BadParameter("is a file, but there are several pictures; name a folder", param_hint="--save-psf")

    from deblurcli.batch import planning, run
    from deblurcli.blur import psf_files
    from deblurcli.pipeline.describe import EstimateWork
    from deblurcli.terminal import console

    if save_psf is not None:
        planning.check_beside(save_psf, source)
        if save_psf.suffix:
            psf_files.check_name(save_psf)
        run.prepare(save_psf.parent if save_psf.suffix else save_psf, set())
    under_way = run.inspect(source, EstimateWork(family, save_psf), workers, options.pixels(max_pixels))
    raise typer.Exit(console.print_json_lines(under_way, "estimate", quiet))
