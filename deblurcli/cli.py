"""The command line: gathers the commands and turns our errors into one line and an exit code."""

from __future__ import annotations

import errno
import io
import sys
from typing import Annotated

import typer

from deblurcli.commands.blur import blur
from deblurcli.commands.compare import compare
from deblurcli.commands.deblur import deblur
from deblurcli.commands.estimate import estimate
from deblurcli.commands.models import models
from deblurcli.commands.score import score
from deblurcli.commands.wiener import wiener
from deblurcli.errors import DeblurError

SETUP = 2
COMMANDS = {
    "blur": blur,
    "deblur": deblur,
    "wiener": wiener,
    "score": score,
    "compare": compare,
    "estimate": estimate,
    "models": models,
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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
    """Blur, deblur and score pictures, one by one or folders at a time.

    Exit codes: 0 all good, 1 some files failed or a limit was not kept, 2 wrong usage or setup, 130 interrupted.
    """


for name, command in COMMANDS.items():
    app.command(name)(command)


def main() -> None:
    """Run the command line: our errors become a line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names and signs that its encoding lacks
    try:
        app(prog_name="deblurcli")
    except DeblurError as error:
        from deblurcli.terminal import console

        console.say(f"error: {error}")
        raise SystemExit(SETUP) from None
    except OSError as error:  # help that found no room; what commands write they see to themselves
        if error.errno != errno.ENOSPC:
            raise
        print(f"error: standard output: {error.strerror}; free some space", file=sys.stderr)
        raise SystemExit(SETUP) from None
