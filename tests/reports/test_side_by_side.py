"""`show`: images side by side under their names."""

import numpy as np
import pytest

import deblurcli
from deblurcli.pictures import images


def test_images_stand_side_by_side_pixel_for_pixel_under_titles(tmp_path):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (60, 90, 3), np.uint8), rng.random((60, 90, 1), np.float32)
    shown = deblurcli.show(blurred=first, restored=second, width=90)
    sheet = shown.pixels
    places = [place(sheet, image) for image in (first, np.repeat(images.from_float(second, np.uint8), 3, axis=2))]
    (top, left), (other_top, right) = places
    assert top == other_top > 10 and right >= left + 90
    assert (sheet[: top - 2] < 128).any(), "titles"
    shown.save(tmp_path / "sheet.png")
    np.testing.assert_array_equal(images.read_picture(tmp_path / "sheet.png").pixels, sheet)
    np.testing.assert_array_equal(images.decode(shown._repr_png_(), "notebook").pixels, sheet)


def place(sheet, image):
    """Where an image lies on a sheet: (row, column)."""
    tall, wide = image.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(sheet[..., 0], (1, wide))[:, :, 0]
    for row, column in np.argwhere((windows == image[0, :, 0]).all(axis=2)):
        if np.array_equal(sheet[row : row + tall, column : column + wide], image):
            return int(row), int(column)
    raise AssertionError("it is not there")


def test_nothing_to_show_is_said():
    with pytest.raises(deblurcli.ImageError, match="nothing to show"):
        deblurcli.show()
