"""What formats cannot hold, and numbers in files that are none."""

import numpy as np
import pytest

from deblurcli.errors import ImageError
from deblurcli.pictures import images, metadata
from deblurcli.pictures.images import Picture


@pytest.mark.parametrize("shape", [(32769, 8, 3), (8, 32769, 3)])
def test_avif_that_readers_would_refuse_is_not_written(shape):
    with pytest.raises(ImageError, match=r"cannot be written as avif at .*; choose png"):
        images.encode(Picture(np.zeros(shape, np.uint8)), "avif")


def test_the_largest_avif_is_read_again():
    picture = Picture(np.full((32768, 8, 3), 128, np.uint8))
    assert images.decode(images.encode(picture, "avif")).size == (8, 32768)


@pytest.mark.parametrize(
    ("dpi", "expected"),
    [((300, 150), (300.0, 150.0)), (("x", 2), (0, 0)), (None, (0, 0)), ((float("nan"), 72), (0, 0)), ((72,), (0, 0))],
)
def test_a_resolution_that_is_no_number_is_none(dpi, expected):
    assert metadata._resolution(dpi) == expected
