"""The entry point of ``deblurcli`` and ``python -m deblurcli``."""

import faulthandler
import gc
import io
import os
import sys

INTERRUPTED, _STDERR = 130, 2
_SELDOM = 50_000  # objects made between two searches for cycles: at Python's 700 these are an eighth of the start


def main() -> None:
    """Run the command line; an interrupt while it still loads ends it like any other, without a traceback."""
    try:
        gc.set_threshold(_SELDOM)
        _hush_libraries()
        from deblurcli.cli import main as run

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _hush_libraries() -> None:
    """Send what decoders in C write of damaged files nowhere: only Python's own messages reach standard error.

    A crash of such a library still shows where it happened.
    """
    own = sys.stderr
    if not isinstance(own, io.TextIOWrapper) or own.fileno() != _STDERR:
        return
    kept = os.fdopen(os.dup(_STDERR), "w", 1, own.encoding, own.errors)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    sys.stderr = sys.__stderr__ = kept
    faulthandler.enable(kept)


if __name__ == "__main__":
    main()
