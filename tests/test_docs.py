"""The README cannot drift: its reference is what --help prints, its examples run, its commands are CI's.

``python -m tests.test_docs`` writes the reference anew.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deblurcli.blur import psf
from deblurcli.cli import COMMANDS
from deblurcli.commands import options, score
from deblurcli.inference import models
from deblurcli.inference.session import AUTO, PROVIDERS
from deblurcli.metrics.table import CONVENTIONS, METRICS
from deblurcli.pictures import images
from tests.conftest import DATA, ROOT

README = ROOT / "README.md"
REFERENCE = re.compile(r"(<!-- reference -->\n).*?(<!-- end of reference -->)", re.DOTALL)


def help_of(*arguments):
    environment = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100"}
    command = [sys.executable, "-m", "deblurcli", *arguments, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def reference():
    texts = [help_of(), *(help_of(name) for name in COMMANDS)]
    titles = ["deblurcli", *(f"deblurcli {name}" for name in COMMANDS)]
    return "\n".join(f"### `{title}`\n\n```text\n{text}\n```\n" for title, text in zip(titles, texts))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_reference_is_what_help_prints():
    found = REFERENCE.search(README.read_text(encoding="utf-8")).group(0)
    assert found == f"<!-- reference -->\n{reference()}<!-- end of reference -->", "run python -m tests.test_docs"


def test_every_command_and_option_has_help():
    for name in COMMANDS:
        for line in help_of(name).splitlines():
            assert not re.fullmatch(r"  (-\w, )?--[\w-]+( \S+)?", line) or "|" in line or "SPEC" in line, line


@pytest.mark.parametrize("example", range(len(blocks("sh"))))
def test_the_examples_run(example, tmp_path):
    shutil.copytree(DATA / "sharp", tmp_path / "photos")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = f"set -euo pipefail\n{blocks('sh')[example]}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_python_examples_run(tmp_path):
    shutil.copytree(DATA / "blurred", tmp_path / "tests" / "data" / "blurred")
    for block in blocks("python"):
        done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_ci_runs_the_readme_s_test_command():
    command = next(line for line in README.read_text(encoding="utf-8").splitlines() if "pytest" in line)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_pictures_and_files_the_readme_shows_are_there():
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


def test_the_faces_scores_in_the_readme_are_the_card_s():
    text, scores = README.read_text(encoding="utf-8"), models.find("faces").card["scores"]
    for protocol in ("float", "8-bit"):
        for kind in ("gaussian", "motion"):
            restored = scores[protocol][kind]["restored"]
            assert f"{restored['psnr']:.2f} / {restored['ssim']:.4f}" in text


def test_the_table_of_metrics_is_the_library_s():
    text = README.read_text(encoding="utf-8")
    for name, metric in METRICS.items():
        better = "higher" if metric.higher_is_better else "lower"
        unit, side = metric.unit or "–", "1" if metric.smallest == 1 else str(metric.least_side())
        assert f"| `{name}` | {unit} | {better} | {side} | {metric.definition} | {metric.source} |" in text, name


def test_the_script_with_gates_fails_when_a_gate_does(tmp_path):
    script = next(block for block in blocks("sh") if block.startswith("#!"))
    assert "--fail-under psnr=" in script
    shutil.copytree(DATA / "sharp", tmp_path / "photos")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for limit, code in (("28", 0), ("50", 1)):
        text = re.sub(r"psnr=28", f"psnr={limit}", script, count=1)
        done = subprocess.run(["bash", "-c", text], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert ("gate failed: the mean psnr is" in done.stderr) == bool(code)
        assert ("good enough" in done.stdout) != bool(code)
        assert (tmp_path / "report.html").stat().st_size > 50_000


def test_what_the_commands_offer_is_what_the_library_has():
    """The commands name choices without importing the tables, so that --help is quick."""
    assert set(options.FORMATS) >= set(images.FORMATS) and "png" in images.FORMATS
    assert tuple(METRICS) == score.METRICS and tuple(CONVENTIONS) == score.CONVENTIONS
    text = help_of("deblur")
    assert all(name in text for name in (AUTO, *PROVIDERS)) and "auto|NAME|FILE.onnx" in text
    assert all(name in help_of("blur") for name in psf.DIRECTIONS)


if __name__ == "__main__":
    current = README.read_text(encoding="utf-8")
    README.write_text(REFERENCE.sub(lambda found: found[1] + reference() + found[2], current), encoding="utf-8")
