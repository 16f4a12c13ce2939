import os
import stat

import cv2
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.blur.model import blur
from deblurcli.errors import ImageError
from deblurcli.pictures import images, metadata, storage
from deblurcli.pictures.images import FORMATS, Picture
from tests.pictures.test_hostile import GOOD

LOSSLESS = ["png", "tiff", "bmp"]


def picture(height=9, width=7, channels=3, dtype=np.uint8, alpha=False, seed=0):
    rng, top = np.random.default_rng(seed), np.iinfo(dtype).max
    pixels = rng.integers(0, top, (height, width, channels), dtype, endpoint=True)
    return Picture(pixels, rng.integers(0, top, (height, width), dtype, endpoint=True) if alpha else None)


@given(
    st.sampled_from(LOSSLESS), st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]),
    st.sampled_from([np.uint8, np.uint16]), st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_lossless_formats_give_back_what_they_got(form, height, width, channels, dtype, alpha, seed):
    if dtype == np.uint16 and FORMATS[form].bits < 16:
        return
    written = picture(height, width, channels, dtype, alpha, seed)
    read = images.decode(images.encode(written, form))
    assert read.format == form and read.pixels.dtype == dtype
    expected = written.pixels if read.pixels.shape[2] == channels else np.repeat(written.pixels, 3, axis=2)
    np.testing.assert_array_equal(read.pixels, expected)
    assert (read.alpha is None) == (not alpha)
    if alpha:
        np.testing.assert_array_equal(read.alpha, written.alpha)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_keeps_a_smooth_picture(form, sharp):
    read = images.decode(images.encode(Picture(images.from_float(sharp, np.uint8)), form))
    assert read.format == form
    assert np.abs(images.to_float(read.pixels) - sharp).mean() < 0.02


@pytest.mark.parametrize("form", FORMATS)
def test_grey_stays_grey(form, sharp):
    grey = Picture(images.from_float(sharp.mean(axis=2, keepdims=True), np.uint8))
    assert images.decode(images.encode(grey, form)).pixels.shape[2] == 1


@pytest.mark.parametrize("form", [name for name, form in FORMATS.items() if form.alpha])
def test_alpha_is_kept(form):
    written = picture(alpha=True)
    read = images.decode(images.encode(written, form, 100))
    assert read.alpha is not None
    assert np.abs(read.alpha.astype(int) - written.alpha).max() <= 3


def test_alpha_into_jpeg_is_refused_with_a_remedy():
    with pytest.raises(ImageError, match=r"out\.jpg.*png"):
        images.encode(picture(alpha=True), "jpeg", name="out.jpg")


def test_sixteen_bits_become_eight_where_the_format_holds_no_more():
    deep = Picture(np.full((4, 4, 3), 40_000, np.uint16))
    read = images.decode(images.encode(deep, "jpeg", 100))
    assert read.pixels.dtype == np.uint8
    assert np.abs(read.pixels.astype(int) - round(40_000 / 257)).max() <= 1


def test_a_palette_becomes_its_colours(tmp_path):
    colours = PIL.Image.fromarray(picture(20, 20).pixels).convert("P", palette=PIL.Image.Palette.ADAPTIVE)
    colours.save(tmp_path / "p.png")
    np.testing.assert_array_equal(images.read_picture(tmp_path / "p.png").pixels, np.asarray(colours.convert("RGB")))


def test_grey_with_alpha_is_grey_with_alpha(tmp_path):
    stored = PIL.Image.merge("LA", [PIL.Image.fromarray(picture(channels=1).pixels[..., 0], "L") for _ in range(2)])
    stored.save(tmp_path / "la.png")
    read = images.read_picture(tmp_path / "la.png")
    assert read.pixels.shape == (9, 7, 1)
    np.testing.assert_array_equal(read.alpha, np.asarray(stored)[..., 1])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied(tmp_path, form, orientation, sharp):
    stored = PIL.Image.fromarray(images.from_float(sharp[:32, :48], np.uint8))
    exif = stored.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"x.{form.lower()}"
    stored.save(path, form, exif=exif, **({} if form in ("PNG", "TIFF") else {"quality": 95}))
    with PIL.Image.open(path) as opened:
        upright = np.asarray(PIL.ImageOps.exif_transpose(opened), np.int16)
    read = images.read_picture(path).pixels
    assert read.shape == upright.shape
    assert np.abs(read.astype(int) - upright).mean() < 4


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1)])
def test_the_smallest_pictures_are_turned_too(tmp_path, form, size):
    for orientation in range(1, 9):
        stored = PIL.Image.fromarray(picture(*size).pixels)
        exif = stored.getexif()
        exif[0x0112] = orientation
        stored.save(tmp_path / "x", form, exif=exif)
        read = images.read_picture(tmp_path / "x").pixels
        assert read.shape[:2] == (size if orientation < 5 else size[::-1])


DAMAGED = {name: (content, seed) for seed, (name, content) in enumerate(sorted(GOOD.items()))}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_an_image_error_or_an_image(name):
    """Every decoder at hand has its own exceptions; one that got through would end a whole batch."""
    content, seed = DAMAGED[name]
    rng = np.random.default_rng(seed)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, min(len(damaged), rng.choice([40, 200, len(damaged)])), rng.choice([1, 2, 8])):
            damaged[place] = rng.choice([0, 1, 255, rng.integers(256)])
        try:
            assert images.decode(bytes(damaged), max_pixels=10**6).pixels.ndim == 3
        except ImageError as error:
            assert "\n" not in str(error)


@given(st.binary(max_size=200))
def test_a_malformed_exif_block_is_upright(block):
    assert 1 <= metadata.orientation(block) <= 8
    assert 1 <= metadata.orientation(b"II*\x00\x08\x00\x00\x00" + block) <= 8


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_a_truncated_file_is_an_image_error(form, share, sharp):
    data = images.encode(Picture(images.from_float(sharp, np.uint8)), form)
    with pytest.raises(ImageError, match="cut"):
        images.decode(data[: int(len(data) * share)], "cut")


@given(st.sampled_from(list(FORMATS)), st.binary(max_size=300))
def test_rubbish_is_an_image_error_or_an_image(form, rubbish):
    magic = images.encode(picture(), form)[:24]
    for data in (rubbish, magic + rubbish):
        try:
            assert images.decode(data).pixels.ndim == 3
        except ImageError as error:
            assert "\n" not in str(error)


def test_float_samples_are_refused_with_a_remedy():
    ok, data = cv2.imencode(".tiff", np.zeros((4, 4, 3), np.float32))
    assert ok
    with pytest.raises(ImageError, match=r"f\.tif.*float32.*8 or 16 bits"):
        images.decode(data.tobytes(), "f.tif")


@pytest.mark.parametrize(
    "data, said", [(b"", "empty"), (b"just text", "not an image"), (b"GIF89a" + bytes(40), "not an image")]
)
def test_what_is_no_image_is_said(data, said):
    with pytest.raises(ImageError, match=said):
        images.decode(data, "x.jpg")


def test_the_content_decides_not_the_name(tmp_path):
    storage.write_bytes(tmp_path / "a.jpg", images.encode(picture(), "png"))
    assert images.read_picture(tmp_path / "a.jpg").format == "png"


@given(st.sampled_from([np.uint8, np.uint16]), st.integers(0, 65535))
def test_samples_survive_the_way_through_float(dtype, value):
    sample = np.array([value % (np.iinfo(dtype).max + 1)], dtype)
    np.testing.assert_array_equal(images.from_float(images.to_float(sample), dtype), sample)


def test_samples_that_are_no_numbers_become_finite():
    strange = np.array([np.nan, np.inf, -np.inf, 2, -1], np.float32)
    np.testing.assert_array_equal(images.from_float(strange, np.uint8), [0, 255, 0, 255, 0])


def test_unicode_and_missing_folders(tmp_path):
    path = tmp_path / "日本 語" / "ñ.png"
    images.write_picture(path, picture())
    np.testing.assert_array_equal(images.read_picture(path).pixels, picture().pixels)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.Path, "replace", refuse)
    with pytest.raises(ImageError, match=r"a\.png.*No space left"):
        images.write_picture(path, picture())
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_written_files_have_ordinary_permissions(tmp_path):
    images.write_picture(tmp_path / "a.png", picture())
    (tmp_path / "b").write_text("")
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_an_ending_that_is_no_format_is_said():
    with pytest.raises(ImageError, match=r"\.xyz"):
        images.format_of("a.xyz")


def test_straight_alpha_in_tiff_does_not_darken_colours(tmp_path):
    """OpenCV multiplies the colours of such a file by alpha."""
    rgba = np.dstack([picture().pixels, picture(channels=1).pixels])
    PIL.Image.fromarray(rgba).save(tmp_path / "a.tif")
    read = images.read_picture(tmp_path / "a.tif")
    np.testing.assert_array_equal(read.pixels, rgba[..., :3])
    np.testing.assert_array_equal(read.alpha, rgba[..., 3])


def test_grey_with_alpha_in_tiff_keeps_it(tmp_path):
    stored = PIL.Image.merge("LA", [PIL.Image.fromarray(picture(channels=1).pixels[..., 0]) for _ in range(2)])
    stored.save(tmp_path / "a.tif")
    read = images.read_picture(tmp_path / "a.tif")
    assert read.pixels.shape[2] == 1
    np.testing.assert_array_equal(read.alpha, np.asarray(stored)[..., 1])


def test_a_clear_level_in_grey_png_is_alpha(tmp_path):
    grey = picture(channels=1).pixels[..., 0]
    PIL.Image.fromarray(grey).save(tmp_path / "a.png", transparency=int(grey[0, 0]))
    read = images.read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(read.alpha, np.where(grey == grey[0, 0], 0, 255))


@pytest.mark.skipif("avif" not in FORMATS, reason="this OpenCV writes no AVIF")
def test_orientation_of_avif_is_applied(tmp_path, sharp):
    stored = PIL.Image.fromarray(images.from_float(sharp[:32, :48], np.uint8))
    exif = stored.getexif()
    exif[0x0112] = 6
    stored.save(tmp_path / "a.avif", exif=exif, quality=95)
    read = images.read_picture(tmp_path / "a.avif")
    assert read.size == (32, 48)
    assert np.abs(read.pixels.astype(int) - np.rot90(np.asarray(stored), -1)).mean() < 6


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4)), np.zeros((4, 4, 4)), np.zeros((0, 4, 3)), np.zeros((4, 4, 3), int)]
)
def test_what_is_no_image_is_refused_by_the_library(array, tmp_path):
    for use in (lambda: images.write(tmp_path / "a.png", array), lambda: blur(array, np.ones((1, 1)))):
        with pytest.raises(ImageError, match="an image is"):
            use()


def test_arrays_are_written_as_what_they_are(tmp_path):
    pixels = picture().pixels
    for array in (pixels, images.to_float(pixels).astype(np.float64), pixels.astype(np.uint16) * 257):
        images.write(tmp_path / "a.png", array)
        np.testing.assert_array_equal(images.read_picture(tmp_path / "a.png").pixels, pixels)
    with pytest.raises(ImageError, match="12 bits"):
        images.write(tmp_path / "a.png", pixels, depth=12)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_replaced_file_keeps_its_permissions_and_its_link(tmp_path):
    images.write_picture(tmp_path / "a.png", picture())
    (tmp_path / "a.png").chmod(0o600)
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    images.write_picture(tmp_path / "link.png", picture(seed=1))
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o600
    assert (tmp_path / "link.png").is_symlink()
    np.testing.assert_array_equal(images.read_picture(tmp_path / "a.png").pixels, picture(seed=1).pixels)


def test_nearly_grey_is_colour_where_nothing_is_lost():
    pixels = np.full((4, 4, 3), 128, np.uint8)
    pixels[..., 1] = 127
    read = images.decode(images.encode(Picture(pixels, np.full((4, 4), 9, np.uint8)), "png"))
    np.testing.assert_array_equal(read.pixels, pixels)


def test_a_link_that_leads_nowhere_is_replaced(tmp_path):
    (tmp_path / "a.png").symlink_to("a.png")
    images.write_picture(tmp_path / "a.png", picture())
    np.testing.assert_array_equal(images.read_picture(tmp_path / "a.png").pixels, picture().pixels)
