"""The command line: gathers the commands and turns our errors into one line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from typing import Annotated, NoReturn

import typer

from deblurcli.commands import blur, compare, deblur, estimate, models, score, triage, wiener
from deblurcli.commands.help import WIDEST, Command, Commands, examples
from deblurcli.errors import DeblurError
from deblurcli.parallel import Interrupt

SETUP = 2
# The function of each command, and the examples at the end of its help; the most common jobs first.
COMMANDS = {
    "deblur": (deblur.deblur, deblur.EXAMPLES),
    "triage": (triage.triage, triage.EXAMPLES),
    "compare": (compare.compare, compare.EXAMPLES),
    "score": (score.score, score.EXAMPLES),
    "blur": (blur.blur, blur.EXAMPLES),
    "wiener": (wiener.wiener, wiener.EXAMPLES),
    "estimate": (estimate.estimate, estimate.EXAMPLES),
    "models": (models.models, models.EXAMPLES),
}
EXAMPLES = (
    ("Restore all pictures of a folder", "deblur photos restored"),
    ("See which pictures of a folder are blurred, and how", "triage photos"),
    ("See all options of a command", "deblur --help"),
)

# What the loader says of a shared library that is not there.
_NO_LIBRARY = re.compile(r"(lib[\w.+-]+\.so[.\d]*): cannot open shared object file")
# What opencv-python needs and slim containers lack, by its package in Debian.
_DEBIAN = {
    "libGL.so.1": "libgl1",
    "libxcb.so.1": "libxcb1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
}

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # panels by rich would more than double the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    epilog=examples(EXAMPLES),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"deblurcli {version('deblurcli')}")
        raise typer.Exit


@app.callback()
def deblurcli(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Blur, deblur and score pictures: single files or whole folders.

    Exit codes: 0 all went well; 1 some pictures failed, or a score is beyond a limit; 2 wrong usage or setup;
    130 interrupted.
    """


for name, (command, lines) in COMMANDS.items():
    summary = str(command.__doc__).partition("\n")[0]  # whole: typer would cut it to fit the line
    app.command(name, cls=Command, short_help=summary, epilog=examples(lines))(command)


def main() -> None:
    """Run the command line: our errors become a line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names and signs that its encoding lacks
    try:
        app(prog_name="deblurcli")
    except DeblurError as error:
        from deblurcli.terminal import messages

        messages.say(f"error: {error}")
        raise SystemExit(SETUP) from None
    except ImportError as error:
        found = _NO_LIBRARY.search(str(error))
        if found is None:
            raise
        _fail(_missing(found[1], _needed_by(error)))
    except OSError as error:  # help that found no room; what commands write they see to themselves
        if error.errno != errno.ENOSPC:
            raise
        _fail(f"standard output: {error.strerror}; free some space")
    finally:
        if Interrupt.is_urgent:
            _end_at_once()


def _end_at_once() -> NoReturn:
    """End without waiting for threads that are at work, and without a trace of what they are writing."""
    from deblurcli.pictures import storage
    from deblurcli.terminal.messages import INTERRUPTED

    storage.abandon()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, AttributeError):
            stream.flush()
    os._exit(INTERRUPTED)


def _fail(message: str) -> None:
    """End with a line on standard error; by print alone, as little may be importable."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(SETUP) from None


def _missing(library: str, package: str) -> str:
    """What to do about a shared library that a package needs."""
    remedy = "install the system package that contains it"
    if library in _DEBIAN:
        remedy = (
            f"install it (Debian and Ubuntu: apt install {_DEBIAN[library]}), or use the OpenCV that works without it "
            "(pip uninstall opencv-python, then pip install opencv-python-headless)"
        )
    return f"{library}: the system lacks this library, which {package} needs; {remedy}"


def _needed_by(error: ImportError) -> str:
    """The package whose module could not be imported, by its name at pip."""
    from importlib.metadata import packages_distributions

    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    last = "" if frame is None else frame.tb_frame.f_globals["__name__"]
    module = (error.name or last).partition(".")[0]
    return " or ".join(sorted(set(packages_distributions().get(module, [module]))))
