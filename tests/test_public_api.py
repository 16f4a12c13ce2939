"""The library as its users see it: checked at the door, whole, and typed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deblurcli

PSF = deblurcli.parse_psf("motion:length=5,angle=30").array()
TAKE_IMAGES = {
    "adjust_psf": lambda image: deblurcli.adjust_psf(image, deblurcli.parse_psf("motion:length=5,angle=30")),
    "blur_image": lambda image: deblurcli.blur_image(image, PSF),
    "estimate_psf": deblurcli.estimate_psf,
    "noise_to_signal": deblurcli.noise_to_signal,
    "restorer": lambda image: deblurcli.restorer("faces").restore(image),
    "richardson_lucy": lambda image: deblurcli.richardson_lucy(image, PSF),
    "score_images": lambda image: deblurcli.score_images(image, image),
    "show": lambda image: deblurcli.show(before=image),
    "sparse": lambda image: deblurcli.sparse(image, PSF),
    "wiener": lambda image: deblurcli.wiener(image, PSF),
    "write_image": lambda image: deblurcli.write_image("never-written.png", image),
}
WRONG = {
    "NaN": (np.nan, "NaN or infinite; replace it"),
    "infinity": (-np.inf, "NaN or infinite; replace it"),
    "0 to 255": (200.0, r"samples reach 200, but a float image is in \[0, 1\]; divide by 255"),
}


@pytest.mark.parametrize("function", TAKE_IMAGES)
@pytest.mark.parametrize("wrong", WRONG)
def test_every_function_that_takes_an_image_refuses_one_that_is_none(function, wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value, message = WRONG[wrong]
    image = np.full((64, 64, 3), 0.5)
    image[3, 4, 1] = value
    with pytest.raises(deblurcli.ImageError, match=message):
        TAKE_IMAGES[function](image)
    assert not list(tmp_path.iterdir())


def test_a_float_that_is_a_little_out_of_range_is_taken():
    image = np.full((16, 16, 3), 1.02)
    image[3] = -0.01
    assert deblurcli.blur_image(image, PSF).max() == pytest.approx(1.02)


def test_the_ratio_of_an_estimate_is_that_of_the_picture_made_safer(sharp):
    noisy = deblurcli.blur_image(sharp, PSF) + np.random.default_rng(0).normal(0, 0.01, sharp.shape)
    found = deblurcli.estimate_psf(noisy)
    assert deblurcli.noise_to_signal(noisy, found) == pytest.approx(3 * deblurcli.noise_to_signal(noisy), rel=0.3)
    assert deblurcli.trusted(found) and not deblurcli.is_sharp(found)
    assert str(found.spec).startswith("motion:")


SCRIPT = """
from pathlib import Path

import deblurcli


def main(source: Path, reference: Path, target: Path) -> float:
    blurred = deblurcli.read_image(source)
    found: deblurcli.Estimate = deblurcli.estimate_psf(blurred)
    ratio: float = deblurcli.noise_to_signal(blurred, found)
    restored = deblurcli.restorer("photo").restore(blurred)
    if deblurcli.trusted(found):
        restored = deblurcli.wiener(blurred, found.psf, ratio)
    spec: deblurcli.PSFSpec = deblurcli.parse_psf("gaussian:2")
    again = deblurcli.richardson_lucy(blurred, spec.array(), deblurcli.DeconvolutionOptions(iterations=5))
    deblurcli.write_image(target, restored, depth=16)
    scores: dict[str, float] = deblurcli.score_images(restored, deblurcli.read_image(reference))
    return scores["psnr"] + float(again.mean())
"""
CHECKERS = {
    "pyright": ["-m", "pyright", "--pythonpath", sys.executable],
    "mypy": ["-m", "mypy", "--strict", "--no-incremental", "--follow-imports", "silent"],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_user_s_script_passes_the_type_checkers(checker, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, *CHECKERS[checker], "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_user_s_script_with_a_fault_does_not_pass(tmp_path):
    """Otherwise the test above could not fail."""
    (tmp_path / "script.py").write_text("import deblurcli\n\nfound: int = deblurcli.parse_psf('box:3')\n")
    for options in CHECKERS.values():
        done = subprocess.run([sys.executable, *options, "script.py"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1 and "int" in done.stdout


def test_the_script_runs(tmp_path):
    data = Path(__file__).parent / "data"
    scope: dict = {}
    exec(SCRIPT, scope)
    made = scope["main"](data / "blurred" / "cat.png", data / "sharp" / "cat.png", tmp_path / "out.png")
    assert made > 20 and deblurcli.read_image(tmp_path / "out.png").shape[2] == 3
