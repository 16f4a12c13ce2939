"""``deblurcli deblur``."""

from __future__ import annotations

from typing import Annotated

import typer

from deblurcli.commands import options


def deblur(
    source: options.Source = options.STANDARD,
    target: options.Target = options.STANDARD,
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE.onnx", help="A name that `deblurcli models` lists, or a file.")
    ] = "faces",
    provider: Annotated[
        str,
        typer.Option(
            metavar="auto|cpu|cuda|tensorrt|openvino|coreml|directml",
            help="Where the network runs; auto takes the best that is available.",
        ),
    ] = "auto",
    format: options.Format = None,
    quality: options.Quality = None,
    workers: options.Workers = 0,
    skip_existing: options.SkipExisting = False,
    in_place: options.InPlace = False,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Restore blurred pictures with a neural network.

    The network is not told the blur; it restores what it was trained on, which its card says.
    """
    options.check_streams(source, target, in_place)

    from deblurcli import batch, console
    from deblurcli.deblur import restorer

    settings = batch.Options(format, quality, workers, skip_existing, in_place, dry_run)
    under_way = batch.transform(source, target, restorer(model, provider, workers), settings)
    raise typer.Exit(console.transformed(under_way, "deblur", quiet, verbose))
