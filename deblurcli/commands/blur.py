"""``deblurcli blur``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deblurcli.choices import DIRECTIONS, DRAWN, PSFS, RANDOM, VARYING
from deblurcli.commands import checks, options, values
from deblurcli.commands.help import ACTION, OUTPUT

DEFAULT_LENGTH = 8.0
EXAMPLES = (
    ("Blur all pictures of a folder by a motion of 12 pixels", "blur photos moved --motion 30 --length 12"),
    (
        "Make training pairs: a random blur for each picture, noise and JPEG",
        "blur photos pairs --psf random --noise 0.01 --jpeg-quality 90",
    ),
)


@options.with_shared
def blur(
    source: options.Inputs,
    target: Path,
    gaussian: Annotated[
        float | None,
        typer.Option(
            metavar="SIGMA",
            help="Gaussian blur with this standard deviation (sigma) in pixels.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    motion: Annotated[
        str | None,
        typer.Option(
            metavar="DIRECTION",
            help=f"Motion blur: {', '.join(DIRECTIONS)}, or an angle in degrees, counter-clockwise from horizontal.",
            autocompletion=options.completed(DIRECTIONS),
            rich_help_panel=ACTION,
        ),
    ] = None,
    length: Annotated[
        float | None,
        typer.Option(
            metavar="PIXELS",
            help=f"Length of the --motion blur; {DEFAULT_LENGTH:g} pixels by default.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    defocus: Annotated[
        float | None,
        typer.Option(
            metavar="RADIUS", help="Out-of-focus blur: a disc with this radius in pixels.", rich_help_panel=ACTION
        ),
    ] = None,
    psf_spec: Annotated[
        str | None,
        typer.Option(
            "--psf",
            metavar="SPEC|FILE|random",
            parser=values.word,
            help="Any blur. SPEC is a formula such as gaussian:sigma=2,size=9, motion:length=15,angle=30, "
            "defocus:radius=3, box:size=5, trajectory:length=20,seed=7 (camera shake), "
            "paper-motion:direction=diagonal or varying:length=14,parts=1,seed=3 (motion that differs from place to "
            "place, and has no PSF). FILE is a picture or an .npy array. random draws a new PSF for each picture from "
            f"{', '.join(DRAWN)}; random:motion+defocus uses these two only, random:varying draws varying motion.",
            autocompletion=options.completed((*(f"{name}:" for name in (*PSFS, *VARYING)), RANDOM)),
            rich_help_panel=ACTION,
        ),
    ] = None,
    noise: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="SIGMA",
            help="Standard deviation of the Gaussian noise to add, where white is 1; 0.01 is 2.55 of 255 levels.",
            rich_help_panel=ACTION,
        ),
    ] = 0,
    jpeg_quality: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            metavar="N",
            help="Compress the blurred picture as JPEG of this quality, whatever format it is written in.",
            rich_help_panel=ACTION,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**32 - 1,
            metavar="N",
            help="Random seed for noise and random PSFs.",
            rich_help_panel=ACTION,
        ),
    ] = 0,
    save_psf: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=values.place,
            help="Write the PSF to this file, as a picture or an .npy array.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    list_in: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="FILE.jsonl",
            parser=values.place,
            help="Write the manifest, which lists the PSF of each picture, to this file. By default it is "
            "manifest.jsonl in the output folder.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    no_manifest: Annotated[
        bool, typer.Option("--no-manifest", help="Do not write a manifest.", rich_help_panel=OUTPUT)
    ] = False,
    *,
    shared: options.Shared,
) -> None:
    """Blur sharp pictures, for tests and training.

    Choose the blur with one of --gaussian, --motion, --defocus and --psf. Each of them is a point spread function
    (PSF): it describes how one point of light is smeared. PSFs are centred, so the picture does not shift; only
    paper-motion keeps the off-centre PSFs of the paper. --psf varying makes motion that no PSF describes: the camera
    turns, and parts of the picture move. Noise is added after the blur; JPEG compression comes last.
    """
    checks.check_streams(source, target, shared)
    spec = _spec(gaussian, motion, length, defocus, psf_spec)

    from deblurcli.batch import manifest, refusals, run
    from deblurcli.blur import psf_files
    from deblurcli.blur.blurrer import Blurrer
    from deblurcli.blur.psf import PSFSpec, parse_or_random
    from deblurcli.terminal import console

    psf = parse_or_random(spec)
    if isinstance(psf, PSFSpec):
        psf = psf.absolute()
        if psf.has_psf:
            psf.array()  # a file that is no PSF is refused before any work
        elif save_psf is not None:
            raise typer.BadParameter(
                "motion that varies over the picture has no PSF; leave it out", param_hint="--save-psf"
            )
    elif save_psf is not None:
        raise typer.BadParameter(
            "a random PSF differs from picture to picture; the manifest lists them all", param_hint="--save-psf"
        )
    work = Blurrer(psf, noise, jpeg_quality, seed)
    if save_psf is not None:
        refusals.check_beside(save_psf, source, target)
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
        "--gaussian": None if gaussian is None else f"gaussian:sigma={gaussian}",
        "--motion": None if motion is None else f"motion:length={pixels},angle={motion}",
        "--defocus": None if defocus is None else f"defocus:radius={defocus}",
        "--psf": psf,
    }
    specs = [spec for spec in given.values() if spec is not None]
    if len(specs) != 1:
        raise typer.BadParameter("give exactly one of them", param_hint=", ".join(given))
    if length is not None and motion is None:
        raise typer.BadParameter("is for --motion only; add --motion or leave --length out", param_hint="--length")
    return specs[0]
