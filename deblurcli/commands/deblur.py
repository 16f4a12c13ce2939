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
    strength: Annotated[
        float, typer.Option(min=0, max=1, metavar="0..1", help="Share of the restored picture; the rest is the input.")
    ] = 1.0,
    *,
    shared: options.Shared,
) -> None:
    """Restore blurred pictures with a neural network.

    The network is not told the blur; it restores what it was trained on, which its card says.
    """
    options.check_streams(source, target, shared)

    from deblurcli import batch, console
    from deblurcli.deblur import deferred, restorer
    from deblurcli.restoration import Blend

    there = shared.cluster is not None
    network = deferred(model, provider) if there else restorer(model, provider, shared.workers)
    work = Blend(batch.Plain(network), strength) if strength < 1 else batch.Plain(network)
    under_way = batch.transform(source, target, work, shared.settings(), {"model": model}, shared.runner())
    if not shared.quiet:
        console.say(f"deblur: {model} on {'the cluster' if there else network.session.provider}")
    raise typer.Exit(console.transformed(under_way, "deblur", shared.quiet, shared.verbose, shared.json))
