"""What `triage` says of pictures whose blur is known, and that `deblur` says and does the same."""

import csv
import io
import json
import re
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from deblurcli import choices
from deblurcli.blur import psf
from deblurcli.blur.families import gaussian
from deblurcli.blur.model import blur
from deblurcli.choices import COURSES, VERDICTS
from deblurcli.estimation.estimate import Estimate
from deblurcli.pictures import images
from deblurcli.pipeline.sources import BLINDLY, LEAVE, UNDO, Finding
from deblurcli.pipeline.triage import COSTS, cost
from deblurcli.pipeline.verdicts import spread, verdict
from deblurcli.reports import diagnoses
from deblurcli.reports.diagnoses import Diagnosis
from deblurcli.terminal.triage import as_csv
from tests.shell import messages, run

SPECS = {"a/line": "motion:15,angle=30", "soft": "gaussian:2", "slight": "gaussian:1", "disc": "defocus:4"}


@pytest.fixture(scope="module")
def folder(sharp, tmp_path_factory):
    """A folder with pictures of most verdicts, one of them in a subfolder, and a file that is no picture."""
    place = tmp_path_factory.mktemp("triage")
    noise = np.random.default_rng(0)
    for name, spec in SPECS.items():
        seen = blur(sharp, psf.parse(spec).array())
        images.write(place / "in" / f"{name}.png", seen + noise.normal(0, 0.004, seen.shape).astype(np.float32))
    images.write(place / "in" / "sharp.png", sharp)
    images.write(place / "in" / "noise.png", noise.random((90, 80, 3), np.float32))
    (place / "in" / "broken.jpg").write_bytes(b"no picture")
    return place


@pytest.fixture(scope="module")
def told(folder):
    """What a triage of the folder prints, as JSON."""
    done = run("triage", "in", "--json", cwd=folder)
    assert done.returncode == 1 and "broken.jpg" in messages(done)[0]
    return json.loads(done.stdout)


def test_the_verdicts_are_right_and_the_worst_comes_first(told):
    assert [(each["name"], each["verdict"]) for each in told["files"]] == [
        ("a/line.png", "motion"), ("disc.png", "defocus"), ("soft.png", "soft"),
        ("slight.png", "slightly-soft"), ("noise.png", "unsure"), ("sharp.png", "sharp"),
    ]  # fmt: skip
    sizes = {each["name"]: each["pixels"] for each in told["files"]}
    assert sizes["a/line.png"] == pytest.approx(15, abs=1) and sizes["disc.png"] == pytest.approx(8, abs=1)
    assert sizes["slight.png"] == pytest.approx(2.36, abs=0.5) and sizes["sharp.png"] == 0
    assert told["verdicts"] == {**dict.fromkeys(VERDICTS, 1), "shaken": 0} and told["acted_on"] == 5
    assert len(told["errors"]) == 1


def test_deblur_finds_and_does_the_same(folder, told):
    assert run("deblur", "in", "out", "--report", "r.jsonl", "-q", cwd=folder).returncode == 1
    rows = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()][:-1]
    done = {Path(row["input"]).relative_to("in").as_posix(): row for row in rows if row["status"] == "done"}
    methods = dict(zip(COURSES, ("refine", "photo", "none")))
    for each in told["files"]:
        row = done.pop(each["name"])
        assert (row["verdict"], row["pixels"], row["psf"]) == (each["verdict"], each["pixels"], each["spec"])
        assert (row["family"], row["confidence"]) == (each["family"], each["confidence"])
        assert row["method"] == methods[each["course"]]
    assert not done


@pytest.fixture(scope="module")
def few(folder):
    """A sharp picture and a moved one, in a subfolder."""
    for name in ("a/line.png", "sharp.png"):
        (folder / "few" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "in" / name, folder / "few" / name)
    return folder / "few"


def test_there_is_a_line_for_each_picture_and_a_summary(few):
    done = run("triage", few)
    assert done.returncode == 0
    lines = [re.split(" {2,}", line.strip()) for line in done.stdout.decode().splitlines()]
    assert lines == [
        ["picture", "what it shows", "deblur would", "cost"],
        ["a/line.png", "motion blur, 15 pixels", "undo it", lines[1][-1]],
        ["sharp.png", "sharp", "leave it"],
    ]
    assert re.fullmatch(r"~ \d+ s", lines[1][-1])
    assert messages(done)[:2] == ["triage: 1 × motion blur", "triage: 1 × sharp"]
    assert messages(done)[2].startswith("triage: deblur would restore 1 of 2 pictures, in about ")


def test_csv_holds_what_json_holds(told):
    some = [Diagnosis(**{field.name: each[field.name] for field in fields(Diagnosis)}) for each in told["files"]]
    rows = list(csv.DictReader(io.StringIO(as_csv(some))))
    assert [{**row, "spec": row["spec"] or "None"} for row in rows] == [
        {name: str(value) for name, value in each.items() if name != "words"} for each in told["files"]
    ]


def test_pictures_go_into_folders_by_verdict(few, tmp_path):
    def files(place):
        return {path.relative_to(place).as_posix() for path in place.rglob("*.*")}

    expected = {"motion/a/line.png", "sharp/sharp.png"}
    shutil.copytree(few, tmp_path / "in")
    done = run("triage", "in", "--copy", "sorted", "-q", cwd=tmp_path)
    assert done.returncode == 0 and files(tmp_path / "sorted") == expected and len(files(tmp_path / "in")) == 2
    done = run("triage", "in", "--move", "sorted", "-q", cwd=tmp_path)
    assert done.returncode == 1 and len(files(tmp_path / "in")) == 2, "all places are taken"
    assert "error: in/a/line.png: not moved, as sorted/motion/a/line.png exists already" in messages(done)[0]
    done = run("triage", "in", "--move", "moved", "--csv", cwd=tmp_path)
    assert done.returncode == 0 and not files(tmp_path / "in") and files(tmp_path / "moved") == expected
    assert len(done.stdout.splitlines()) == 3


def test_scripts_can_ask_for_verdicts(folder):
    for names, code in (("sharp,shaken", 0), ("blurred", 1)):
        done = run("triage", "in/a", "--fail-on", names, "-q", cwd=folder)
        assert done.returncode == code and done.stdout == b"", names
    assert messages(done) == ["triage: 1 picture is what --fail-on names", "  line.png: motion blur, 15 pixels"]


@pytest.mark.parametrize(
    "options, message",
    [
        (["in", "--fail-on", "blury"], "'blury' is unknown; choose one of blurred"),
        (["in", "--json", "--csv"], "give either --json or --csv"),
        (["in", "--copy", "x", "--move", "y"], "give either --copy or --move"),
        (["in", "--copy", "in/sorted"], "name a place elsewhere"),
        (["missing"], "no such file or folder"),
        (["-", "--move", "x"], "standard input has no file name"),
    ],
)
def test_what_makes_no_sense_is_refused(folder, options, message):
    done = run("triage", *options, cwd=folder, stdin=b"x")
    assert done.returncode == 2 and message in " ".join(done.stderr.decode().split()) and done.stdout == b""
    assert not (folder / "x").exists() and not (folder / "in" / "sorted").exists()


def found(family, confidence, **values):
    psf = values.pop("psf", np.ones((1, 1)))
    return Estimate(None, psf, confidence, family, tuple(values.items()))


PATH, DOT = np.pad(np.full((3, 21), 1 / 63), 4), gaussian(1)


@pytest.mark.parametrize(
    "estimate, expected, size",
    [
        (found("none", 0.7), "sharp", 0),
        (found("none", 0.3), "unsure", 0),
        (found("motion", 0.9, length=12.0, angle=3.0), "motion", 12),
        (found("motion", 0.7, length=12.0, angle=3.0), "unsure", 12),
        (found("motion", 0.9, length=2.5, angle=3.0), "slightly-soft", 2.5),
        (found("defocus", 0.9, radius=4.0), "defocus", 8),
        (found("gaussian", 0.9, sigma=1.0), "slightly-soft", 2.355),
        (found("gaussian", 0.9, sigma=2.0), "soft", 4.71),
        (found("general", 0.9, psf=PATH), "shaken", 21),
        (found("general", 0.79, psf=PATH), "unsure", 21),
        (found("general", 0.9, psf=DOT), "slightly-soft", 2.355),
    ],
)
def test_an_estimate_has_one_verdict_and_one_size(estimate, expected, size):
    assert verdict(estimate) == expected and spread(estimate) == pytest.approx(size, abs=0.01)


def test_what_deblur_does_follows_from_the_finding():
    assert Finding(np.ones((3, 3)) / 9, {}).course == UNDO
    assert Finding(None, {}, sharpness=1.0).course == LEAVE
    assert Finding(None, {}).course == BLINDLY
    assert set(COSTS) == set(COURSES)
    assert cost(Finding(None, {}), 12) > cost(Finding(None, {}), 1) > cost(Finding(None, {}, sharpness=1.0), 1)


def test_every_verdict_has_words_and_the_worst_come_first():
    assert tuple(diagnoses.WORDS) == VERDICTS == choices.VERDICTS
    some = [
        Diagnosis(name, verdict, "none", size, None, 0.9, LEAVE, 1.0, 10, 10)
        for name, verdict, size in (("a", "sharp", 0), ("b", "unsure", 50), ("c", "soft", 4), ("d", "shaken", 20))
    ]
    assert [each.name for each in diagnoses.worst_first(some)] == ["d", "c", "b", "a"]
    assert diagnoses.meant(["blurred", "unsure"]) == set(VERDICTS) - {"sharp"}
