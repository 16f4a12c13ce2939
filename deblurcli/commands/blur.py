"""``deblurcli blur``."""

from __future__ import annotations

from pathlib import Path
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
    psf_spec: Annotated[
        str | None,
        typer.Option(
            "--psf",
            metavar="SPEC|FILE|random",
            help="Any PSF, such as gaussian:sigma=2,size=9, motion:length=15,angle=30, defocus:radius=3, box:size=5, "
            "trajectory:length=20,seed=7 (camera shake), paper-motion:direction=diagonal, a kernel as .npy or image "
            "file, or one drawn for each picture: random, random:motion+defocus.",
        ),
    ] = None,
    noise: Annotated[
        float, typer.Option(min=0, max=1, metavar="SIGMA", help="Add Gaussian noise; 0.01 is 2.55 steps of 255.")
    ] = 0.0,
    jpeg_quality: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="1..100", help="Send the result through JPEG.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the noise and of random PSFs.")] = 0,
    save_psf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the PSF as a picture or an .npy array.")
    ] = None,
    list_in: Annotated[
        Path | None,
        typer.Option(
            "--manifest", metavar="FILE.jsonl", help="List the PSF of every picture; a folder gets a manifest.jsonl."
        ),
    ] = None,
    no_manifest: Annotated[bool, typer.Option("--no-manifest", help="Write no manifest.")] = False,
    *,
    shared: options.Shared,
) -> None:
    """Blur pictures with a point spread function (PSF).

    Give exactly one of --gaussian, --motion, --defocus and --psf. A PSF is centred, so that nothing
    shifts; only paper-motion keeps the off-centre kernels of the paper. Noise comes after the blur, and
    compression after the noise.
    """
    options.check_streams(source, target, shared)
    spec = _spec(gaussian, motion, length, defocus, psf_spec)

    from deblurcli.batch import manifest, planning, run
    from deblurcli.blur import model, psf_files
    from deblurcli.blur.psf import PSFSpec, parse_or_random
    from deblurcli.terminal import console

    psf = parse_or_random(spec)
    if isinstance(psf, PSFSpec):
        psf = psf.absolute()
        psf.array()  # a file that is no PSF is refused before any work
    elif save_psf is not None:
        raise typer.BadParameter(
            "random PSFs differ from picture to picture; see the manifest", param_hint="--save-psf"
        )
    work = model.Blurrer(psf, noise, jpeg_quality, seed)
    if save_psf is not None:
        planning.check_beside(save_psf, source, target)
    if no_manifest:
        manifest.refuse_stale(source, target, shared.in_place)
    if save_psf is not None and isinstance(psf, PSFSpec) and not shared.dry_run:
        psf_files.write(save_psf, psf.array())
    listing = None if no_manifest else list_in or manifest.of_outputs(source, target, shared.in_place)
    under_way = run.transform(source, target, work, shared.settings(), {"psf": str(psf)}, shared.runner(), listing)
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
