"""The drawing of contact sheets: geometry, scaling, text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.reports import drawing
from deblurcli.reports.drawing import Cell

RNG = np.random.default_rng(0)


def noise(height, width, channels=3, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


def strip(*sizes, label=("PSNR 30.00 dB",)):
    return [Cell(noise(*size), label) for size in sizes]


def inked(part):
    """Whether a part of a sheet holds dark pixels."""
    return bool((part.max(axis=2) < 90).any())


@given(st.integers(1, 60), st.integers(1, 60), st.integers(8, 40), st.sampled_from([1, 3]))
def test_pictures_fit_their_cell_and_small_ones_grow_by_whole_factors(height, width, room, channels):
    picture = noise(height, width, channels)
    shown = drawing.reduced(picture, None, room)
    assert shown.dtype == np.uint8 and shown.shape[2] == 3
    assert shown.shape[1] <= room and shown.shape[0] <= drawing.TALLEST * room
    if width <= room and height <= drawing.TALLEST * room:
        factor = min(room // width, drawing.TALLEST * room // height)
        assert shown.shape[:2] == (height * factor, width * factor)
        np.testing.assert_array_equal(shown[::factor, ::factor], np.broadcast_to(picture, (height, width, 3)))
        np.testing.assert_array_equal(shown[factor - 1 :: factor, factor - 1 :: factor], shown[::factor, ::factor])


def test_a_larger_picture_is_the_mean_of_areas():
    picture = noise(40, 60)
    means = picture.reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))
    assert np.abs(drawing.reduced(picture, None, 30) - means).max() <= 0.5
    part = np.pad(picture, ((3, 0), (5, 0), (0, 0)))[3:, 5:]  # as a crop is, not in one piece
    np.testing.assert_array_equal(drawing.reduced(part, None, 30), drawing.reduced(picture, None, 30))


def test_sixteen_bits_are_shown_by_their_upper_eight():
    picture = noise(10, 10)
    np.testing.assert_array_equal(drawing.reduced(picture.astype(np.uint16) * 257, None, 10), picture)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparency_lies_over_a_checkerboard(channels, dtype):
    top = np.iinfo(dtype).max
    alpha = np.full((32, 32), top, dtype)
    alpha[:, 16:] = 0
    shown = drawing.reduced(np.zeros((32, 32, channels), dtype), alpha, 32)
    assert not shown[:, :16].any()
    assert shown[0, 16].tolist() == [255] * 3 and shown[0, 24].tolist() == [220] * 3 == shown[8, 16].tolist()


def test_colours_under_transparency_do_not_bleed():
    pixels, alpha = np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 255, np.uint8)
    pixels[:, 33:, 0], alpha[:, 33:] = 255, 0
    shown = drawing.reduced(pixels, alpha, 32).astype(int)
    np.testing.assert_array_equal(shown[..., 0], shown[..., 1])


def test_pictures_stand_unaltered_in_columns_under_titles():
    strips = [strip((50, 100), (50, 100), (50, 100)), strip((80, 60), (80, 60), (40, 100))]
    made = drawing.grid(strips, 100)
    drawn = drawing.draw(strips, ["blurred", "restored", "sharp"], 100)
    assert made.column == 100 and drawn.shape[1] == made.width
    top = made.heading
    assert inked(drawn[:top])
    for row in strips:
        above = made.above(row)
        for centre, cell in zip(made.centres, row):
            tall, wide = cell.picture.shape[:2]
            left = centre - wide // 2
            np.testing.assert_array_equal(drawn[top + above :, left : left + wide][:tall], cell.picture)
            assert inked(drawn[top : top + above, left : left + wide])
            assert (drawn[top + above - 1, left : left + wide] == drawing.FRAME).all()
        top += above + made.below(row) + made.ems(drawing.ROW_GAP)
    assert drawn.shape[0] == top - made.ems(drawing.ROW_GAP) + made.ems(drawing.MARGIN)
    margin = made.ems(drawing.MARGIN) - 1
    for edge in (drawn[:margin], drawn[-margin:], drawn[:, :margin], drawn[:, -margin:]):
        assert (edge == 255).all()


def test_labels_get_more_lines_in_narrow_columns():
    parts = ("SSIM 0.8944", "PSNR 30.35 dB", "MAE 0.01234")
    wide, narrow = (drawing.grid([strip((20, width), label=parts)], width) for width in (1200, 64))
    row = strip((20, 64), label=parts)
    assert [len(wide.lines(row)[0]), len(narrow.lines(row)[0])] == [1, 3]
    assert narrow.column >= drawing.extent("PSNR 30.35 dB", narrow.em)


def test_a_missing_picture_is_a_pale_field_with_a_note():
    drawn = drawing.draw([[*strip((60, 100)), Cell(None, note="cannot be read")]], ["a", "b"], 100)
    made = drawing.grid([[*strip((60, 100)), Cell(None)]], 100)
    field = drawn[
        -made.ems(drawing.MARGIN) - 60 : -made.ems(drawing.MARGIN), made.centres[1] - 50 : made.centres[1] + 50
    ]
    assert (field[:5] == drawing.BLANK).all() and (field < 200).any()


def test_warnings_are_red():
    drawn = drawing.draw([[Cell(noise(5, 5) * 0, ("64×48, not 96×72",), warns=True)]], ["a"], 100).astype(int)
    assert (drawn[..., 0] - drawn[..., 1] > 100).any()


@given(st.text(max_size=60), st.integers(30, 300), st.sampled_from([11, 16, 40]))
def test_any_text_can_be_drawn_and_fits(text, room, em):
    fitted = drawing.shortened(drawing.plain(text), room, em)
    assert drawing.extent(fitted, em) <= max(room, drawing.extent("…", em))
    drawing.draw([[Cell(noise(5, 5), (text,))]], [text], 64)


def test_names_keep_both_ends_and_their_accents():
    assert drawing.shortened("short", 200, 16) == "short"
    fitted = drawing.shortened("a/very/long/path/to/a/picture/of-the-cat-0001", 200, 16)
    assert fitted.startswith("a/very") and fitted.endswith("0001") and "…" in fitted
    assert drawing.plain("u\u0308ber\n\udcff") == "über??"
    known = {drawing.draw([[Cell(noise(1, 1) * 0)]], [text], 64).tobytes() for text in ("\uffff", "é", "日", "×")}
    assert len(known) == 4
