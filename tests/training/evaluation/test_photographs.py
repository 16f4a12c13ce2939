"""The comparison on photographs, with methods that need no network."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from deblurcli.inference import models
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from tests.conftest import DATA
from training.__main__ import app
from training.evaluation import photographs

CHOSEN = {
    "unsharp 1, 1": photographs.unsharp(1, 1),
    "unsharp 2, 1": photographs.unsharp(2, 1),
    "wiener": photographs.with_psf("wiener"),
    "wiener, wrong": photographs.with_psf("wiener", wrong=True),
}


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A folder of one small photograph."""
    file = tmp_path_factory.mktemp("photographs") / "a.png"
    images.write(file, images.read(DATA / "sharp" / "astronaut.png")[:96, 40:168])
    return file.parent


@pytest.fixture(scope="module")
def gains(one):
    return photographs.measured([one / "a.png"], CHOSEN)


def test_every_blur_has_every_method_and_none_is_given_a_wrong_psf_of_no_blur(gains):
    assert set(gains) == set(photographs.BLURS)
    assert all(set(gains[name]) == {None, *CHOSEN} for name in photographs.PSFS)
    assert "wiener, wrong" not in gains[photographs.NONE] and gains[photographs.NONE]["wiener"] == 0


def test_the_wiener_filter_is_ahead_of_unsharp_masking_and_of_a_wrong_psf(gains):
    for name in photographs.PSFS:
        assert gains[name]["wiener"] > max(gains[name]["unsharp 1, 1"], gains[name]["unsharp 2, 1"])
    for name in ("motion 8, 40°", "motion 15, 20°"):
        assert gains[name]["wiener"] > gains[name]["wiener, wrong"]


def test_the_table_has_the_best_unsharp_masking_and_the_mean_of_the_eight(gains):
    head, _, *rows = photographs.table(gains).splitlines()
    cells = {row.split(" | ")[0].strip("| "): row.strip("| ").split(" | ") for row in rows}
    assert list(cells) == ["*blurred, dB*", "unsharp masking, the best for each", "wiener", "wiener, wrong"]
    best = max(gains["defocus 4"]["unsharp 1, 1"], gains["defocus 4"]["unsharp 2, 1"])
    place = head.strip("| ").split(" | ").index("defocus 4")
    assert cells["unsharp masking, the best for each"][place] == f"{best:+.2f}"
    mean = np.mean([gains[name]["wiener"] for name in photographs.PSFS])
    assert cells["wiener"][head.strip("| ").split(" | ").index("mean")] == f"{mean:+.2f}"


def test_noise_is_drawn_anew_for_every_picture_and_is_as_strong_as_said():
    sharp = np.full((200, 200, 3), 0.5, np.float32)
    one, other = (photographs.observed(sharp, None, 4 / 255, seed).pixels for seed in (0, 1))
    assert (one != other).mean() > 0.5
    assert psnr(images.to_float(one), sharp) == pytest.approx(-20 * np.log10(4 / 255), abs=0.1)


def test_what_is_left_alone_is_infinitely_near(one):
    kept = photographs.left([one / "a.png"], CHOSEN)
    assert kept["wiener"] == float("inf") and 15 < kept["unsharp 1, 1"] < 40 and "wiener, wrong" not in kept


def test_a_card_holds_what_the_table_shows(one, gains):
    kept = photographs.left([one / "a.png"], CHOSEN)
    card = json.loads(json.dumps(photographs.carded(gains, kept, 1)))
    again, left = photographs.of_cards([{"photographs": card}, {}])
    assert photographs.table(again, left) == photographs.table(gains, kept)
    other = {**card, "blurred_psnr": {**card["blurred_psnr"], "none": 1.0}}
    with pytest.raises(photographs.PhotographsError, match="different photographs"):
        photographs.of_cards([{"photographs": card}, {"photographs": other}])


def test_the_command_measures_a_network_and_what_it_is_held_against(one, identity):
    command = ["evaluate", str(identity), "--no-scores", "--photographs", str(one), "--beside", "unsharp"]
    made = json.loads(CliRunner().invoke(app, command).stdout)["photographs"]
    assert made["pictures"] == 1 and set(made["gain"]) == {
        "identity", *(f"unsharp {sigma:g}, {amount:g}" for sigma, amount in photographs.UNSHARP),
    }  # fmt: skip
    assert made["gain"]["identity"] == {name: pytest.approx(0, abs=1e-6) for name in photographs.BLURS}
    assert made["sharp_psnr"]["identity"] is None
    refused = CliRunner().invoke(app, [*command[:-1], "magic"])
    assert isinstance(refused.exception, photographs.PhotographsError) and "unsharp; wiener" in str(refused.exception)


def test_a_refining_network_is_given_the_psf_a_wrong_one_or_none():
    assert list(photographs.of_model(models.find("refine"))) == ["refine", "refine, wrong", "refine, auto"]


def test_a_picture_s_blur_is_found_once(one, monkeypatch):
    asked = []
    monkeypatch.setattr(photographs.Estimated, "__call__", lambda self, picture, key: asked.append(picture))
    once, pictures = photographs._Once(), [photographs.observed(images.read(one / "a.png"), None, 0.0)] * 2
    for picture in (*pictures, photographs.observed(images.read(one / "a.png"), None, 0.0)):
        once(picture, "")
    assert len(asked) == 2
