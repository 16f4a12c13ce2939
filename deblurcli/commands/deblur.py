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
    ("Try three strengths on the middle of a picture", "deblur photo.png sheet.png --try strength=0.5,0.75,1"),
)


@options.with_shared
def deblur(
    source: options.Source = options.STANDARD,
    target: options.Target = options.STANDARD,
    model: Annotated[
        str,
        typer.Option(
            metavar="auto|NAME|FILE.onnx",
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
    crop: options.Crop = None,
    attempts: Annotated[str | None, options.attempts("strength=0.5,0.75,1 or model=auto,photo")] = None,
    html: options.Html = None,
    ensemble: options.Ensemble = False,
    provider: options.Provider = AUTO,
    *,
    shared: options.Shared,
) -> None:
    """Restore blurred pictures when the blur is unknown.

    With --model auto, deblurcli finds out how each picture was blurred and undoes that blur. Where it is not certain, a
    network restores the picture without knowing the blur. Sharp pictures stay as they are. --report tells what was
    done to each picture. If you know the blur, `deblurcli wiener --refine` gives better results.
    """
    options.check_streams(source, target, shared)
    options.check_preview(crop, attempts, shared)
    options.check_page(html, crop, attempts, shared)
    name, values = options.tries(attempts, ("strength", "model")) if attempts else ("model", [model])
    strengths = [options.number(each, 0, 1, "--try") for each in values] if name == "strength" else [strength]

    from deblurcli.batch import run
    from deblurcli.pipeline import preview
    from deblurcli.pipeline.restoration import Blend
    from deblurcli.reports import album
    from deblurcli.terminal import console

    ticker = console.Ticker() if shared.cluster is None and options.is_single(source) else None
    models = [model] if name == "strength" else values
    works, places = zip(*(_work(each, provider, ensemble, shared, source, ticker) for each in models))
    if crop or attempts:
        ways = [(work, share) for work in works for share in strengths]
        work = preview.preview(crop, [f"{name} {each}" for each in values] if attempts else None, ways)
    else:
        work = Blend(works[0], strength) if strength < 1 else works[0]
    runner, about = shared.runner(), {"model": model}
    html = None if shared.dry_run else html
    under_way = album.illustrated(
        html,
        source,
        target,
        work,
        lambda each: run.transform(source, target, each, shared.settings(), about, runner),
    )
    if not shared.quiet:
        console.say(f"deblur: model {', '.join(models)}, running on {places[0]}")
    code = console.transformed(under_way, "deblur", shared.quiet, shared.verbose, shared.json, ticker)
    console.tell_page("deblur", html, shared.quiet)
    raise typer.Exit(code)


def _work(
    model: str, provider: str, ensemble: bool, shared: options.Shared, source: Path, ticker: Ticker | None
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
