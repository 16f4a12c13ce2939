"""``deblurcli score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.commands import options

METRICS = ("psnr", "ssim", "mae", "mse", "ms-ssim", "psnr-y", "ssim-y", "gmsd", "sharpness")
CONVENTIONS = ("tf", "skimage", "basicsr")
GATES = ("mean", "each")


def metric_names(given: list[str] | None) -> list[str]:
    """Names of metrics, each once; those given in one text have commas between them."""
    names = [name.strip() for text in given or () for name in text.split(",")]
    for name in names:
        if name not in METRICS:
            raise typer.BadParameter(f"'{name}' is not one of {', '.join(METRICS)}")
    return list(dict.fromkeys(names))


def _convention(value: str) -> str:
    return options.one_of(value, CONVENTIONS)


def _gate(value: str) -> str:
    return options.one_of(value, GATES)


def score(
    restored: Annotated[
        Path,
        typer.Argument(metavar="OUT", parser=options.place, help="Restored picture, folder, or - (standard input)."),
    ],
    sharp: Annotated[
        Path | None,
        typer.Argument(
            metavar="REF",
            parser=options.place,
            help="Sharp picture, folder, or - (standard input); without it only sharpness is scored.",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(METRICS),
            help="Several with commas, or given several times; psnr,ssim,mae,mse when left out. The first decides "
            "what is worst.",
            callback=metric_names,
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", parser=options.place, help="The blurred pictures; shows how much better OUT is than they."
        ),
    ] = None,
    convention: Annotated[
        str,
        typer.Option(
            metavar="|".join(CONVENTIONS),
            help="Whose numbers: tf.image's, scikit-image's defaults, or BasicSR's.",
            callback=_convention,
        ),
    ] = "tf",
    crop_border: Annotated[
        int, typer.Option(min=0, max=100_000, metavar="PIXELS", help="Leave out so many at every side.")
    ] = 0,
    fail_under: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=NUMBER,...",
            help="Exit code 1 below, such as psnr=30,ssim=0.9, or gain-psnr=1 with --baseline.",
        ),
    ] = None,
    fail_over: Annotated[
        str | None,
        typer.Option(metavar="NAME=NUMBER,...", help="Exit code 1 above, for what is better low, such as mae=0.02."),
    ] = None,
    gate: Annotated[
        str,
        typer.Option(metavar="|".join(GATES), help="What these limits hold for: the mean, or each.", callback=_gate),
    ] = "mean",
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Leave pictures without a partner out, and do not fail for them.")
    ] = False,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD", help="Means by a field of the manifest, such as psf, noise, or the PSF's family."
        ),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="The manifest; that in OUT when left out.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", parser=options.place, help="Write a page with all scores, charts and pictures."
        ),
    ] = None,
    json: options.Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV on standard output, a line for each picture.")] = False,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = options.MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Score restored pictures against sharp ones, paired by relative path.

    The exit code is 1 when a picture has no partner, cannot be scored, or a limit is not kept.
    """
    for place, name in ((restored, "OUT"), (sharp, "REF"), (baseline, "--baseline")):
        if place is not None:
            options.check_stdin(place, name)
    if json and csv:
        raise typer.BadParameter("give one of --json and --csv", param_hint="--csv")

    from deblurcli.batch import manifest as manifests
    from deblurcli.reports import gates, scoring
    from deblurcli.terminal import scores

    limits = [*gates.parse(fail_under, gates.UNDER), *gates.parse(fail_over, gates.OVER)]
    gates.check(limits, sharp is not None, baseline is not None)
    settings = scoring.Options(
        names=scoring.names_for(metric, limits, sharp is not None),
        convention=convention,
        crop_border=crop_border,
        gates=tuple(limits),
        gate=gate,
        group=manifests.groups(manifests.read(manifest or manifests.beside(restored)), group_by) if group_by else None,
        allow_missing=allow_missing,
        html=html,
        workers=workers,
        max_pixels=options.pixels(max_pixels),
    )
    run = scoring.score(restored, sharp, baseline, settings)
    raise typer.Exit(scores.scored(run, "json" if json else "csv" if csv else "table", quiet))
