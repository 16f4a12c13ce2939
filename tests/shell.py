"""The command line as a shell runs it, for the tests of commands."""

import re
import subprocess
import sys

TRANSFORMS = {
    "blur": ["--gaussian", "2"],
    "deblur": [],
    "wiener": ["--psf", "gaussian:sigma=2,size=9"],
}


def run(*arguments, stdin=b"", **options):
    """What ``deblurcli`` with these arguments leaves behind."""
    command = [sys.executable, "-m", "deblurcli", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, **options)


def messages(done):
    """The lines that a finished run wrote on standard error, but for how long it took."""
    return [line for line in done.stderr.decode().splitlines() if not re.match(r"\w+: took \d", line)]
