"""``deblurcli wiener``."""

from __future__ import annotations

from typing import Annotated

import typer

from deblurcli.commands import options


@options.with_shared
def wiener(
    source: options.Source = options.STANDARD,
    target: options.Target = options.STANDARD,
    psf: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC|FILE", help="The PSF that blurred the pictures, as `deblurcli blur --psf` takes it."
        ),
    ] = None,
    nsr: Annotated[
        str,
        typer.Option(metavar="auto|NUMBER", help="Noise-to-signal ratio of variances; larger is smoother."),
    ] = "auto",
    *,
    shared: options.Shared,
) -> None:
    """Restore pictures whose PSF is known, with the Wiener filter."""
    options.check_streams(source, target, shared)
    if psf is None:
        raise typer.BadParameter("is missing; name the PSF that blurred the pictures", param_hint="--psf")

    from deblurcli import batch, console
    from deblurcli.deconvolve import NSR, deconvolver

    function = deconvolver(psf, _number(nsr, *NSR))
    under_way = batch.transform(source, target, function, shared.settings(), {"psf": psf}, shared.runner())
    raise typer.Exit(console.transformed(under_way, "wiener", shared.quiet, shared.verbose, shared.json))


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
