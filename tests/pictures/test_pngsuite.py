"""The pictures of libpng's part of the PNG suite, exactly as Pillow reads them."""

import io
import zipfile

import numpy as np
import PIL.Image
import pytest

from deblurcli.pictures import images
from tests.bench.reading import beside
from tests.conftest import DATA

with zipfile.ZipFile(DATA / "pngsuite.zip") as _suite:
    FILES = {name: _suite.read(name) for name in _suite.namelist() if name.endswith(".png")}


@pytest.mark.parametrize("name", FILES)
def test_it_is_read_as_pillow_reads_it(name):
    """Where Pillow has no mode for 16 bits it gives the upper 8."""
    mine, theirs = images.decode(FILES[name]), beside.pillow(FILES[name])
    top = round(1 / theirs.step)
    down = 8 if mine.pixels.dtype == np.uint16 and top == 255 else 0
    colours = np.broadcast_to(mine.pixels, theirs.colours.shape) >> down
    np.testing.assert_array_equal(colours, np.rint(theirs.colours * top))
    alpha = np.full(theirs.alpha.shape, top) if mine.alpha is None else mine.alpha >> down
    np.testing.assert_array_equal(alpha, np.rint(theirs.alpha * top))


@pytest.mark.parametrize("name", FILES)
def test_it_is_written_as_it_was(name):
    """No sample changes on the way to another PNG file, and its size and depth stay."""
    read = images.decode(FILES[name])
    written = images.encode(read, "png")
    assert images.decode(written).equals(read)
    with PIL.Image.open(io.BytesIO(FILES[name])) as before, PIL.Image.open(io.BytesIO(written)) as after:
        assert before.size == after.size and before.info.get("gamma") == after.info.get("gamma")


def test_a_picture_stored_interlaced_is_the_same():
    pairs = [name for name in FILES if f"i{name}" in FILES]
    assert len(pairs) > 15
    for name in pairs:
        one, other = images.decode(FILES[name]), images.decode(FILES[f"i{name}"])
        np.testing.assert_array_equal(one.pixels, other.pixels)
