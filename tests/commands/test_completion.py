"""Completion: the scripts for shells, and what they offer."""

import os
import shutil
import subprocess
import sys

import pytest

from deblurcli import choices
from deblurcli.cli import COMMANDS
from tests.shell import run

OFFERED = {
    "": list(COMMANDS),
    "es": ["estimate"],
    "wiener --method ": list(choices.METHODS),
    "wiener in out --method ri": ["richardson-lucy"],
    "wiener --psf ": [*(f"{name}:" for name in choices.PSFS), "manifest", "auto"],
    "blur --psf v": ["varying:"],
    "blur --motion d": ["diagonal"],
    "blur --format ": list(choices.FORMATS),
    "deblur --provider c": ["cuda", "coreml", "cpu"],
    "deblur --model ": ["auto", *(name for name in choices.MODELS if name != "refine")],
    "deblur --skip": ["--skip-existing"],
    "score --metric ": list(choices.METRICS),
    "score --metric psnr,ss": ["psnr,ssim", "psnr,ssim-y"],
    "score --gate e": ["each"],
    "score --convention ": list(choices.CONVENTIONS),
    "compare --pick ": list(choices.PICKS),
    "estimate --family ": list(choices.ESTIMATED),
    "models p": ["paper-gaussian", "paper-motion", "photo", "photo-large"],
    "deblur photos/": [],
}


def completed(words, shell="bash", **environment):
    """What a shell is told about a line."""
    asked = {**os.environ, "_DEBLURCLI_COMPLETE": f"complete_{shell}", **environment}
    done = subprocess.run([sys.executable, "-m", "deblurcli"], env=asked, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("line", OFFERED)
def test_names_are_offered(line):
    words = f"deblurcli {line}"
    position = len(words.split()) - (not words.endswith(" "))
    assert completed(words, COMP_WORDS=words, COMP_CWORD=str(position)).split() == OFFERED[line]


@pytest.mark.parametrize("shell, mark", [("zsh", '"sparse"'), ("fish", "sparse")])
def test_other_shells_get_them_too(shell, mark):
    asked = {"_TYPER_COMPLETE_ARGS": "deblurcli wiener --method ", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert mark in completed("", shell, **asked)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell):
    done = run(env={**os.environ, "_DEBLURCLI_COMPLETE": f"source_{shell}"})
    assert done.returncode == 0 and b"_DEBLURCLI_COMPLETE=complete_" + shell.encode() in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash at hand")
def test_the_shell_at_hand_is_found_and_completion_installed(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path)}
    for option in ("--show-completion", "--install-completion"):
        line = ["bash", "--norc", "-c", f"{sys.executable} -m deblurcli {option}; exit $?"]
        done = subprocess.run(line, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if option == "--show-completion":
            assert "complete -o default -F _deblurcli_completion deblurcli" in done.stdout
    script = tmp_path / ".bash_completions" / "deblurcli.sh"
    assert "complete_bash" in script.read_text() and str(script) in (tmp_path / ".bashrc").read_text()
