"""``deblurcli deblur``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deblurcli.commands import options

if TYPE_CHECKING:
    from deblurcli.batch.run import Work
    from deblurcli.terminal.console import Ticker

AUTO = "auto"


@options.with_shared
def deblur(
    source: options.Source = options.STANDARD,
    target: options.Target = options.STANDARD,
    model: Annotated[
        str,
        typer.Option(
            metavar="auto|NAME|FILE.onnx",
            help="auto finds the blur of each picture and undoes it where it is certain, restores blindly what is "
            "blurred otherwise, and leaves alone what is sharp; or a network that restores blindly: a name that "
            "`deblurcli models` lists, or a file.",
        ),
    ] = AUTO,
    provider: options.Provider = "auto",
    strength: Annotated[
        float, typer.Option(min=0, max=1, metavar="0..1", help="Share of the restored picture; the rest is the input.")
    ] = 1.0,
    ensemble: options.Ensemble = False,
    *,
    shared: options.Shared,
) -> None:
    """Restore blurred pictures, whose blur nobody knows.

    What each picture was blurred by, and whether it was left as it was, the report says; see also `deblurcli
    estimate`. Where the blur is known, `deblurcli wiener --refine` does better.
    """
    options.check_streams(source, target, shared)

    from deblurcli.batch import run
    from deblurcli.pipeline.restoration import Blend
    from deblurcli.terminal import console

    ticker = console.Ticker() if shared.cluster is None and options.is_single(source) else None
    work, place = _work(model, provider, ensemble, shared, source, ticker)
    work = Blend(work, strength) if strength < 1 else work
    under_way = run.transform(source, target, work, shared.settings(), {"model": model}, shared.runner())
    if not shared.quiet:
        console.say(f"deblur: {model} on {place}")
    raise typer.Exit(console.transformed(under_way, "deblur", shared.quiet, shared.verbose, shared.json, ticker))


def _work(
    model: str, provider: str, ensemble: bool, shared: options.Shared, source: Path, ticker: Ticker | None
) -> tuple[Work, str]:
    """What is done to a picture, and where."""
    from deblurcli.batch import run
    from deblurcli.deconvolution.options import DeconvolutionOptions, unwatched
    from deblurcli.inference.restorer import BLIND, deferred, refiner, restorer
    from deblurcli.pipeline.restoration import restoration
    from deblurcli.pipeline.sources import AUTO as FOUND

    there = shared.cluster is not None
    if model == AUTO:
        network = refiner(provider, shared.workers, there, ensemble)
        blind = deferred(BLIND, provider, ensemble=ensemble, workers=None if there else shared.workers)
        work = restoration(
            FOUND, DeconvolutionOptions(), "wiener", source, refiner=network, blind=blind, progress=ticker or unwatched
        )
    else:
        network = (
            deferred(model, provider, ensemble=ensemble)
            if there
            else restorer(model, provider, shared.workers, ensemble=ensemble)
        )
        work = run.Plain(network)
    return work, "the cluster" if there else network.session.provider
