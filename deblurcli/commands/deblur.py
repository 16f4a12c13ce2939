"""``deblurcli deblur``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deblurcli.choices import AUTO, BLIND, MODELS, REFINE
from deblurcli.commands import options
from deblurcli.commands.help import ACTION

if TYPE_CHECKING:
    from deblurcli.batch.run import Work
    from deblurcli.inference.restorer import Deferred, Restorer
    from deblurcli.terminal.console import Ticker

CLUSTER = "the cluster"
EXAMPLES = (
    ("Restore all pictures of a folder", "deblur photos restored"),
    ("Restore one picture with one network, and write a JPEG", "deblur photo.png photo.jpg --model photo"),
)


def _model(value: str) -> str:
    """A network that restores by itself."""
    if value == REFINE:
        raise typer.BadParameter(
            f"'{REFINE}' only corrects what a known or found blur was taken out of, as deblur does by itself; leave "
            "--model out, or use deblurcli wiener --psf SPEC --refine"
        )
    return options.word(value)


@options.with_shared
def deblur(
    source: options.Inputs,
    target: Path,
    model: Annotated[
        str,
        typer.Option(
            metavar="auto|NAME|FILE.onnx",
            callback=_model,
            help="auto chooses for each picture. NAME is a network that `deblurcli models` lists; FILE.onnx is a "
            "network of your own.",
            autocompletion=options.completed((AUTO, *(name for name in MODELS if name != REFINE))),
            rich_help_panel=ACTION,
        ),
    ] = AUTO,
    strength: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="NUMBER",
            help="How much of the restored picture to use: 1 is all of it, 0 is the input, 0.5 is half of each.",
            rich_help_panel=ACTION,
        ),
    ] = 1,
    ensemble: options.Ensemble = False,
    provider: options.Provider = AUTO,
    watch: options.Watch = False,
    *,
    shared: options.Shared,
) -> None:
    """Restore blurred pictures when the blur is unknown.

    With --model auto, deblurcli finds out how each picture was blurred and undoes that blur. Where it is not certain, a
    network restores the picture without knowing the blur. Sharp pictures stay as they are. --report tells what was
    done to each picture. If you know the blur, `deblurcli wiener --refine` gives better results.
    """
    options.check_streams(source, target, shared)

    from deblurcli.batch import run
    from deblurcli.batch import watch as watching
    from deblurcli.pipeline.restoration import Blend
    from deblurcli.terminal import console

    ticker = console.Ticker() if shared.cluster is None and options.is_single(source) else None
    work, place = _work(model, provider, ensemble, shared, source, ticker)
    work = Blend(work, strength) if strength < 1 else work
    about, settings = {"model": model}, shared.settings()
    if watch:
        under_way = watching.transform(options.watched(source, shared), target, work, settings, about)
    else:
        under_way = run.transform(source, target, work, settings, about, shared.runner())
    if not shared.quiet:
        console.say(f"deblur: model {model}, running on {place}")
    if watch and not shared.quiet:
        console.say(f"deblur: watching {source}; Ctrl-C ends it")
    verbose = shared.verbose or (watch and not shared.quiet)
    raise typer.Exit(console.transformed(under_way, "deblur", shared.quiet, verbose, shared.json, ticker))


def _work(
    model: str, provider: str, ensemble: bool, shared: options.Shared, source: options.Inputs, ticker: Ticker | None
) -> tuple[Work, str]:
    """What is done to a picture, and where."""
    from deblurcli.deconvolution.options import DeconvolutionOptions, unwatched
    from deblurcli.inference.restorer import deferred, refiner, restorer
    from deblurcli.pipeline.restoration import Alone, restoration

    if model == AUTO:
        there = shared.cluster is not None
        network = refiner(provider, shared.workers, there, ensemble)
        blind = deferred(BLIND, provider, ensemble=ensemble, workers=None if there else shared.workers)
        work = restoration(
            AUTO, DeconvolutionOptions(), "wiener", source, refiner=network, blind=blind, progress=ticker or unwatched
        )
        return work, _place(network)
    if shared.cluster is not None:
        network = deferred(model, provider, ensemble=ensemble)
    else:
        network = restorer(model, provider, shared.workers, ensemble=ensemble)
    return Alone(network, Path(model).name), _place(network)


def _place(network: Restorer | Deferred) -> str:
    """Where a network runs: its provider, or the cluster where it is opened there."""
    return CLUSTER if network.runs_on is None else network.runs_on
