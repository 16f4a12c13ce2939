"""``deblurcli blur``."""

from __future__ import annotations

from typing import Annotated

import typer

from deblurcli.commands import options

DIRECTIONS = "horizontal|vertical|diagonal|antidiagonal|DEGREES"
DEFAULT_LENGTH = 8.0


@options.with_shared
def blur(
    source: options.Source = options.STANDARD,
    target: options.Target = options.STANDARD,
    gaussian: Annotated[float | None, typer.Option(metavar="SIGMA", help="Gaussian blur, sigma in pixels.")] = None,
    motion: Annotated[
        str | None,
        typer.Option(metavar=DIRECTIONS, help="Motion blur; degrees count counter-clockwise from horizontal."),
    ] = None,
    length: Annotated[
        float | None, typer.Option(metavar="PIXELS", help=f"Length of the motion; {DEFAULT_LENGTH:g} when left out.")
    ] = None,
    defocus: Annotated[float | None, typer.Option(metavar="RADIUS", help="Out of focus, radius in pixels.")] = None,
    psf: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC|FILE",
            help="Any PSF, such as gaussian:sigma=2,size=9, motion:length=15,angle=30, defocus:radius=3, box:size=5, "
            "paper-motion:direction=diagonal, or a kernel as .npy or image file.",
        ),
    ] = None,
    *,
    shared: options.Shared,
) -> None:
    """Blur pictures with a point spread function (PSF).

    Give exactly one of --gaussian, --motion, --defocus and --psf. A PSF is centred, so that nothing
    shifts; only paper-motion keeps the off-centre kernels of the paper.
    """
    options.check_streams(source, target, shared)
    spec = _spec(gaussian, motion, length, defocus, psf)

    from deblurcli import batch, console
    from deblurcli.blur import blurrer

    under_way = batch.transform(source, target, blurrer(spec), shared.settings(), {"psf": spec}, shared.runner())
    raise typer.Exit(console.transformed(under_way, "blur", shared.quiet, shared.verbose, shared.json))


def _spec(
    gaussian: float | None, motion: str | None, length: float | None, defocus: float | None, psf: str | None
) -> str:
    """The one PSF specification that the options amount to."""
    pixels = DEFAULT_LENGTH if length is None else length
    given = {
        "--gaussian": gaussian is not None and f"gaussian:sigma={gaussian}",
        "--motion": motion is not None and f"motion:length={pixels},angle={motion}",
        "--defocus": defocus is not None and f"defocus:radius={defocus}",
        "--psf": psf is not None and psf,
    }
    specs = [spec for spec in given.values() if spec is not False]
    if len(specs) != 1:
        raise typer.BadParameter("give exactly one", param_hint=", ".join(given))
    if length is not None and motion is None:
        raise typer.BadParameter("goes with --motion", param_hint="--length")
    return specs[0]
