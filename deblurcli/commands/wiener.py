"""``deblurcli wiener``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.choices import AUTO, ITERATING, ITERATIONS, MANIFEST, METHODS, PSFS, REFINE, REFINED
from deblurcli.commands import checks, options, values
from deblurcli.commands.help import ACTION

EXAMPLES = (
    ("Undo a known motion blur as well as possible", "wiener moved restored --psf motion:length=12,angle=30 --refine"),
    ("Undo what `deblurcli blur` did; its manifest lists the PSFs", "wiener pairs restored --psf manifest"),
)


@options.with_shared
def wiener(
    source: options.Inputs,
    target: Path,
    psf: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC|FILE|manifest|auto",
            parser=values.word,
            help="The PSF that blurred the pictures. SPEC is a formula such as motion:length=15,angle=30, FILE a "
            "picture or an .npy array; see `deblurcli blur --psf`. manifest reads the PSF of each picture from the "
            "manifest.jsonl beside it. auto estimates the PSF of each picture, and copies the picture if the estimate "
            "is not certain.",
            autocompletion=options.completed((*(f"{name}:" for name in PSFS), MANIFEST, AUTO)),
            rich_help_panel=ACTION,
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            parser=values.place,
            help="Read the PSFs from this manifest instead of the one beside the pictures.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    method: Annotated[
        str,
        options.choice(
            METHODS,
            "Deconvolution method. wiener is fast; sparse is slower and better; richardson-lucy works step by step; "
            "inverse ignores noise, and shows what noise then does.",
            ACTION,
        ),
    ] = REFINED,
    nsr: Annotated[
        str,
        typer.Option(
            metavar="auto|NUMBER",
            help="Noise-to-signal ratio (ratio of variances). A larger value gives a smoother picture. auto measures "
            "the noise of each picture.",
            autocompletion=options.completed((AUTO,)),
            rich_help_panel=ACTION,
        ),
    ] = AUTO,
    refine: Annotated[
        bool,
        typer.Option(
            "--refine",
            help="Let a network improve the result of --method wiener. Also turns --adjust on. Gives the best results.",
            rich_help_panel=ACTION,
        ),
    ] = False,
    adjust: Annotated[
        bool | None,
        typer.Option(
            "--adjust/--exact",
            help="--adjust corrects the length and angle of a motion, or the radius of a defocus, for each picture "
            "that clearly shows slightly different values. --exact uses --psf as given; that is the default without "
            "--refine.",
            show_default=False,
            rich_help_panel=ACTION,
        ),
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            metavar="N",
            help=f"Iterations of --method {ITERATING}, {ITERATIONS} by default. More of them give a sharper and "
            "noisier picture.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    crop: options.Crop = None,
    attempts: Annotated[str | None, options.attempts("method=wiener,sparse,refine or nsr=0.001,0.01")] = None,
    html: options.Html = None,
    ensemble: options.Ensemble = False,
    provider: options.Provider = AUTO,
    *,
    shared: options.Shared,
) -> None:
    """Restore pictures when the blur is known, by deconvolution.

    The blur is given as a point spread function (PSF): it describes how one point of light is smeared. Deconvolution
    computes the picture that this PSF would blur to the one at hand.
    """
    checks.check_streams(source, target, shared)
    if psf is None and manifest is None:
        raise typer.BadParameter(
            "is missing; name the PSF that blurred the pictures, or write --psf auto", param_hint="--psf"
        )
    if manifest is not None and psf not in (None, MANIFEST):
        raise typer.BadParameter(f"is not used with --psf {psf}; leave one of them out", param_hint="--manifest")
    if refine and method != REFINED:
        raise typer.BadParameter(f"works with --method {REFINED} only, not with {method}", param_hint="--refine")
    if ensemble and not refine:
        raise typer.BadParameter("is for the network of --refine; add --refine", param_hint="--ensemble")
    if adjust and psf in (None, MANIFEST, AUTO):
        raise typer.BadParameter("needs one PSF for all pictures; name it with --psf", param_hint="--adjust")
    if iterations is not None and method != ITERATING:
        raise typer.BadParameter(f"works with --method {ITERATING} only, not with {method}", param_hint="--iterations")
    checks.check_preview(crop, attempts, shared)
    checks.check_page(html, crop, attempts, shared)
    own = REFINE if refine else method
    name, tried = values.tries(attempts, ("method", "nsr")) if attempts else ("method", [own])
    if name == "method":
        tried = [values.checked(each, (*METHODS, REFINE)) for each in tried]

    from deblurcli.batch import run
    from deblurcli.deconvolution.options import ITERATIONS, DeconvolutionOptions
    from deblurcli.inference.restorer import refiners
    from deblurcli.pictures.noise import NSR
    from deblurcli.pictures.tiles import unwatched
    from deblurcli.pipeline import preview
    from deblurcli.pipeline.restoration import Restoration, restoration
    from deblurcli.reports import album
    from deblurcli.terminal import console, progress

    ticker = progress.Ticker() if shared.cluster is None else None
    spec = psf or MANIFEST

    def way(method: str, nsr: str) -> Restoration:
        refines = method == REFINE
        deconvolution = DeconvolutionOptions(_number(nsr, *NSR), iterations or ITERATIONS)
        elsewhere = shared.cluster is not None
        network, of_large, of_light = (
            refiners(provider, shared.workers, elsewhere, ensemble) if refines else (None, None, None)
        )
        adjusts = refines if adjust is None else adjust
        method = REFINED if refines else method
        return restoration(
            spec,
            deconvolution,
            method,
            source,
            manifest,
            network,
            adjusts=adjusts,
            progress=ticker or unwatched,
            refiner_of_large=of_large,
            refiner_of_light=of_light,
        )

    ways = [way(each, nsr) if name == "method" else way(own, each) for each in tried]
    work = ways[0]
    if crop or attempts:
        titles = [f"{name} {each}" for each in tried] if attempts else None
        work = preview.preview(crop, titles, [(each, 1) for each in ways])
    work = work if ticker is None else ticker.watched(work)
    settings, runner = shared.settings(), shared.runner()
    html = None if shared.dry_run else html
    under_way = album.illustrated(
        html, source, target, work, lambda each: run.transform(source, target, each, settings, {"psf": spec}, runner)
    )
    code = console.transformed(under_way, "wiener", shared.quiet, shared.verbose, shared.json, ticker)
    console.tell_page("wiener", html, shared.quiet)
    raise typer.Exit(code)


def _number(nsr: str, low: float, high: float) -> float | None:
    """The ratio that was given; None for auto."""
    if nsr == AUTO:
        return None
    try:
        value = float(nsr)
    except ValueError:
        value = -1.0
    if not low <= value <= high:
        raise typer.BadParameter(f"'{nsr}' is neither auto nor a number from {low:g} to {high:g}", param_hint="--nsr")
    return value
