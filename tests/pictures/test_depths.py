"""Samples of over 8 bits mean what their file says: every kind of it against the same samples read by hand."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile

from deblurcli.errors import ImageError
from deblurcli.pictures import formats, images
from deblurcli.pictures.images import Picture
from tests.pictures.test_hostile import chunk, tiff

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 2**16, (24, 40, 4), np.uint16)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_samples_are_widened_to_all_bits_and_back(bits):
    stored = np.arange(2**bits, dtype=np.uint16)
    wide = formats.widened(stored, bits)
    np.testing.assert_array_equal(wide, np.rint(stored / (2**bits - 1) * 65535))
    np.testing.assert_array_equal(formats.narrowed(wide, bits), stored)


@pytest.mark.skipif("avif" not in formats.FORMATS, reason="this OpenCV writes no AVIF")
@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_avif_is_as_bright_as_it_was(bits, channels):
    smooth = cv2.GaussianBlur(DEEP[..., :channels], (0, 0), 4).reshape(24, 40, channels)
    options = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
    data = cv2.imencode(".avif", smooth >> (16 - bits), options)[1].tobytes()
    read = images.decode(data)
    again = images.decode(images.encode(read, "avif", 100))
    for found in (read, again):
        assert found.pixels.dtype == np.uint16 and (found.alpha is not None) == (channels == 4)
        assert np.abs(found.pixels[..., 0].astype(int) - smooth[..., min(channels - 1, 2)]).max() < 400
    assert np.abs(again.pixels.astype(int) - read.pixels).max() < 200


LAYOUTS = {
    "strips": {},
    "one row each": {"rowsperstrip": 1},
    "deflated": {"compression": "zlib", "predictor": True},
    "tiles": {"tile": (16, 16)},
    "big-endian": {"byteorder": ">"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("channels", [3, 4])
def test_deep_tiff_of_any_layout(layout, planar, channels):
    array = DEEP[..., :channels]
    stored = array if planar == "contig" else np.moveaxis(array, 2, 0).copy()
    read = images.decode(tiff(stored, photometric="rgb", planarconfig=planar, **LAYOUTS[layout]))
    np.testing.assert_array_equal(read.pixels, array[..., :3])
    if channels == 4:
        np.testing.assert_array_equal(read.alpha, array[..., 3])


def test_deep_tiff_where_white_is_zero():
    read = images.decode(tiff(DEEP[..., 0], photometric="miniswhite"))
    np.testing.assert_array_equal(read.pixels[..., 0], 65535 - DEEP[..., 0])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_deep_grey_tiff_with_alpha(planar):
    stored = DEEP[..., :2] if planar == "contig" else np.moveaxis(DEEP[..., :2], 2, 0).copy()
    read = images.decode(tiff(stored, photometric="minisblack", extrasamples=["unassalpha"], planarconfig=planar))
    np.testing.assert_array_equal(read.pixels, DEEP[..., :1])
    np.testing.assert_array_equal(read.alpha, DEEP[..., 1])


def test_colours_multiplied_by_alpha_are_divided_by_it():
    alpha = np.maximum(DEEP[..., 3], 2**12)
    stored = np.dstack([np.rint(DEEP[..., :3] * (alpha / 65535)[..., None]).astype(np.uint16), alpha])
    read = images.decode(tiff(stored, photometric="rgb", extrasamples=["assocalpha"]))
    np.testing.assert_array_equal(read.alpha, alpha)
    assert np.abs(read.pixels.astype(int) - DEEP[..., :3]).max() <= 8  # half a step at an alpha of a sixteenth


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_deep_tiff_is_turned_upright(orientation, planar):
    stored = DEEP[..., :3] if planar == "contig" else np.moveaxis(DEEP[..., :3], 2, 0).copy()
    options = {"photometric": "rgb", "planarconfig": planar, "extratags": [(274, 3, 1, orientation, True)]}
    turned = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).swapaxes(0, 1), 8: np.rot90,
    }  # fmt: skip
    read = images.decode(tiff(stored, **options))
    np.testing.assert_array_equal(read.pixels, turned[orientation](DEEP[..., :3]))


def packed(samples, bits):
    """A grey TIFF file whose samples lie side by side, by hand."""
    text = "".join(format(sample, f"0{bits}b") for sample in samples.ravel().tolist())
    body = bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))
    height, width = samples.shape
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(body)}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    head = b"II*\0" + struct.pack("<I", 8 + len(body)) + body
    return head + struct.pack("<H", len(entries)) + table + bytes(4)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_samples_of_tiff_reach_white(bits):
    samples = RNG.integers(0, 2**bits, (16, 40))
    samples[0, 0] = 2**bits - 1
    read = images.decode(packed(samples, bits))
    np.testing.assert_array_equal(read.pixels[..., 0], np.rint(samples / (2**bits - 1) * 65535))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, np.uint32])
def test_other_samples_are_named(dtype):
    with pytest.raises(ImageError, match=f"x.tif: samples are {np.dtype(dtype)}; convert"):
        images.decode(tiff(DEEP[..., 0].astype(dtype)), "x.tif")


def test_a_compression_without_its_library_names_the_extra(monkeypatch):
    def missing(*_, **__):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", missing)
    with pytest.raises(ImageError, match=r"x\.tif.*install deblurcli\[tiff\]"):
        images.decode(tiff(DEEP[..., 0], photometric="miniswhite"), "x.tif")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_truncated_deep_tiff_is_an_image_error(share, planar):
    stored = np.moveaxis(DEEP[..., :3], 2, 0).copy() if planar == "separate" else DEEP[..., :3]
    data = tiff(stored, photometric="rgb", planarconfig=planar, compression="zlib", rowsperstrip=4)
    with pytest.raises(ImageError, match="cut"):
        images.decode(data[: int(len(data) * share)], "cut")


def test_twelve_bits_become_what_the_output_holds():
    picture = Picture(np.full((4, 4, 3), 40_000, np.uint16))
    assert {form: images.decode(images.encode(picture, form)).pixels.dtype.itemsize for form in formats.FORMATS} == {
        form: 1 if spec.bits == 8 else 2 for form, spec in formats.FORMATS.items()
    }


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_clear_level_of_a_grey_png(bits):
    samples = RNG.integers(0, 2**bits, (8, 16))
    level, top = int(samples[3, 5]), 2**bits - 1
    lines = ("".join(format(sample, f"0{bits}b") for sample in row) for row in samples.tolist())
    rows = b"".join(b"\0" + bytes(int(line[at : at + 8], 2) for at in range(0, len(line), 8)) for line in lines)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 8, bits, 0, 0, 0, 0)) + chunk(b"tRNS", struct.pack(">H", level))
    read = images.decode(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    largest = 65535 if bits == 16 else 255
    np.testing.assert_array_equal(read.pixels[..., 0], samples * (largest // top))
    np.testing.assert_array_equal(read.alpha, np.where(samples == level, 0, largest))


def bmp(length, alpha_mask, fourth):
    """A BMP file of 32 bits a pixel with masks, its header of some length, and its RGB pixels, by hand."""
    pixels = RNG.integers(0, 256, (4, 6, 4), np.uint8)
    pixels[..., 3] = fourth
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, alpha_mask)
    head = struct.pack("<IiiHHIIiiII", length, 6, 4, 1, 32, 3, 96, 0, 0, 0, 0) + masks
    head = head[: max(length, 52)] + (b"BGRs" + bytes(length - 60) if length > 56 else b"")
    body = pixels[::-1].tobytes()
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + 96, 0, 0, 14 + len(head)) + head + body, pixels[..., 2::-1]


@pytest.mark.parametrize("length", [40, 56, 108])
@pytest.mark.parametrize("alpha_mask", [0, 0xFF000000])
@pytest.mark.parametrize("fourth", [0, 200])
def test_the_fourth_byte_of_a_bmp_is_alpha_where_its_header_says_so(length, alpha_mask, fourth):
    data, colours = bmp(length, alpha_mask, fourth)
    read = images.decode(data)
    np.testing.assert_array_equal(read.pixels, colours)
    if length > 40 and alpha_mask:
        assert read.alpha is not None and (read.alpha == fourth).all()
    else:
        assert read.alpha is None


def test_an_alpha_that_hides_nothing_is_no_reason_against_jpeg():
    opaque = Picture(np.full((8, 8, 3), 90, np.uint8), np.full((8, 8), 255, np.uint8))
    assert images.decode(images.encode(opaque, "jpeg")).alpha is None


def test_five_bits_of_a_bmp_reach_white():
    levels = np.arange(32, dtype="<u2").reshape(4, 8)
    body = (levels << 10 | levels << 5 | levels)[::-1].tobytes()
    head = struct.pack("<IiiHHIIiiII", 40, 8, 4, 1, 16, 0, len(body), 0, 0, 0, 0)
    read = images.decode(b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + head + body)
    assert np.abs(read.pixels - (levels * 255 / 31)[..., None]).max() < 1 and read.pixels.max() == 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kinds, frames", [((0, 1), 1), ((0, 1, 1), 1), ((0, 0), 2), ((1, 0), 2), ((0, 1, 0), 2)])
def test_smaller_copies_in_a_tiff_are_no_pages(dtype, kinds, frames):
    written, picture = io.BytesIO(), DEEP[..., :3].astype(dtype)
    with tifffile.TiffWriter(written) as writer:
        for index, kind in enumerate(kinds):
            writer.write(picture[index:], photometric="rgb", subfiletype=kind, metadata=None)
    if frames == 1:
        np.testing.assert_array_equal(images.decode(written.getvalue()).pixels, picture)
    else:
        with pytest.raises(ImageError, match=f"{frames} frames or pages"):
            images.decode(written.getvalue())
