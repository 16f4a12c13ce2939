"""The parts that the benchmarks of this folder are made of."""

import numpy as np
import pytest

from deblurcli.pictures import images
from tests.bench.shake import levin, markdown, real, rotation, tool
from tests.bench.shake.__main__ import BENCHMARKS
from tests.bench.shake.options import DATA, Options
from tests.conftest import ROOT

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the measured pictures are not in the repository")


def test_pictures_go_through_the_command_and_come_back_under_their_names(tmp_path):
    rng = np.random.default_rng(0)
    tiny = rng.integers(0, 256, (20, 24, 1), np.uint8)
    images.write(tmp_path / "photo.jpg", rng.random((40, 50, 3), np.float32))
    restored = tool.deblurred({"a b": tiny, "c": tmp_path / "photo.jpg"})
    assert list(restored) == ["a b", "c"]
    assert [each.pixels.shape for each in restored.values()] == [(20, 24, 1), (40, 50, 3)]
    assert all(each.row["status"] == "done" and each.told[0] == "none" for each in restored.values())


def test_tables_have_a_line_for_each_row():
    made = markdown.table(["picture", "PSNR"], [["a", markdown.decibels(float("inf"))], ["b", markdown.gain(-0.5)]])
    assert made.splitlines() == ["| picture | PSNR |", "|---|---|", "| a | ∞ |", "| b | -0.50 |"]
    assert markdown.share([True, False, True, True]) == "3 of 4 (75.0%)"


def test_the_error_ratio_is_that_of_squared_errors():
    scores = dict.fromkeys(levin.COLUMNS, 30.0) | {levin.FOUND: 27.0, levin.TRUE: 30.0}
    trial = levin.Trial("", scores, 1.0, None, None)  # type: ignore[arg-type]
    assert trial.ratio(levin.FOUND) == pytest.approx(10**0.3)
    assert trial.ratio(levin.FOUND_FIXED) == 1


def test_the_most_detailed_part_is_found_beside_lights():
    picture = np.full((300, 400, 3), 90, np.uint8)
    picture[200:280:4, 250:330] = 140
    picture[20:40, 20:40] = 255
    rows, columns = real.most_detailed(picture, 100)
    assert rows.start <= 200 and rows.stop >= 277 and columns.start <= 250 and columns.stop >= 330


@pytest.mark.parametrize("shape", [(90, 120, 3), (600, 800, 3), (800, 300, 1)])
def test_a_sheet_has_room_for_three_pictures_and_for_one_that_is_missing(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    sheet = real.sheet([picture, picture, None])
    wide = round(shape[1] * real.TALL / shape[0])
    assert sheet.shape[1] >= 3 * wide and sheet.shape[0] > real.TALL + min(real.CROP, shape[0])


@pytest.mark.parametrize("shape", [(720, 1280, 3), (481, 321, 3), (321, 481, 3), (600, 800, 3)])
def test_pictures_go_on_as_their_mirror_images_until_they_are_large_enough(shape):
    picture = np.random.default_rng(0).random(shape, np.float32)
    grown = rotation.continued(picture)
    height, width = (side - 2 * rotation.MARGIN for side in grown.shape[:2])
    assert height * width >= rotation.MEGAPIXELS * 1e6
    assert np.array_equal(grown[: shape[0], : shape[1]], picture)


def test_small_pictures_are_refused():
    with pytest.raises(ValueError, match="too small"):
        rotation.continued(np.zeros((60, 80, 3), np.float32))


def test_every_benchmark_is_on_the_page():
    page = (ROOT / "tests" / "bench" / "README.md").read_text(encoding="utf-8")
    assert all(f"python -m tests.bench.shake {name}" in page for name in BENCHMARKS)


@needs_data
def test_there_are_as_many_pictures_as_the_page_says():
    options = Options()
    folders = {levin.FOLDER: 32, real.BLURRED: 16, "motion/blurred": 9, "natural/val": 100}
    assert {folder: len(options.pictures(folder)) for folder in folders} == folders
    assert list(rotation.sharp_pictures(Options(first=1))) == ["374-1195"]
