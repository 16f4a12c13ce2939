"""The comparison on photographs, with methods that need no network."""

import numpy as np
import pytest

from deblurcli import images
from deblurcli.metrics import psnr
from tests.conftest import DATA
from training import photographs

CHOSEN = {
    "unsharp 1, 1": photographs.unsharp(1, 1),
    "unsharp 2, 1": photographs.unsharp(2, 1),
    "wiener": photographs.told("wiener"),
    "wiener, wrong": photographs.told("wiener", wrong=True),
}


@pytest.fixture(scope="module")
def gains(tmp_path_factory):
    """Of one small photograph."""
    file = tmp_path_factory.mktemp("photographs") / "a.png"
    images.write(file, images.read(DATA / "sharp" / "astronaut.png")[:96, 40:168])
    return photographs.measured([file], CHOSEN)


def test_every_blur_has_every_method_and_none_is_told_wrongly_of_no_blur(gains):
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
    assert cells["wiener"][-2] == f"{mean:+.2f}"


def test_noise_is_drawn_anew_for_every_picture_and_is_as_strong_as_said():
    sharp = np.full((200, 200, 3), 0.5, np.float32)
    one, other = (photographs.observed(sharp, None, 4 / 255, seed).pixels for seed in (0, 1))
    assert (one != other).mean() > 0.5
    assert psnr(images.to_float(one), sharp) == pytest.approx(-20 * np.log10(4 / 255), abs=0.1)
