"""What people may ask of `deblur` beyond its own judgement: how smooth, and although it would not act."""

import numpy as np
import pytest

from deblurcli.blur import psf
from deblurcli.blur.blurrer import Blurrer
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation.estimate import Estimate
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images, noise
from deblurcli.pictures.images import Picture
from deblurcli.pipeline import sources
from deblurcli.pipeline.restoration import Restoration
from deblurcli.pipeline.sources import FORCED, Estimated, Finding, guessed
from tests.shell import messages, run

MOTION = psf.parse("motion:length=15,angle=20")


@pytest.fixture(scope="module")
def moved():
    """A photograph after motion and noise, and the sharp one."""
    from tests.conftest import DATA

    picture = images.read_picture(DATA / "sharp" / "astronaut.png")
    return Blurrer(MOTION, noise=0.01)(picture, "a").picture, images.to_float(picture.pixels)


def estimated(confidence, family="motion"):
    spec = None if family == "none" else MOTION
    kernel = np.ones((1, 1)) if family == "none" else MOTION.array()
    return Estimate(spec, kernel, confidence, family, () if spec is None else spec.values)


def test_more_smoothing_leaves_less_noise(moved, tmp_path):
    picture, sharp = moved
    images.write_picture(tmp_path / "in.png", picture)
    found = {}
    for smooth in ("0.3", "1", "10"):
        done = run("deblur", "in.png", f"{smooth}.png", "--smooth", smooth, cwd=tmp_path)
        assert done.returncode == 0 and "straight motion" in messages(done)[1]
        found[smooth] = images.read(tmp_path / f"{smooth}.png")
    rough, plain, smoothed = (noise.noise(image) for image in found.values())
    assert rough > 1.2 * plain > 1.4 * smoothed
    assert all(psnr(image, sharp) > psnr(images.to_float(picture.pixels), sharp) for image in found.values())


@pytest.mark.parametrize(
    "smoothing, nsr, expected", [(1, 0.01, 0.01), (10, 0.01, 0.1), (0.3, 0.01, 0.003), (100, 1e3, 1e3)]
)
def test_smoothing_is_a_factor_of_the_ratio_found(smoothing, nsr, expected):
    found = Finding(MOTION.array(), {}, nsr=nsr)
    made = Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", smoothing=smoothing)
    assert made._nsr(found, found.nsr) == pytest.approx(expected)


def test_what_is_not_certain_is_undone_all_the_same_if_forced(moved):
    picture, sharp = moved
    assert guessed(picture, estimated(0.3)).psf is None
    found = guessed(picture, estimated(0.3), forced=True)
    made = Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", forced=True)(picture, "a")
    assert made.note == f"restored, {FORCED}" and made.fields["confidence"] == 0.3
    assert psnr(images.to_float(made.picture.pixels), sharp) > psnr(images.to_float(picture.pixels), sharp) + 2
    assert guessed(picture, estimated(0.95), forced=True).note == "straight motion", "certain as ever"


def test_ripples_are_kept_if_forced(moved):
    picture, _ = moved
    found = Finding(psf.parse("motion:25").array(), {}, "straight motion", nsr=1e-7, is_estimated=True)
    blind = lambda given, progress: given.with_pixels(255 - given.pixels)  # noqa: E731
    made = [
        Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", blind=blind, forced=forced)(picture, "a")
        for forced in (False, True)
    ]
    assert [each.fields["method"] for each in made] == ["photo", "wiener"]


@pytest.mark.parametrize("forced", [False, True])
def test_what_looks_sharp_is_restored_blindly_if_forced(forced, moved, monkeypatch):
    picture, _ = moved
    monkeypatch.setattr(sources.estimate, "estimate", lambda pixels: estimated(0.9, "none"))
    blind = lambda given, progress: given.with_pixels(255 - given.pixels)  # noqa: E731
    work = Restoration(Estimated(forced), DeconvolutionOptions(), "wiener", blind=blind, forced=forced)
    made = work(picture, "a")
    assert (made.picture is picture) != forced
    assert made.note == (
        "restored blindly by photo, although it looks sharp" if forced else "left unchanged, it looks sharp"
    )


def test_the_command_forces(tmp_path, sharp):
    images.write_picture(tmp_path / "a.png", Picture(images.from_float(sharp, np.uint8)))
    done = [
        run("deblur", "a.png", f"{name}.png", *more, cwd=tmp_path) for name, more in (("b", ()), ("c", ("--force",)))
    ]
    assert "left unchanged, it looks sharp" in messages(done[0])[1]
    assert "restored blindly by photo, although it looks sharp" in messages(done[1])[1]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--psf", "motion:5"], "if you know it, use deblurcli wiener IN OUT --psf SPEC --refine"),
        (["--smooth", "0"], "'--smooth'"),
        (["--smooth", "3", "--model", "photo"], "--smooth: works with --model auto only"),
        (["--force", "--model", "photo"], "--force: works with --model auto only"),
        (["--rotation", "--model", "photo"], "--rotation: works with --model auto only"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, said, folder, tmp_path):
    done = run("deblur", folder, tmp_path / "out", *arguments)
    assert done.returncode == 2 and said in messages(done)[-1] and not (tmp_path / "out").exists()
    assert "--psf" not in run("deblur", "--help").stdout.decode().partition("If you know the blur")[2]
