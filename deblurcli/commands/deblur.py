"""``deblurcli deblur``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deblurcli.choices import AUTO, BLIND, BLINDS, MODELS, REFINE
from deblurcli.commands import checks, options, values
from deblurcli.commands.help import ACTION

if TYPE_CHECKING:
    from deblurcli.batch.run import Work
    from deblurcli.inference.restorer import Deferred, Restorer
    from deblurcli.terminal.progress import Ticker

CLUSTER = "the cluster"
EXAMPLES = (
    ("Restore a folder; a page shows each picture before and after", "deblur photos restored --html page.html"),
    ("Try three strengths on the middle of a picture", "deblur photo.png sheet.png --try strength=0.5,0.75,1"),
)


@dataclass(frozen=True)
class _Wanted:
    """How pictures are to be restored."""

    model: str
    provider: str
    ensemble: bool
    smooth: float
    force: bool
    rotation: bool

    def check(self) -> None:
        """Refuse what is for the search of a blur where there is none."""
        given = {"--smooth": self.smooth != 1, "--force": self.force, "--rotation": self.rotation}
        for option, is_given in given.items():
            if is_given and self.model != AUTO:
                raise typer.BadParameter("works with --model auto only; leave --model out", param_hint=option)


def _model(value: str) -> str:
    """A network that restores by itself."""
    if value == REFINE:
        raise typer.BadParameter(
            f"'{REFINE}' only corrects what a known or found blur was taken out of, as deblur does by itself; leave "
            "--model out, or use deblurcli wiener --psf SPEC --refine"
        )
    return values.word(value)


def _psf(value: str | None) -> None:
    """Who knows the blur is sent to the command that takes it."""
    if value is not None:
        raise typer.BadParameter(
            "deblur finds the blur by itself; if you know it, use deblurcli wiener IN OUT --psf SPEC --refine"
        )


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
    strength: options.Strength = 1,
    smooth: options.Smooth = 1,
    force: options.Force = False,
    rotation: options.Rotation = False,
    psf: Annotated[str | None, typer.Option("--psf", hidden=True, callback=_psf)] = None,
    crop: options.Crop = None,
    attempts: Annotated[str | None, options.attempts("strength=0.5,0.75,1 or model=auto,photo")] = None,
    html: options.Html = None,
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
    checks.check_streams(source, target, shared)
    checks.check_preview(crop, attempts, shared)
    checks.check_page(html, crop, attempts, shared)
    name, tried = values.tries(attempts, ("strength", "model")) if attempts else ("model", [model])
    strengths = [values.number(each, 0, 1, "--try") for each in tried] if name == "strength" else [strength]
    models = [model] if name == "strength" else tried
    wanted = [_Wanted(each, provider, ensemble, smooth, force, rotation) for each in models]
    for each in wanted:
        each.check()

    from deblurcli.batch import run
    from deblurcli.batch import watch as watching
    from deblurcli.pipeline import preview
    from deblurcli.pipeline.restoration import Blend
    from deblurcli.reports import album
    from deblurcli.terminal import console, messages, progress

    ticker = progress.Ticker() if shared.cluster is None else None
    works, places = zip(*(_work(each, shared, source, ticker) for each in wanted))
    if crop or attempts:
        ways = [(work, share) for work in works for share in strengths]
        work = preview.preview(crop, [f"{name} {each}" for each in tried] if attempts else None, ways)
    else:
        work = Blend(works[0], strength) if strength < 1 else works[0]
    work = work if ticker is None else ticker.watched(work)
    runner, about, settings = shared.runner(), {"model": model}, shared.settings()
    html = None if shared.dry_run else html
    if watch:
        beside = {"--crop": crop is not None, "--try": attempts is not None, "--html": html is not None}
        under_way = watching.transform(checks.watched(source, shared, beside), target, work, settings, about)
    else:
        under_way = album.illustrated(
            html, source, target, work, lambda each: run.transform(source, target, each, settings, about, runner)
        )
    if not shared.quiet:
        messages.say(f"deblur: model {', '.join(each.model for each in wanted)}, running on {places[0]}")
    if watch and not shared.quiet:
        messages.say(f"deblur: watching {source}; Ctrl-C ends it")
    verbose = shared.verbose or (watch and not shared.quiet)
    code = console.transformed(under_way, "deblur", shared.quiet, verbose, shared.json, ticker)
    console.tell_page("deblur", html, shared.quiet)
    raise typer.Exit(code)


def _work(wanted: _Wanted, shared: options.Shared, source: options.Inputs, ticker: Ticker | None) -> tuple[Work, str]:
    """What is done to a picture, and where."""
    from deblurcli.deconvolution.options import DeconvolutionOptions
    from deblurcli.inference.restorer import deferred, refiners, restorer
    from deblurcli.pictures.tiles import unwatched
    from deblurcli.pipeline.blind import Blind
    from deblurcli.pipeline.restoration import Alone, restoration
    from deblurcli.pipeline.specialist import faces

    model, provider, ensemble = wanted.model, wanted.provider, wanted.ensemble
    there = shared.cluster is not None
    if model == AUTO:
        network, of_large, of_light = refiners(provider, shared.workers, there, ensemble)
        workers = None if there else shared.workers
        work = restoration(
            AUTO,
            DeconvolutionOptions(),
            "wiener",
            source,
            refiner=network,
            blind=deferred(BLIND, provider, ensemble=ensemble, workers=workers),
            special=faces(provider, workers),
            progress=ticker or unwatched,
            smoothing=wanted.smooth,
            forced=wanted.force,
            rolls=wanted.rotation,
            refiner_of_large=of_large,
            refiner_of_light=of_light,
        )
        return work, _place(network)
    if there:
        network = deferred(model, provider, ensemble=ensemble)
    else:
        network = restorer(model, provider, shared.workers, ensemble=ensemble)
    asked = Blind(network) if model in BLINDS else network
    return Alone(asked, Path(model).name, ticker or unwatched), _place(network)


def _place(network: Restorer | Deferred) -> str:
    """Where a network runs: its provider, or the cluster where it is opened there."""
    return CLUSTER if network.runs_on is None else network.runs_on
