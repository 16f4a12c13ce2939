import io

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from deblurcli.pictures import formats, images, metadata, stale
from deblurcli.pictures.images import Picture
from deblurcli.pictures.metadata import Metadata

ICC = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><a/></x:xmpmeta><?xpacket end="w"?>'
PIXELS = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)


def exif(orientation=1):
    block = PIL.Image.Exif()
    block[0x010F], block[0x8298], block[0x0112] = "A maker", "Somebody 2026", orientation
    return block


def stored(form, orientation=1):
    """A file as another program writes it, with everything it can hold."""
    written = io.BytesIO()
    options = {"quality": 90} if form in ("jpeg", "webp", "avif") else {}
    if form != "png":
        options["xmp"] = XMP
    else:
        options["pnginfo"] = PIL.PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    if form == "tiff":
        options["tiffinfo"] = {700: XMP, 0x010F: "A maker", 0x8298: "Somebody 2026", 0x0112: orientation}
        del options["xmp"]
    else:
        options["exif"] = exif(orientation)
    PIL.Image.fromarray(PIXELS).save(written, form, icc_profile=ICC, dpi=(300, 150), **options)
    return written.getvalue()


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
def test_metadata_survives_the_way_through(form):
    read = images.decode(images.encode(images.decode(stored(form)), form))
    with PIL.Image.open(io.BytesIO(images.encode(read, form))) as opened:
        opened.load()
        assert opened.info["icc_profile"] == ICC
        block = opened.getexif()
        assert block[0x010F] == "A maker" and block[0x8298] == "Somebody 2026"
        if form != "webp":
            assert opened.info["dpi"] == pytest.approx((300, 150), rel=1e-3)
    assert read.metadata.xmp.strip(b"\0") == XMP


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_is_normal_once_it_is_applied(form, orientation):
    data = images.encode(images.decode(stored(form, orientation)), form, 100)
    with PIL.Image.open(io.BytesIO(data)) as opened:
        assert opened.getexif().get(0x0112, 1) == 1
        assert opened.size == ((30, 20) if orientation == 3 else (20, 30))


@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("target", ["jpeg", "png", "webp", "avif"])
def test_metadata_goes_from_format_to_format(source, target):
    header = formats.header(images.encode(images.decode(stored(source)), target))
    kept = metadata.read(header)
    assert kept.icc == ICC
    block = PIL.Image.Exif()
    block.load(kept.exif)
    assert block[0x010F] == "A maker"


@pytest.mark.parametrize("form", formats.FORMATS)
def test_a_picture_without_metadata_gets_none(form):
    data = images.encode(Picture(PIXELS), form)
    assert metadata.read(formats.header(data)) == Metadata()


def test_upright_changes_two_bytes_at_most():
    block = exif(6).tobytes().removeprefix(b"Exif\0\0")
    turned = stale.exif(block, (30, 20))
    assert metadata.orientation(block) == 6 and metadata.orientation(turned) == 1
    assert len(turned) == len(block) and sum(a != b for a, b in zip(turned, block)) <= 2


def test_a_packet_too_long_for_jpeg_is_left_out():
    data = images.encode(Picture(PIXELS, metadata=Metadata(xmp=b"x" * 70_000)), "jpeg")
    assert images.decode(data).metadata.xmp == b""


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_with_metadata_keeps_every_kind_of_picture(channels, alpha, dtype):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, np.iinfo(dtype).max, (70, 9, channels), dtype)
    written = Picture(pixels, pixels[..., 0] if alpha else None, metadata=Metadata(icc=ICC, dpi=(72.0, 72.0)))
    read = images.decode(images.encode(written, "tiff"))
    np.testing.assert_array_equal(read.pixels[..., :channels], pixels)
    assert (read.alpha is not None) == alpha and read.pixels.dtype == dtype
    assert read.metadata.icc == (ICC if channels == 3 or alpha else b"")  # a profile for RGB says nothing of grey


def test_limits_are_checked_before_decoding(monkeypatch):
    monkeypatch.setattr(images, "_decoded", lambda *_: pytest.fail("it was decoded"))
    data = images.encode(Picture(PIXELS), "png")
    with pytest.raises(images.ImageError, match=r"big\.png: 30×20 is more than 599 pixels; raise --max-pixels"):
        images.decode(data, "big.png", max_pixels=599)


@pytest.mark.parametrize("form", ["webp", "png", "tiff"])
def test_several_frames_are_refused(form):
    frames = [PIL.Image.fromarray(PIXELS), PIL.Image.fromarray(255 - PIXELS)]
    written = io.BytesIO()
    frames[0].save(written, form, save_all=True, append_images=frames[1:])
    with pytest.raises(images.ImageError, match="2 frames or pages"):
        images.decode(written.getvalue())


@pytest.mark.parametrize("form", ["jpeg", "tiff"])
def test_cmyk_is_refused_with_a_remedy(form):
    written = io.BytesIO()
    PIL.Image.fromarray(PIXELS).convert("CMYK").save(written, form)
    with pytest.raises(images.ImageError, match=r"CMYK.*RGB"):
        images.decode(written.getvalue())


def test_malformed_exif_costs_no_picture():
    data = images.encode(Picture(PIXELS), "jpeg")
    broken = b"\xff\xe1\x00\x16Exif\0\0junkjunkjunk"
    read = images.decode(data[:2] + broken + data[2:])
    for form in formats.FORMATS:
        assert images.decode(images.encode(read, form)).size == (30, 20)


@pytest.mark.parametrize("form", ["jpeg", "png", "tiff"])
def test_an_absurd_resolution_costs_no_picture(form):
    written = Picture(PIXELS, metadata=Metadata(dpi=(4e9, 4e9)))
    assert images.decode(images.encode(written, form)).size == (30, 20)
