"""Given PSFs, adjusted to the picture."""

import json

import numpy as np
import pytest

from deblurcli.blur import psf
from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.model import blur
from deblurcli.errors import ImageError
from deblurcli.estimation.refit import SMALLEST_SIDE, adjusted
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.sources import ADJUSTED, Given
from tests.conftest import DATA
from tests.shell import messages, run

TRUE = ("motion:length=9,angle=40", "motion:length=15,angle=160", "defocus:radius=3")
OFF = {"length": 1.0, "angle": 5.0, "radius": 0.5}
PICTURES = sorted((DATA / "sharp").glob("*.png"))


def seen(sharp, spec, dtype=np.uint8):
    noisy = blur(sharp, psf.parse(spec).array()) + np.random.default_rng(0).normal(0, 0.005, sharp.shape).astype(
        np.float32
    )
    return images.from_float(noisy, dtype)


def numbers(spec):
    return np.array([value for _, value in spec.values])


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("true", TRUE)
def test_what_is_told_a_little_wrong_is_put_right_and_what_is_right_stays(path, true):
    blurred, right = seen(images.read(path), true), psf.parse(true)
    wrong = psf.PSFSpec(right.family, tuple((name, value + OFF[name]) for name, value in right.values))
    assert adjusted(blurred, right) == right
    assert numbers(adjusted(blurred, wrong)) == pytest.approx(numbers(right), abs=0.6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_angle_is_right_across_the_turn_of_it(sharp, dtype):
    found = adjusted(seen(sharp, "motion:12,angle=178", dtype), psf.parse("motion:12,angle=-176"))
    assert 176 < dict(found.values)["angle"] < 180


@pytest.mark.parametrize("spec", ["gaussian:2.4", "box:9", "trajectory:15,seed=1", "paper-motion:diagonal"])
def test_other_families_stay(sharp, spec):
    assert adjusted(seen(sharp, spec), psf.parse(spec)) == psf.parse(spec)


@pytest.mark.parametrize("given", ["motion:8,angle=100", "motion:30,angle=40", "motion:200,angle=40", "defocus:12"])
def test_what_is_given_far_off_stays(sharp, given):
    """Nothing near it explains the picture better than no blur at all."""
    assert adjusted(seen(sharp, TRUE[0]), psf.parse(given)) == psf.parse(given)


@pytest.mark.parametrize(
    "image",
    [np.full((200, 200, 1), 128, np.uint8), np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)],
    ids=["plain", "noise"],
)
def test_what_shows_nothing_moves_nothing(image):
    assert adjusted(image, psf.parse(TRUE[0])) == psf.parse(TRUE[0])


def test_small_pictures_are_not_asked(sharp):
    small = seen(sharp, TRUE[0])[: SMALLEST_SIDE - 1]
    assert adjusted(small, psf.parse("motion:12,angle=50")) == psf.parse("motion:12,angle=50")


def test_what_is_no_image_is_refused():
    with pytest.raises(ImageError):
        adjusted(np.zeros((200, 200)), psf.parse(TRUE[0]))


def test_the_report_holds_both(sharp):
    picture = Picture(seen(sharp, TRUE[0]))
    given, true = psf.parse("motion:10,angle=45"), psf.parse(TRUE[0])
    found = Given(given, adjusts=True)(picture, "a")
    assert found.fields["given"] == found.fields["told"] == "motion:length=10,angle=45" and found.note == ADJUSTED
    assert found.fields["psf"].startswith("motion:length=8.9") and found.psf.sum() == pytest.approx(1)
    assert Given(given)(picture, "a").fields == {"psf": "motion:length=10,angle=45"}
    assert Given(true, adjusts=True)(picture, "a").fields == {"psf": str(true)}


def test_the_command_adjusts_with_refine_or_when_it_is_told(sharp, tmp_path):
    noisy = Blurrer(psf.parse(TRUE[1]), noise=0.008)(Picture(images.from_float(sharp, np.uint8)), "a").picture
    images.write_picture(tmp_path / "in.png", noisy)
    cases = {"refined": ["--refine"], "exact": ["--refine", "--exact"], "plain": [], "adjusted": ["--adjust"]}
    gains, notes = {}, {}
    for name, options in cases.items():
        report, out = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.png"
        done = run("wiener", "in.png", out, "--psf", "motion:16,angle=165", *options, "--report", report, cwd=tmp_path)
        assert done.returncode == 0
        gains[name] = psnr(images.read(out), sharp)
        notes[name] = json.loads(report.read_text().splitlines()[0]).get("note")
    note = f"restored, {ADJUSTED}"
    assert notes == {"refined": note, "exact": None, "plain": None, "adjusted": note}
    assert gains["refined"] > gains["exact"] + 1 and gains["adjusted"] > gains["plain"] + 1


@pytest.mark.parametrize("psf", ["auto", "manifest"])
def test_only_one_psf_for_all_can_be_adjusted(tmp_path, psf):
    refused = run("wiener", "in", "out", "--psf", psf, "--adjust", cwd=tmp_path)
    assert refused.returncode == 2 and "name it with --psf" in " ".join(messages(refused))
