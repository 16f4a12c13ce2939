"""``deblurcli score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.choices import CONVENTIONS, GATES, MEAN, MEGAPIXELS, METRICS, SCORED
from deblurcli.commands import checks, options, values
from deblurcli.commands.help import ACTION, OUTPUT, PICTURES

EXAMPLES = (
    ("Score a folder, and draw a page with charts and pictures", "score restored photos --html report.html"),
    ("Fail in a script unless the mean PSNR is at least 30 dB", "score restored photos --fail-under psnr=30"),
)


def _metrics(given: list[str] | None) -> list[str]:
    return values.listed(given, METRICS)


def score(
    restored: Annotated[
        Path,
        typer.Argument(metavar="OUT", parser=values.place, help="Restored picture, folder, or - for standard input."),
    ],
    sharp: Annotated[
        Path | None,
        typer.Argument(
            metavar="REF",
            parser=values.place,
            help="Sharp picture, folder, or - for standard input. Without it, only sharpness is scored.",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,...",
            help=f"Scores to compute: {', '.join(METRICS)}. {','.join(SCORED)} by default. Pictures are ranked by the "
            "first one.",
            callback=_metrics,
            autocompletion=options.completed_list(METRICS),
            rich_help_panel=ACTION,
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=values.place,
            help="The blurred pictures. Their scores show how much better the restored ones are (the gain).",
            rich_help_panel=ACTION,
        ),
    ] = None,
    convention: Annotated[
        str,
        options.choice(
            CONVENTIONS,
            "Compute scores the way another library does: tf (tf.image), skimage (scikit-image's defaults) or basicsr "
            "(BasicSR).",
            ACTION,
        ),
    ] = CONVENTIONS[0],
    crop_border: Annotated[
        int,
        typer.Option(
            min=0,
            max=100_000,
            metavar="PIXELS",
            help="Do not score this many pixels along each edge.",
            rich_help_panel=ACTION,
        ),
    ] = 0,
    fail_under: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=NUMBER,...",
            help="End with exit code 1 if a score is lower than this, such as psnr=30,ssim=0.9; with --baseline also "
            "gain-psnr=1.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    fail_over: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=NUMBER,...",
            help="End with exit code 1 if a score is higher than this; for scores that are better when lower, such as "
            "mae=0.02.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    gate: Annotated[
        str,
        options.choice(
            GATES,
            "Whether --fail-under and --fail-over apply to the mean of all pictures or to each picture: mean, each.",
            ACTION,
        ),
    ] = MEAN,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Skip pictures that exist in one folder only, and do not fail because of them.",
            rich_help_panel=PICTURES,
        ),
    ] = False,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="Show the mean for each value of a field of the manifest, such as psf, noise or family.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="The manifest that `deblurcli blur` wrote, for --group-by; manifest.jsonl in OUT by default.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="The report that `deblurcli deblur --report` wrote; the page of --html then says which blur was "
            "found.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    html: Annotated[Path | None, options.page("all scores, charts and pictures")] = None,
    json: options.Json = False,
    csv: options.Csv = False,
    workers: options.Workers = 0,
    max_pixels: options.MaxPixels = MEGAPIXELS,
    quiet: options.Quiet = False,
) -> None:
    """Score restored pictures against sharp ones.

    Pictures with the same path in both folders are compared; their endings may differ. The exit code is 1 if a picture
    exists in one folder only or cannot be scored, or if a score is beyond --fail-under or --fail-over.
    """
    for place, name in ((restored, "OUT"), (sharp, "REF"), (baseline, "--baseline")):
        if place is not None:
            checks.check_stdin(place, name)
    form = checks.form(json, csv)
    if report is not None and html is None:
        raise typer.BadParameter("is for the page; add --html", param_hint="--report")

    from deblurcli.batch import manifest as manifests
    from deblurcli.batch import record
    from deblurcli.reports import diagnoses, gates, scoring
    from deblurcli.terminal import scores

    limits = [*gates.parse(fail_under, gates.UNDER), *gates.parse(fail_over, gates.OVER)]
    gates.check(limits, sharp is not None, baseline is not None)
    told = {} if report is None else record.read(report)
    settings = scoring.Options(
        names=scoring.names_for(metric or (), limits, sharp is not None),
        convention=convention,
        crop_border=crop_border,
        gates=tuple(limits),
        gate=gate,
        group=manifests.groups(manifests.read(manifest or manifests.beside(restored)), group_by) if group_by else None,
        found=(lambda name: diagnoses.of_report(told.get(name, {}))) if told else None,
        allow_missing=allow_missing,
        html=html,
        workers=workers,
        max_pixels=values.pixels(max_pixels),
    )
    run = scoring.score(restored, sharp, baseline, settings)
    raise typer.Exit(scores.scored(run, form, quiet))
