"""``deblurcli deblur``."""

from __future__ import annotations

from typing import Annotated

import typer

from deblurcli.commands import options


@options.with_shared
def deblur(
    source: options.Source = options.STANDARD,
    target: options.Target = options.STANDARD,
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE.onnx", help="A name that `deblurcli models` lists, or a file.")
    ] = "faces",
    provider: options.Provider = "auto",
    *,
    shared: options.Shared,
) -> None:
    """Restore blurred pictures with a neural network.

    The network is not told the blur; it restores what it was trained on, which its card says.
    """
    options.check_streams(source, target, shared)

    from deblurcli import batch, console
    from deblurcli.deblur import deferred, restorer

    there = shared.cluster is not None
    network = deferred(model, provider) if there else restorer(model, provider, shared.workers)
    work = batch.Plain(network)
    under_way = batch.transform(source, target, work, shared.settings(), {"model": model}, shared.runner())
    if not shared.quiet:
        console.say(f"deblur: {model} on {'the cluster' if there else network.session.provider}")
    raise typer.Exit(console.transformed(under_way, "deblur", shared.quiet, shared.verbose, shared.json))
