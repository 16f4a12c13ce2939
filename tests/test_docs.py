"""The documentation cannot drift: its reference is what --help prints, its examples run, its links lead somewhere.

``python -m tests.test_docs`` writes the reference anew.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import deblurcli
from deblurcli.blur import psf
from deblurcli.choices import BLIND, METHODS, REFINE
from deblurcli.cli import COMMANDS
from deblurcli.commands import options, score
from deblurcli.inference import models
from deblurcli.inference.session import AUTO, PROVIDERS
from deblurcli.metrics.table import CONVENTIONS, METRICS
from deblurcli.pictures import images, inputs
from deblurcli.pipeline import actions
from tests.conftest import DATA, ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
GUIDES = [README, *sorted(DOCS.glob("*.md"))]  # whose examples run
PAGES = [*GUIDES, ROOT / "training" / "README.md"]  # whose links are followed
REFERENCE = re.compile(r"(<!-- reference -->\n).*?(<!-- end of reference -->)", re.DOTALL)
MOST_LINES = 250  # of the README


def named(path):
    """A page's path as pytest shows it."""
    return path.relative_to(ROOT).as_posix()


def read(path):
    return path.read_text(encoding="utf-8")


def help_of(*arguments):
    environment = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100"}
    command = [sys.executable, "-m", "deblurcli", *arguments, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def reference():
    texts = [help_of(), *(help_of(name) for name in COMMANDS)]
    titles = ["deblurcli", *(f"deblurcli {name}" for name in COMMANDS)]
    return "\n".join(f"## `{title}`\n\n```text\n{text}\n```\n" for title, text in zip(titles, texts))


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE)


def examples(language):
    """Every example of the guides, under the name of its page and its number there."""
    found = [(page, index, block) for page in GUIDES for index, block in enumerate(blocks(page, language))]
    return [pytest.param(block, id=f"{named(page)}-{index}") for page, index, block in found]


def prose(page):
    """A page without its examples, whose brackets are no links."""
    return re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)


def links(page):
    """The targets of a page's links and pictures that lie in this repository."""
    return re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(page))


def anchors(page):
    """The anchors of a page's headings: lower case, spaces as hyphens, other signs left out."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def cells(row):
    """The cells of a table's row in Markdown."""
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.fixture
def pictures(tmp_path):
    """A folder where the examples find photos and, blurred, the same pictures."""
    shutil.copytree(DATA / "sharp", tmp_path / "photos")
    shutil.copytree(DATA / "blurred", tmp_path / "blurred")
    return tmp_path


def shell(script, folder):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_reference_is_what_help_prints():
    found = REFERENCE.search(read(DOCS / "commands.md")).group(0)
    assert found == f"<!-- reference -->\n{reference()}<!-- end of reference -->", "run python -m tests.test_docs"


def test_every_command_and_option_has_help():
    for name in COMMANDS:
        for line in help_of(name).splitlines():
            assert not re.fullmatch(r"  (-\w, )?--[\w-]+( \S+)?", line) or "|" in line or "SPEC" in line, line


@pytest.mark.parametrize("example", [each for each in examples("sh") if not each.values[0].startswith("#!")])
def test_the_examples_run(example, pictures):
    done = shell(f"set -euo pipefail\n{example}", pictures)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", examples("python"))
def test_the_python_examples_run(example, pictures):
    done = subprocess.run([sys.executable, "-c", example], cwd=pictures, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_ci_runs_the_readme_s_test_command():
    command = next(line for line in read(README).splitlines() if "pytest" in line)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_readme_is_short_and_shows_the_default_command_first():
    assert len(read(README).splitlines()) <= MOST_LINES
    assert blocks(README, "sh")[0].startswith("deblurcli deblur ")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_files_and_headings(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=named)
def test_every_page_says_what_it_is_for_and_can_be_found(page):
    title, blank, first = read(page).splitlines()[:3]
    assert title.startswith("# ") and not blank and first[0].isupper(), "a heading, then what the page is for"
    overview = DOCS / "README.md"
    assert page == overview or (page.name in links(overview) and f"docs/{page.name}" in links(README))


def test_the_faces_scores_are_the_card_s():
    text, scores = read(DOCS / "measured.md"), models.find("faces").card["scores"]
    for protocol in ("float", "8-bit"):
        for kind in ("gaussian", "motion"):
            restored = scores[protocol][kind]["restored"]
            assert f"{restored['psnr']:.2f} / {restored['ssim']:.4f}" in text


def test_the_key_figures_of_the_readme_are_those_of_the_table():
    """The readme has a row for each blur, the table of measurements a column."""
    text = read(DOCS / "measured.md")
    table = re.search(r"<!-- photographs -->\n(.*?)<!-- end of", text, re.DOTALL)[1].strip().splitlines()
    titles, measured = cells(table[0]), {cells(row)[0]: cells(row) for row in table[2:]}
    methods = ("*blurred, dB*", "unsharp masking, the best for each", "deblur", "refine")
    for start, blur in {
        "soft, as a Gaussian curve of sigma 2": "Gaussian 2",
        "straight motion of 15": "motion 15, 20°",
        "wrong focus, radius 4": "defocus 4",
        "camera shake made by computer, 25": "trajectory 25",
        "mean of": "mean",
    }.items():
        row = next(line for line in read(README).splitlines() if line.startswith(f"| {start}"))
        wanted = [measured[method][titles.index(blur)].replace("-0.00", "0.00") for method in methods]
        assert [cell.removesuffix(" dB") for cell in cells(row)[1:]] == wanted, blur


def test_the_table_of_metrics_is_the_library_s():
    text = read(DOCS / "scores.md")
    for name, metric in METRICS.items():
        better = "higher" if metric.higher_is_better else "lower"
        unit, side = metric.unit or "–", "1" if metric.smallest == 1 else str(metric.least_side())
        assert f"| `{name}` | {unit} | {better} | {side} | {metric.definition} | {metric.source} |" in text, name
    assert all(f"\n| `{name}`" in text for name in CONVENTIONS)


def test_the_tables_of_providers_and_formats_are_the_library_s():
    found = re.findall(r"^\| `(\w+)`(?: \(\w+\))? \| `([\w-]+)` \|$", read(DOCS / "install.md"), re.MULTILINE)
    assert found == [(name, provider.package) for name, provider in PROVIDERS.items()]
    page = read(DOCS / "formats.md")
    for name, form in images.FORMATS.items():
        bits = ", ".join(dict.fromkeys(("8", str(form.bits))))
        assert f"\n| {name.upper() if name != 'webp' else 'WebP'} | {bits} | {'yes' if form.alpha else 'no'}" in page, (
            name
        )
        assert f" | {', '.join(form.keeps) or 'none'} | " in page, name
    for each in inputs.INPUTS.values():
        listed = ", ".join(f"`{suffix}`" for suffix in each.suffixes)
        assert f" | {listed} | `pip install 'deblurcli[{each.extra}]'` |" in page


def test_the_table_of_psfs_has_every_family_its_fields_and_their_ranges():
    rows = [line for line in read(DOCS / "known-psf.md").splitlines() if line.startswith("| `")]
    for name, family in psf.FAMILIES.items():
        row = next(line for line in rows if line.startswith(f"| `{name}:"))
        for each in family.fields:
            assert f"{each.name}=" in row, f"{name}: {each.name}"
            words = [*each.choices, *each.names]
            bounds = [] if each.kind is str or each.name in ("size", "seed") else [f"{each.low:g}", f"{each.high:g}"]
            for word in (*words, *bounds):
                assert word.replace("-", "−") in row.replace("-", "−"), f"{name}: {each.name} {word}"
    assert all(name in next(line for line in rows if line.startswith("| `random`")) for name in psf.DRAWN)


def test_the_messages_that_the_guide_explains_are_those_of_the_program():
    source = "".join(read(path) for path in sorted((ROOT / "deblurcli" / "pipeline").glob("*.py")))
    blindly, specially = map(actions.blindly, ("photo", "NAME")), actions.specially("faces")
    begun = {action.message for action in (actions.LEFT, actions.REFINED, *blindly, specially)}
    messages = re.findall(r"^\| `(left|restored)(.*?)` \|", read(DOCS / "deblurring.md"), re.MULTILINE)
    assert len(messages) == 17
    for begin, detail in ("".join(message).split(", ") for message in messages):
        assert begin in begun and detail in source, f"{begin}, {detail}"
    assert {detail for _, detail in messages} >= {f", {kind}" for kind in actions.KINDS.values()}


def test_the_methods_that_reports_name_are_those_of_the_program():
    row = next(line for line in read(DOCS / "batches.md").splitlines() if line.startswith("| `method`"))
    assert set(re.findall(r"`([\w-]+)`", row)) == {"method", "none", REFINE, BLIND, *METHODS}


def test_every_public_name_is_on_the_page_for_python():
    text = read(DOCS / "python.md")
    assert all(f"`{name}`" in text for name in deblurcli.__all__)


def test_the_script_with_gates_fails_when_a_gate_does(pictures):
    script = next(block for block in blocks(DOCS / "scores.md", "sh") if block.startswith("#!"))
    assert "--fail-under psnr=" in script
    for limit, code in (("28", 0), ("50", 1)):
        done = shell(re.sub(r"psnr=28", f"psnr={limit}", script, count=1), pictures)
        assert done.returncode == code, done.stderr
        assert ("gate failed: the mean psnr is" in done.stderr) == bool(code)
        assert ("good enough" in done.stdout) != bool(code)
        assert (pictures / "report.html").stat().st_size > 50_000


def test_what_the_commands_offer_is_what_the_library_has():
    """The commands name choices without importing the tables, so that --help is quick."""
    assert set(options.FORMATS) >= set(images.FORMATS) and "png" in images.FORMATS
    assert tuple(METRICS) == score.METRICS and tuple(CONVENTIONS) == score.CONVENTIONS
    text = help_of("deblur")
    assert all(name in text for name in (AUTO, *PROVIDERS)) and "auto|NAME|FILE.onnx" in text
    assert all(name in help_of("blur") for name in psf.DIRECTIONS)


if __name__ == "__main__":
    page = DOCS / "commands.md"
    page.write_text(REFERENCE.sub(lambda found: found[1] + reference() + found[2], read(page)), encoding="utf-8")
