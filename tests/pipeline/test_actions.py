"""What is said of a picture is what was done to it: in the report, in the summary and as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.choices import ESTIMATED, METHODS, MODELS
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.inference.restorer import refiner
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pipeline import actions
from deblurcli.pipeline.restoration import Alone, Blend, Restoration, restoration
from deblurcli.pipeline.sources import Finding
from tests.conftest import make_model
from tests.shell import messages, run

SHARP = Finding(None, {}, reason="it looks sharp", sharpness=1.0)
UNCERTAIN = Finding(None, {}, reason="its blur is uncertain")
WIDTH = 80


@pytest.fixture
def soft(sharp):
    return Picture(images.from_float(blur(sharp, families.gaussian(1.5))[:64, :64], np.uint8))


def given(options=(), **rest):
    return restoration("gaussian:1.5", DeconvolutionOptions(iterations=2), *(options or ("wiener",)), Path(), **rest)


def finding(found, **rest):
    return Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", **rest)


def lighter(picture, progress, by=8):
    return picture.with_pixels(np.minimum(picture.pixels, 247) + np.uint8(by))


WORK = {
    "none": lambda: finding(SHARP, refiner=refiner(), blind=lambda picture, progress: picture),
    "photo": lambda: finding(UNCERTAIN, refiner=refiner(), blind=lighter),
    "refine": lambda: given(refiner=refiner()),
    "faces": lambda: Alone(lambda picture, progress: picture, "faces"),
    **{method: lambda method=method: given((method,)) for method in METHODS},
}


@pytest.mark.parametrize("method", WORK)
def test_the_method_is_what_was_done(method, soft):
    assert WORK[method]()(soft, "a").fields["method"] == method


@pytest.mark.parametrize(("by", "method"), [(1, "none"), (60, "photo")])
def test_what_the_blind_network_hardly_changes_is_left(by, method):
    """Of a board of steps by 80 the mean squared gradient is 1,600 or so: one step is little of that, sixty are not."""
    board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((8, 8)))[..., None]
    dark = Picture((20 + 80 * board).astype(np.uint8))
    brighter = dark.with_pixels(dark.pixels + np.uint8(by))
    made = finding(UNCERTAIN, blind=lambda picture, progress: brighter)(dark, "a")
    assert made.fields["method"] == method
    assert made.picture.equals(dark) == (method == "none")
    assert made.note == ("left unchanged, it looks sharp" if method == "none" else made.note)


def test_what_is_not_certain_and_has_no_network_is_left(soft):
    made = finding(UNCERTAIN)(soft, "a")
    assert made.fields["method"] == "none" and made.note == "left unchanged, its blur is uncertain"


def test_a_blend_of_nothing_is_left_and_half_a_blend_is_told_as_the_whole(soft):
    none, half = (Blend(given(), strength)(soft, "a") for strength in (0, 0.5))
    assert none.picture is soft and none.fields == {"method": "none", "strength": 0}
    assert half.fields["method"] == "wiener" and half.fields["strength"] == 0.5


def test_every_family_that_is_estimated_has_words():
    assert tuple(actions.KINDS) == ESTIMATED[1:]


def test_no_line_is_wider_than_a_terminal():
    longest = "undoing its blur would add ripples"
    lines = [f"{actions.REFINED.message}, {kind}" for kind in actions.KINDS.values()]
    lines += [f"{actions.blindly(model).message}, as asked" for model in MODELS]
    lines += [f"{action.message}, {longest}" for action in (actions.LEFT, actions.blindly("photo"))]
    assert all(len(f"deblur: 99999 × {line}") <= WIDTH for line in lines)


@pytest.fixture(scope="module")
def told(sharp, tmp_path_factory):
    """A run on pictures of all kinds: its messages, its summary as JSON and its report."""
    place = tmp_path_factory.mktemp("told")
    noise = np.random.default_rng(0)
    specs = {"line": "motion:15,angle=30", "soft": "gaussian:2", "soft2": "gaussian:2.5", "disc": "defocus:4"}
    for name, spec in specs.items():
        seen = blur(sharp, psf.parse(spec).array())
        images.write(place / "in" / f"{name}.png", seen + noise.normal(0, 0.004, seen.shape).astype(np.float32))
    images.write(place / "in" / "sharp.png", sharp)
    images.write(place / "in" / "noise.png", noise.random((90, 80, 3), np.float32))
    done = run("deblur", "in", "out", "--json", "--report", "r.jsonl", cwd=place)
    assert done.returncode == 0
    rows = [json.loads(line) for line in (place / "r.jsonl").read_text().splitlines()][:-1]
    return messages(done), json.loads(done.stdout), {Path(row["input"]).stem: row for row in rows}


def test_the_summary_counts_what_was_done_and_why(told):
    lines, summary, _ = told
    expected = {
        "restored, soft blur (Gaussian)": 2,
        "left unchanged, it looks sharp": 1,
        "restored blindly by photo, it shows too little to tell its blur": 1,
        "restored, straight motion": 1,
        "restored, wrong focus (defocus)": 1,
    }
    assert lines[1:] == [*(f"deblur: {count} × {note}" for note, count in expected.items()), "deblur: 6 done"]
    assert list(summary["notes"].items()) == list(expected.items()), "the most frequent first, then by the alphabet"
    assert summary["methods"] == {"refine": 4, "none": 1, "photo": 1} and summary["done"] == 6


def test_the_report_says_it_of_each_picture(told):
    _, summary, rows = told
    found = {name: (row["method"], row["family"]) for name, row in rows.items()}
    assert found == {
        "line": ("refine", "motion"), "soft": ("refine", "gaussian"), "soft2": ("refine", "gaussian"),
        "disc": ("refine", "defocus"), "sharp": ("none", "none"), "noise": ("photo", "none"),
    }  # fmt: skip
    assert {row["note"] for row in rows.values()} == set(summary["notes"])


def test_a_network_that_was_asked_for_is_named(soft, tmp_path):
    images.write_picture(tmp_path / "a.png", soft)
    make_model(tmp_path / "mine.onnx")
    for model in ("faces", "mine.onnx"):
        done = run("deblur", "a.png", "b.png", "--model", model, "--json", "-v", "--overwrite", cwd=tmp_path)
        note = f"restored blindly by {model}, as asked"
        assert messages(done)[1:] == [f"done: a.png → b.png, {note}", f"deblur: 1 × {note}", "deblur: 1 done"]
        summary = json.loads(done.stdout)
        assert summary["methods"] == {model: 1} and summary["notes"] == {note: 1}


def test_a_known_blur_needs_no_words(soft, tmp_path):
    images.write_picture(tmp_path / "a.png", soft)
    done = run("wiener", "a.png", "b.png", "--psf", "gaussian:1.5", "--json", cwd=tmp_path)
    summary = json.loads(done.stdout)
    assert messages(done) == ["wiener: 1 done"]
    assert summary["methods"] == {"wiener": 1} and summary["notes"] == {}
