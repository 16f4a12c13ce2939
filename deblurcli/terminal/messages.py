"""Lines on stderr, data on stdout, and the exit codes that go with them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from deblurcli.errors import DeblurError

MOST_ERRORS = 20
WIDEST = 1000  # of a table that is read by a program
OK, PARTLY, INTERRUPTED = 0, 1, 130


@cache
def stderr() -> Console:
    """The one console for messages, so that a line printed over a progress bar does not break it."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def say(message: str) -> None:
    """One line to stderr; control characters, which file names may hold, are shown as escapes."""
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)
    stderr().print(shown, markup=False)


def emit(data: str | Table) -> None:
    """Data to stdout, off a terminal as wide as it is; DeblurError when it cannot be written there."""
    if sys.stdout is None:
        raise DeblurError("standard output is closed; leave it open, or use --quiet")
    try:
        if isinstance(data, str):  # as it is: rich would drop control characters, which CSV may hold
            sys.stdout.write(f"{data}\n")
        else:
            Console(highlight=False, emoji=False, width=_width()).print(data, markup=False)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DeblurError(f"standard output: cannot be written ({error.strerror}); send it elsewhere") from error


def fits(table: Table, least_name: int = 12) -> bool:
    """Whether stdout is wide enough for all columns but the first to be shown uncut, and so much of the first."""
    texts = ((column.header, *column.cells) for column in table.columns[1:])
    needed = least_name + sum(max(cell_len(str(text)) for text in column) for column in texts) + 3 * len(table.columns)
    return needed < Console(width=_width()).width


def _width() -> int | None:
    """How wide a table may be: what rich finds where people look, and all it needs where a program reads."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDEST


def list_errors(errors: Sequence[str]) -> None:
    """The first of the errors to stderr, and how many more there are."""
    for error in errors[:MOST_ERRORS]:
        say(f"error: {error}")
    if len(errors) > MOST_ERRORS:
        say(f"error: … and {len(errors) - MOST_ERRORS} more")


def counted(count: int, what: str) -> str:
    """A number of things, as people write it."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
