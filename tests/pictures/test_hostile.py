"""Odd and hostile pictures of every make: each is restored or refused with one line, nothing else happens."""

import io
import json
import struct
import zlib

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile

from deblurcli.pictures import images
from tests.shell import messages, run

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 255, (24, 20, 3), np.uint8)
RGB, GREY = PIL.Image.fromarray(PIXELS), PIL.Image.fromarray(PIXELS[..., 0])


def pillow(picture, form, **options):
    written = io.BytesIO()
    picture.save(written, form, **options)
    return written.getvalue()


def tiff(array, **options):
    written = io.BytesIO()
    tifffile.imwrite(written, array, **options)
    return written.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(colour, depth, interlaced=0, size=(20, 24), rows=None):
    """A PNG file of any colour type and depth, made by hand."""
    width, height = size
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = 1 + -(-20 * samples * depth // 8)
    body = RNG.integers(0, 255, (24, row), np.uint8)
    body[:, 0] = 0
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(RNG.integers(0, 255, 3 * 2**depth, np.uint8))) if colour == 3 else b""
    data = zlib.compress(body.tobytes() if rows is None else body[:rows].tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + chunk(b"IDAT", data) + chunk(b"IEND", b"")


PNG_KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
PNG_KINDS += [(4, 8), (4, 16), (6, 8), (6, 16)]

GOOD = {
    **{f"png-{colour}-{depth}.png": png(colour, depth) for colour, depth in PNG_KINDS},
    "interlaced.png": cv2.imencode(".png", PIXELS)[1].tobytes(),
    **{f"jpeg-{name}.jpg": pillow(RGB, "jpeg", subsampling=name) for name in ("4:4:4", "4:2:2", "4:2:0")},
    "progressive.jpg": pillow(RGB, "jpeg", progressive=True),
    "grey.jpg": pillow(GREY, "jpeg"),
    "previews.jpg": pillow(RGB, "mpo", save_all=True, append_images=[RGB]),
    "trailing.jpg": pillow(RGB, "jpeg") + b"made by a camera" * 40,
    "lying.jpg": pillow(RGB, "png"),
    "lying.png": pillow(RGB, "webp", lossless=True),
    "one.png": pillow(RGB.resize((1, 1)), "png"),
    "thin.png": pillow(RGB.resize((1, 200)), "png"),
    "one.tif": pillow(RGB.resize((1, 1)), "tiff"),
    "bilevel.tif": pillow(GREY.convert("1"), "tiff"),
    "bilevel.bmp": pillow(GREY.convert("1"), "bmp"),
    "palette.bmp": pillow(RGB.convert("P"), "bmp"),
    "palette.tif": pillow(RGB.convert("P"), "tiff"),
    "lzw.tif": pillow(RGB, "tiff", compression="tiff_lzw"),
    "jpeg.tif": pillow(RGB, "tiff", compression="jpeg"),
    "big-endian.tif": tiff(PIXELS, byteorder=">", photometric="rgb"),
    "bigtiff.tif": tiff(PIXELS, bigtiff=True, photometric="rgb"),
    "tiled.tif": tiff(PIXELS, tile=(16, 16), photometric="rgb"),
    "planar.tif": tiff(PIXELS.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate"),
    "deep.tif": tiff(PIXELS.astype(np.uint16) * 257, photometric="rgb"),
    "alpha.webp": pillow(RGB.convert("RGBA"), "webp"),
    "alpha.avif": pillow(RGB.convert("RGBA"), "avif"),
}
REFUSED = {
    "cmyk.jpg": pillow(RGB.convert("CMYK"), "jpeg"),
    "cmyk.tif": pillow(RGB.convert("CMYK"), "tiff"),
    "float.tif": tiff(PIXELS.astype(np.float32), photometric="rgb"),
    "half.tif": tiff(PIXELS[..., 0].astype(np.float16)),
    "double.tif": tiff(PIXELS[..., 0].astype(np.float64)),
    "signed.tif": tiff(PIXELS[..., 0].astype(np.int32)),
    "pages.tif": tiff(np.stack([PIXELS, PIXELS]), photometric="rgb"),
    "moving.webp": pillow(RGB, "webp", save_all=True, append_images=[RGB.rotate(90).resize(RGB.size)]),
    "moving.png": pillow(RGB, "png", save_all=True, append_images=[RGB.rotate(90).resize(RGB.size)]),
    "bomb.png": png(2, 8, size=(60_000, 60_000)),
    "bomb.tif": tiff(PIXELS, photometric="rgb").replace(
        struct.pack("<HHII", 256, 4, 1, 20), struct.pack("<HHII", 256, 4, 1, 2**31)
    ),
    "wide.png": png(2, 8, size=(2**31 - 1, 1)),
    "none.png": png(2, 8, size=(0, 24)),
    "short.png": png(2, 8, rows=5),
    "empty.avif": b"",
    "box.avif": b"\x00\x00\x00\x1cftypavif" + bytes(40),
    "head.bmp": b"BM" + bytes(60),
    "page.jpg": b"<html><body>404</body></html>",
    "vector.png": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "moving.gif.png": pillow(RGB, "gif"),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The folder of them all, and what a run said and reported."""
    place = tmp_path_factory.mktemp("hostile")
    (place / "in").mkdir()
    for name, content in {**GOOD, **REFUSED}.items():
        (place / "in" / name).write_bytes(content)
    done = run("blur", "in", "out", "--gaussian", "0.6", "--report", "r.jsonl", cwd=place)
    rows = [json.loads(line) for line in (place / "r.jsonl").read_text().splitlines()][:-1]
    return place, done, {row["input"].removeprefix("in/"): row for row in rows}


def test_nothing_crashes_and_every_file_is_accounted_for(hostile):
    _, done, rows = hostile
    assert done.returncode == 1 and done.stdout == b"" and b"Traceback" not in done.stderr
    assert rows.keys() == {**GOOD, **REFUSED}.keys()
    assert messages(done)[-1] == f"blur: {len(GOOD)} done, {len(REFUSED)} failed"


@pytest.mark.parametrize("name", GOOD)
def test_a_good_picture_is_blurred_in_its_own_kind(hostile, name):
    place, _, rows = hostile
    assert rows[name]["status"] == "done", rows[name]["error"]
    before, after = (images.read_picture(place / folder / name) for folder in ("in", "out"))
    assert after.size == before.size == (rows[name]["width"], rows[name]["height"])
    assert after.pixels.dtype == before.pixels.dtype
    assert (after.alpha is None) == (before.alpha is None)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_picture_has_one_line_with_a_remedy(hostile, name):
    place, _, rows = hostile
    error = rows[name]["error"]
    assert rows[name]["status"] == "failed" and not (place / "out" / name).exists()
    assert error.startswith(f"in/{name}: ") and ";" in error and "\n" not in error


def test_a_loop_of_links_ends(tmp_path, sharp):
    images.write(tmp_path / "in" / "a.png", sharp[:9, :9])
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self.png").symlink_to("self.png")
    done = run("blur", tmp_path / "in", tmp_path / "out", "--gaussian", "1")
    assert done.returncode == 1 and "self.png" in messages(done)[0]
    assert messages(done)[-1] == "blur: 1 done, 1 failed"


def test_decoders_write_nothing_on_standard_error(tmp_path):
    """libjpeg, libpng and libtiff have warnings of their own; people read only what we say."""
    whole = pillow(RGB, "jpeg")
    header = struct.pack(">IIBBBBB", 20, 24, 8, 2, 0, 0, 0)
    short = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    )
    unknown = pillow(RGB, "tiff", compression="tiff_lzw", tiffinfo={52428: 3})
    (tmp_path / "in").mkdir()
    for name, content in {"a.jpg": whole[:20] + b"stray" + whole[20:], "b.png": short, "c.tif": unknown}.items():
        (tmp_path / "in" / name).write_bytes(content)
    lines = messages(run("blur", "in", "out", "--psf", "box:1", cwd=tmp_path))
    assert len(lines) == 2 and lines[0].startswith("error: in/b.png: cannot be decoded")
    assert lines[1] == "blur: 2 done, 1 failed"
