"""The parts that the benchmark of text is made of."""

import shutil

import numpy as np
import pytest

from deblurcli.estimation import edges
from deblurcli.estimation.estimate import estimate, trusted
from deblurcli.pictures.luma import central_luma
from tests.bench.text import reading
from tests.bench.text.__main__ import BLURS, PAGES, blurred
from tests.bench.text.pages import FONTS, SIZES, page

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


@pytest.mark.parametrize(
    "found, written, rate",
    [
        ("sharp", "sharp", 0),
        ("shxrp", "sharp", 1 / 5),
        ("shar", "sharp", 1 / 5),
        ("a\n b  c", "a b c", 0),
        ("kitten", "sitting", 3 / 7),
        ("", "abc", 1),
        ("far too much is read here", "abc", 1),
    ],
)
def test_the_error_rate_is_the_share_of_letters_to_change(found, written, rate):
    assert reading.error_rate(found, written) == pytest.approx(rate)


def test_the_pages_have_every_font_in_every_size_and_both_kinds_of_light():
    pages = [page(index) for index in range(PAGES)]
    assert {each.name.partition("-")[2] for each in pages} == {f"{font}-{size}" for font in FONTS for size in SIZES}
    assert len({each.text for each in pages}) == PAGES
    kinds = [each.kind for each in pages]
    assert kinds.count("scanned") == kinds.count("photographed") == PAGES / 2
    for each in pages:
        assert each.pixels.shape == (400, 600, 1 if each.kind == "scanned" else 3)
        paper = np.percentile(each.pixels[..., 0], 90, axis=(0, 1)) if each.kind == "scanned" else 0
        assert each.kind == "photographed" or paper > 230
    np.testing.assert_array_equal(page(3).pixels, pages[3].pixels)


@pytest.mark.parametrize("blur", BLURS)
def test_a_blur_is_the_same_every_time_and_softens(blur):
    made, sharp = blurred(blur, 1), page(1).pixels
    np.testing.assert_array_equal(made, blurred(blur, 1))
    assert np.array_equal(made, sharp) == (blur == "sharp")


@needs_tesseract
def test_a_sharp_page_is_read_and_a_blurred_one_is_not():
    sharp = page(0)
    assert reading.error_rate(reading.read(sharp.pixels), sharp.text) < 0.01
    assert reading.error_rate(reading.read(blurred("motion", 0)), sharp.text) > 0.3


def test_shaken_thin_letters_are_not_taken_for_sharp_ones():
    shaken = blurred("shake", 2)
    assert edges.sharpness(central_luma(shaken)) > 0.4  # for all that: its thin strokes leave thin, steep lines
    found = estimate(shaken)
    assert found.family == "general" and trusted(found)
