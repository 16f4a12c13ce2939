"""``deblurcli score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.commands import options

METRICS = ("psnr", "ssim", "mae", "mse")


def _metrics(names: list[str] | None) -> list[str]:
    for name in names or ():
        if name not in METRICS:
            raise typer.BadParameter(f"{name} is not one of {', '.join(METRICS)}")
    return list(dict.fromkeys(names or ()))


def score(
    restored: Annotated[
        Path,
        typer.Argument(metavar="OUT", parser=options.place, help="Restored picture, folder, or - (standard input)."),
    ],
    sharp: Annotated[
        Path, typer.Argument(metavar="REF", parser=options.place, help="Sharp picture, folder, or - (standard input).")
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(METRICS), help="May be given several times; all when left out.", callback=_metrics
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD", help="Means by a field of the manifest, such as psf, noise, or the PSF's family."
        ),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="The manifest; that in OUT when left out.")
    ] = None,
    json: options.Json = False,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = options.MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Score restored pictures against sharp ones, paired by relative path.

    SSIM is that of TensorFlow's tf.image.ssim: an 11 × 11 Gaussian window, sigma 1.5. The exit code is 1
    when a picture has no partner or a pair cannot be scored.
    """
    options.check_stdin(restored, "OUT")
    options.check_stdin(sharp, "REF")

    from deblurcli import batch, console, metrics
    from deblurcli import manifest as manifests

    listing = manifest or manifests.beside(restored)
    group = manifests.groups(manifests.read(listing), group_by) if group_by else None
    names = tuple(metric or METRICS)
    under_way = batch.compare(restored, sharp, metrics.scorer(names), workers, options.pixels(max_pixels))
    raise typer.Exit(console.scored(under_way, names, json, quiet, group))
