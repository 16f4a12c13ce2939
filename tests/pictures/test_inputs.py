"""Formats that are only read, against what their own libraries give; where those are missing, the message."""

import io
import struct
import sys

import numpy as np
import PIL.Image
import pytest

from deblurcli.batch import run
from deblurcli.batch.jobs import Options
from deblurcli.pictures import formats, images, inputs
from tests.pictures.test_hostile import tiff

BOXES = {b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"avif": "avif", b"crx ": "raw", b"isom": None}


@pytest.mark.parametrize("brand", BOXES)
def test_brands_tell_the_kind(brand):
    assert formats.sniff(b"\0\0\0\x18ftyp" + brand + bytes(4) + b"miaf" + bytes(40)) == BOXES[brand]


def test_a_further_brand_tells_avif_from_heic():
    assert formats.sniff(b"\0\0\0\x1cftypmif1" + bytes(4) + b"mif1avif" + bytes(40)) == "avif"


def dng():
    """A small DNG file: a mosaic of 12 bits, a grey ramp."""
    mosaic = np.tile(np.linspace(400, 3600, 64).astype(np.uint16), (48, 1))
    unit = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    tags = [
        (50706, 1, 4, (1, 4, 0, 0), True), (50708, 2, 0, "Test", True), (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, (0, 1, 1, 2), True), (50721, 10, 9, unit, True), (50778, 3, 1, 21, True),
        (50717, 4, 1, 4095, True), (50728, 5, 3, (1, 1, 1, 1, 1, 1), True), (271, 2, 0, "A maker", True),
    ]  # fmt: skip
    return tiff(mosaic, photometric=32803, extratags=tags, metadata=None, software=False)


RAW = {
    "dng": dng(), "cr2": b"II*\0\x10\0\0\0CR\x02\0", "raf": b"FUJIFILMCCD-RAW 0201", "rw2": b"IIU\0" + bytes(20),
    "nef": b"MM\0*" + struct.pack(">IH", 8, 3) + b"".join(
        struct.pack(">HHIHH", tag, kind, 1, 1, 0) for tag, kind in ((254, 3), (271, 3), (330, 3))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_raw_files_are_told_by_their_content(name, monkeypatch):
    assert formats.sniff(RAW[name]) == "raw"
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(images.ImageError, match=r"a\.x: is camera raw; .*pip install 'deblurcli\[raw\]'"):
        images.decode(RAW[name], "a.x")


def test_plain_tiff_is_no_raw_file():
    assert formats.sniff(tiff(np.zeros((4, 4), np.uint8), subfiletype=1)) == "tiff"


def test_a_folder_of_them_has_pictures_and_the_message_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    work = run.Plain(lambda picture: picture)
    [outcome] = run.transform(tmp_path / "in", tmp_path / "out", work, Options()).outcomes
    assert "a.HEIC: is a HEIC picture" in outcome.error and "'deblurcli[heic]'" in outcome.error
    assert outcome.job.target == tmp_path / "out" / "a.tif"


@pytest.mark.parametrize("kind", inputs.INPUTS)
def test_damage_is_an_image_error(kind):
    pytest.importorskip(inputs.INPUTS[kind].package)
    data = {"raw": dng(), "heic": b"\0\0\0\x18ftypheic" + bytes(60)}[kind]
    for cut in (len(data) // 3, len(data) - 2500 if kind == "raw" else 40):
        with pytest.raises(images.ImageError, match="cut"):
            images.decode(data[:cut], "cut")


def heic(picture, **options):
    library, written = pytest.importorskip("pillow_heif"), io.BytesIO()
    library.from_pillow(picture).save(written, quality=95, **options)
    return written.getvalue()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_heic_is_read_upright_with_what_is_beside_it(orientation, mode):
    block = PIL.Image.Exif()
    block[0x0112], block[0x010F] = orientation, "A maker"
    rows, columns = np.mgrid[:48, :64].astype(np.uint8)
    smooth = PIL.Image.fromarray(np.dstack([3 * rows, 3 * columns, rows + columns])).convert(mode)
    read = images.decode(heic(smooth, exif=block.tobytes()))
    upright = smooth.rotate(-90, expand=True) if orientation == 6 else smooth
    assert (
        read.size == upright.size and b"A maker" in read.metadata.exif and (read.alpha is not None) == (mode == "RGBA")
    )
    assert np.abs(read.pixels.astype(int) - np.asarray(upright.convert("RGB"))).mean() < 8
    again = images.decode(images.encode(read, "tiff"))
    np.testing.assert_array_equal(again.pixels, read.pixels)


def test_deep_heic_reaches_white():
    library, written = pytest.importorskip("pillow_heif"), io.BytesIO()
    ramp = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None], 3, axis=2).repeat(48, axis=0)
    library.encode("RGB;16", (64, 48), ramp.tobytes(), written, quality=95)
    read = images.decode(written.getvalue())
    assert read.pixels.dtype == np.uint16 and read.pixels.max() > 65300
    assert np.abs(read.pixels.astype(int) - ramp).mean() < 400


def test_raw_is_what_its_library_develops(tmp_path):
    library = pytest.importorskip("rawpy")
    (tmp_path / "a.dng").write_bytes(dng())
    with library.imread(io.BytesIO(dng())) as opened:
        expected = opened.postprocess(use_camera_wb=True, output_bps=16, gamma=(2.4, 12.92))
    work = run.Plain(lambda picture: picture)
    [outcome] = run.transform(tmp_path / "a.dng", tmp_path / "b.tif", work, Options()).outcomes
    assert not outcome.error
    read = images.read_picture(tmp_path / "b.tif")
    np.testing.assert_array_equal(read.pixels, expected)
    assert b"A maker" in read.metadata.exif
