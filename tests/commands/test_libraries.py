"""Shared libraries that a system lacks end in one line, whichever package needs them."""

import os

import pytest

from tests.conftest import DATA
from tests.shell import messages, run

LINES = {
    "deblur": [DATA / "blurred", "out"],
    "score": [DATA / "blurred", DATA / "sharp"],
}
GL = (
    "the system lacks this library, which opencv-python needs; install it (Debian and Ubuntu: apt install libgl1), or "
    "use the OpenCV that works without it (pip uninstall opencv-python, then pip install opencv-python-headless)"
)


@pytest.fixture
def without(tmp_path):
    """A function that runs a line where a module cannot be imported, for the reason given."""

    def lacking(module, reason, *line):
        (tmp_path / f"{module}.py").write_text(f"raise ImportError({reason!r})")
        return run(*line, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})

    return lacking


@pytest.mark.parametrize("command", LINES)
def test_opencv_without_its_libraries_says_both_remedies(command, without):
    reason = "libGL.so.1: cannot open shared object file: No such file or directory"
    done = without("cv2", reason, command, *LINES[command])
    assert done.returncode == 2 and done.stdout == b"" and messages(done) == [f"error: libGL.so.1: {GL}"]


@pytest.mark.parametrize("command", LINES)
def test_any_other_library_is_named_with_the_package_that_needs_it(command, without):
    done = without("tifffile", "libzstd-1.so.5.2: cannot open shared object file: No such", command, *LINES[command])
    assert done.returncode == 2 and messages(done) == [
        "error: libzstd-1.so.5.2: the system lacks this library, which tifffile needs; install the system package that "
        "contains it"
    ]


def test_other_failures_of_imports_keep_their_traceback(without):
    done = without("cv2", "something else", "deblur", *LINES["deblur"])
    assert done.returncode == 1 and b"Traceback" in done.stderr and b"something else" in done.stderr


@pytest.mark.parametrize("line", [["--help"], ["deblur", "--help"], ["--version"]], ids=" ".join)
def test_help_does_not_need_them(line, without):
    done = without("cv2", "libGL.so.1: cannot open shared object file: No such file or directory", *line)
    assert done.returncode == 0 and done.stdout and done.stderr == b""
