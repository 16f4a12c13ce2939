"""``deblurcli wiener``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.commands import options

METHODS = ("wiener", "richardson-lucy", "sparse", "inverse")
REFINED, ITERATING = METHODS[:2]


def _method(value: str) -> str:
    """A method's name."""
    if value not in METHODS:
        raise typer.BadParameter(f"{value} is not one of {', '.join(METHODS)}")
    return value


@options.with_shared
def wiener(
    source: options.Source = options.STANDARD,
    target: options.Target = options.STANDARD,
    psf: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC|FILE|manifest|auto",
            help="The PSF that blurred the pictures, as `deblurcli blur --psf` takes it; manifest looks up that of "
            "each picture in the manifest.jsonl beside it; auto estimates it, and leaves alone what is not certain.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="The manifest, where it is not beside the pictures.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="|".join(METHODS),
            callback=_method,
            help="wiener is quick; sparse takes its time and is better; inverse shows what noise does.",
        ),
    ] = "wiener",
    nsr: Annotated[
        str,
        typer.Option(metavar="auto|NUMBER", help="Noise-to-signal ratio of variances; larger is smoother."),
    ] = "auto",
    refine: Annotated[
        bool,
        typer.Option(
            "--refine", help="Let a network correct what the wiener method leaves, and adjust --psf; the best of all."
        ),
    ] = False,
    adjust: Annotated[
        bool | None,
        typer.Option(
            "--adjust/--exact",
            help="Adjust the length and angle of a motion, or the radius of a defocus, that --psf tells to each "
            "picture that clearly shows others near them; or take them as they are told. Adjusted with --refine if "
            "left out.",
            show_default=False,
        ),
    ] = None,
    ensemble: options.Ensemble = False,
    provider: options.Provider = "auto",
    iterations: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="Of richardson-lucy, 30 if left out; more is sharper and noisier."),
    ] = None,
    *,
    shared: options.Shared,
) -> None:
    """Restore pictures by deconvolution, with a PSF that is known or found."""
    options.check_streams(source, target, shared)
    if psf is None and manifest is None:
        raise typer.BadParameter("is missing; name the PSF that blurred the pictures", param_hint="--psf")
    if manifest is not None and psf not in (None, "manifest"):
        raise typer.BadParameter(f"is not looked at with --psf {psf}; leave one of them out", param_hint="--manifest")
    if refine and method != REFINED:
        raise typer.BadParameter(f"corrects --method {REFINED} only, not {method}", param_hint="--refine")
    if ensemble and not refine:
        raise typer.BadParameter("is of the network that --refine asks for; add --refine", param_hint="--ensemble")
    if adjust and psf in (None, "manifest", "auto"):
        raise typer.BadParameter("is of one PSF for all pictures; name it with --psf", param_hint="--adjust")
    if iterations is not None and method != ITERATING:
        raise typer.BadParameter(f"are those of --method {ITERATING}, not {method}", param_hint="--iterations")

    from deblurcli.batch import run
    from deblurcli.deconvolution.options import ITERATIONS, DeconvolutionOptions, unwatched
    from deblurcli.inference.restorer import refiner
    from deblurcli.pictures.noise import NSR
    from deblurcli.pipeline.restoration import restoration
    from deblurcli.pipeline.sources import MANIFEST
    from deblurcli.terminal import console

    ticker = console.Ticker() if shared.cluster is None and options.is_single(source) else None
    deconvolution = DeconvolutionOptions(_number(nsr, *NSR), iterations or ITERATIONS)
    spec = psf or MANIFEST
    network = refiner(provider, shared.workers, shared.cluster is not None, ensemble) if refine else None
    adjusts = refine if adjust is None else adjust
    work = restoration(
        spec, deconvolution, method, source, manifest, network, adjusts=adjusts, progress=ticker or unwatched
    )
    under_way = run.transform(source, target, work, shared.settings(), {"psf": spec}, shared.runner())
    raise typer.Exit(console.transformed(under_way, "wiener", shared.quiet, shared.verbose, shared.json, ticker))


def _number(nsr: str, low: float, high: float) -> float | None:
    """The ratio that was given; None for auto."""
    if nsr == "auto":
        return None
    try:
        value = float(nsr)
    except ValueError:
        value = -1.0
    if not low <= value <= high:
        raise typer.BadParameter(f"{nsr} is neither auto nor a number from {low:g} to {high:g}", param_hint="--nsr")
    return value
