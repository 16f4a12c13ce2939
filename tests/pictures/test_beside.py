"""What travels beside the pixels stays true of them: sizes, thumbnails, profiles, the meaning of numbers, texts."""

import io
import struct
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from deblurcli.batch import run as batch
from deblurcli.batch.jobs import Options
from deblurcli.pictures import formats, icc, images, jpeg, png, stale
from deblurcli.pictures.images import Picture
from deblurcli.pictures.metadata import Metadata
from tests.pictures.test_hostile import GOOD, GREY, RGB, pillow

WIDTH, HEIGHT = RGB.size
SRGB = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description rdf:about="" tiff:Orientation="6"'
    b' tiff:ImageWidth="20" exif:PixelXDimension="20" exif:PixelYDimension="24" dc:title="kept" hdrgm:Version="1.0"'
    b' GCamera:MotionPhoto="1" xmpNote:HasExtendedXMP="ABC"><Container:Directory><rdf:Seq><rdf:li Item:Mime="x"'
    b"/></rdf:Seq></Container:Directory><tiff:ImageLength>24</tiff:ImageLength></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def grey_profile(gamma=1.8):
    """A grey profile with a gamma, by hand."""
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    table = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"kTRC", 176, 16)
    head = (
        struct.pack(">I4sI4s4s4s", 192, b"lcms", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
        + bytes(12)
        + b"acsp"
        + bytes(28)
    )
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + table + white + curve


def turned_photograph():
    """A JPEG file as a camera held upright writes it."""

    def directory(following, *entries):
        """Whole numbers of 32 bits by their tags, and where the next directory stands."""
        return struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *each) for each in entries) + following

    thumbnail = pillow(RGB.resize((8, 6)), "jpeg")
    inner_at, second_at, thumbnail_at = 8 + 30, 8 + 60, 8 + 90
    block = b"Exif\0\0II*\0" + struct.pack("<I", 8)
    block += directory(struct.pack("<I", second_at), (0x0112, 3, 1, 6), (0x8769, 4, 1, inner_at))
    block += directory(bytes(4), (0xA002, 4, 1, WIDTH), (0xA003, 3, 1, HEIGHT))
    block += directory(bytes(4), (0x0201, 4, 1, thumbnail_at), (0x0202, 4, 1, len(thumbnail))) + thumbnail
    return pillow(RGB, "jpeg", exif=block, xmp=XMP, dpi=(300, 150)), thumbnail


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_a_turned_photograph_says_nothing_of_its_old_pixels(form):
    data, thumbnail = turned_photograph()
    with PIL.Image.open(io.BytesIO(data)) as opened:
        assert opened.getexif().get_ifd(0x8769)[0xA002] == WIDTH and thumbnail in data
    written = images.encode(images.decode(data), form)
    with PIL.Image.open(io.BytesIO(written)) as opened:
        assert opened.size == (HEIGHT, WIDTH)
        tags = opened.getexif()
        assert tags[0x0112] == 1 and dict(tags.get_ifd(0x8769)) == {0xA002: HEIGHT, 0xA003: WIDTH}
        assert thumbnail not in written and written.count(b"\xff\xd8\xff") <= 1
        packet = opened.info["xmp"] if form != "png" else opened.info["XML:com.adobe.xmp"].encode()
        if form != "webp":
            assert opened.info["dpi"] == pytest.approx((150, 300), rel=1e-3)
    for stated in (b'tiff:Orientation="1"', b'PixelXDimension="24"', b'PixelYDimension="20"', b'title="kept"'):
        assert stated in packet
    assert b'ImageWidth="24"' in packet and b"ImageLength>20<" in packet


def test_what_is_not_in_the_file_is_not_announced():
    """The maps of HDR photographs, the films of motion photographs and further parts of XMP are not taken over."""
    packet = images.decode(turned_photograph()[0]).metadata.xmp
    assert not any(word in packet for word in (b"hdrgm", b"Container", b"MotionPhoto", b"HasExtendedXMP", b"Item:"))


def stored(form, mode, profile):
    pictures = {"L": GREY, "LA": GREY.convert("LA"), "RGB": RGB, "neutral": GREY.convert("RGB")}
    return pillow(pictures[mode], form, icc_profile=profile)


@pytest.mark.parametrize("source, mode, profile", [
    ("png", "LA", grey_profile()), ("jpeg", "L", grey_profile()), ("png", "L", grey_profile()),
    ("tiff", "L", grey_profile()), ("webp", "neutral", SRGB), ("avif", "neutral", SRGB), ("png", "RGB", SRGB),
    ("jpeg", "L", SRGB), ("jpeg", "RGB", grey_profile()),
])  # fmt: skip
@pytest.mark.parametrize("target", [form for form in formats.FORMATS if form != "bmp"])
def test_a_profile_is_of_the_colour_model_of_its_file(source, mode, profile, target):
    picture = images.decode(stored(source, mode, profile))
    if target == "jpeg":
        picture = picture.on((255, 255, 255))
    data, alpha = images.encode(picture, target), picture.alpha is not None
    with PIL.Image.open(io.BytesIO(data)) as opened:
        held = opened.info.get("icc_profile") or b""
        grey = opened.mode in formats.GREY_MODES or (target == "avif" and picture.pixels.shape[2] == 1 and not alpha)
    suits = (icc.model(profile) == icc.RGB) == (mode in ("RGB", "neutral"))
    assert icc.model(held) == ((icc.GREY if grey else icc.RGB) if suits else b"")


def test_a_grey_profile_made_over_for_rgb_shows_the_same():
    profile, levels = icc.as_rgb(grey_profile(1.8)), np.arange(256, dtype=np.uint8)[None]
    shown = PIL.ImageCms.profileToProfile(
        PIL.Image.fromarray(np.dstack([levels] * 3)),
        PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        PIL.ImageCms.createProfile("sRGB"),
    )
    linear = (np.arange(256) / 255) ** 1.8
    coded = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(np.asarray(shown, float) - coded[None, :, None]).max() < 1.6


def described(*chunks):
    """A PNG file with further chunks behind its header."""
    return png.with_chunks(GOOD["png-2-8.png"], b"".join(png.chunk(kind, body) for kind, body in chunks))


LINEAR, PQ = (b"gAMA", struct.pack(">I", 100_000)), (b"cICP", bytes([9, 16, 0, 1]))
CHROMA, TEXT = (b"cHRM", struct.pack(">8I", *range(31000, 31008))), (b"tEXt", b"Title\0A walk")


@pytest.mark.parametrize(
    "given", [[LINEAR, CHROMA], [PQ], [(b"sRGB", b"\0")], [TEXT], [(b"iTXt", b"Author\0\0\0\0\0me")]]
)
def test_png_says_what_it_said_of_colours_and_in_words(given):
    written = images.encode(images.decode(described(*given)), "png")
    assert all(chunk in list(png.chunks(written)) for chunk in given)
    images.encode(images.decode(described(*given)), "jpeg")


@pytest.mark.parametrize("given, said", [
    ([LINEAR], ""), ([PQ], "PQ"), ([(b"cICP", bytes([9, 18, 0, 1]))], "HLG"),
    ([(b"gAMA", struct.pack(">I", 45455))], ""), ([(b"sRGB", b"\0")], ""), ([TEXT], ""),
])  # fmt: skip
def test_a_format_that_cannot_say_what_numbers_mean_is_named(given, said, tmp_path):
    (tmp_path / "a.png").write_bytes(described(*given))
    for target, expected in ((tmp_path / "b.jpg", said), (tmp_path / "c.png", "")):
        work = batch.Plain(lambda picture: picture.with_pixels(255 - picture.pixels))
        [outcome] = batch.transform(tmp_path / "a.png", target, work, Options()).outcomes
        note = outcome.result.note
        assert (expected in note and "write png" in note) if expected else note == ""


def test_exif_behind_the_pixels_of_a_png_is_read():
    block = PIL.Image.Exif()
    block[0x0112], block[0x010F] = 6, "A maker"
    data = GOOD["png-2-8.png"]
    late = data[:-12] + png.chunk(b"eXIf", block.tobytes().removeprefix(b"Exif\0\0")) + data[-12:]
    read = images.decode(late)
    assert read.size == (HEIGHT, WIDTH) and b"A maker" in read.metadata.exif


def test_comments_and_captions_of_jpeg_stay_and_its_old_thumbnail_goes():
    def resource(kind, body):
        return b"8BIM" + struct.pack(">H", kind) + b"\0\0" + struct.pack(">I", len(body)) + body + bytes(len(body) % 2)

    captions, thumbnail = resource(0x0404, b"\x1c\x02\x78\0\x05a dog"), resource(0x040C, b"old picture")
    held = jpeg.segment(0xED, b"Photoshop 3.0\0" + thumbnail + captions) + jpeg.segment(0xFE, b"By the sea")
    data = pillow(RGB, "jpeg")
    written = images.encode(images.decode(data[:2] + held + data[2:]), "jpeg")
    with PIL.Image.open(io.BytesIO(written)) as opened:
        assert opened.info["comment"] == b"By the sea"
        assert opened.info["photoshop"][0x0404] == b"\x1c\x02\x78\0\x05a dog" and 0x040C not in opened.info["photoshop"]
    images.encode(images.decode(written), "png")


def test_libpng_has_nothing_to_say(tmp_path):
    broken = [(b"iCCP", b"x\0\0junk"), (b"eXIf", b"junk"), (b"sRGB", b"\x09"), (b"gAMA", bytes(4))]
    for index, each in enumerate(broken):
        (tmp_path / f"{index}.png").write_bytes(described(each))
    code = "import sys; from deblurcli.pictures import images; [images.read_picture(name) for name in sys.argv[1:]]"
    done = subprocess.run([sys.executable, "-c", code, *sorted(tmp_path.glob("*.png"))], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("cut", [-16, -12, -40, 50])
def test_a_damaged_png_is_an_image_error(cut):
    with pytest.raises(images.ImageError, match="cut"):
        images.decode(GOOD["png-2-8.png"][:cut], "cut")


def test_metadata_may_be_left_out():
    assert images.decode(turned_photograph()[0]).without_metadata().metadata == Metadata()
    assert images.encode(Picture(np.zeros((2, 2, 3), np.uint8)), "png")


@pytest.mark.parametrize("source", ["jpeg", "png", "tiff"])
@pytest.mark.parametrize("target", ["jpeg", "png", "tiff"])
def test_names_with_accents_come_back_byte_for_byte(source, target):
    block, name = PIL.Image.Exif(), "José Müller 日本"
    block[0x013B] = name.encode()
    given = {"tiffinfo": {0x013B: name.encode()}} if source == "tiff" else {"exif": block}
    written = images.encode(images.decode(pillow(RGB, source, **given)), target)
    with PIL.Image.open(io.BytesIO(written)) as opened:
        assert opened.getexif()[0x013B].encode("latin-1") == name.encode()


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_an_orientation_in_xmp_alone_counts(form):
    options = {"xmp": XMP} if form != "png" else {"pnginfo": PIL.PngImagePlugin.PngInfo()}
    if form == "png":
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    read = images.decode(pillow(RGB, form, **options))
    assert read.size == (HEIGHT, WIDTH) and b'tiff:Orientation="1"' in read.metadata.xmp


def test_exif_stored_as_text_counts():
    block = PIL.Image.Exif()
    block[0x0112], block[0x010F] = 6, "A maker"
    packed = block.tobytes()
    text = f"\nexif\n{len(packed):8}\n{packed.hex()}\n".encode()
    read = images.decode(described((b"tEXt", b"Raw profile type exif\0" + text)))
    assert read.size == (HEIGHT, WIDTH) and b"A maker" in read.metadata.exif and not read.metadata.native


@pytest.mark.parametrize("form", ["bmp", "tiff", "png"])
def test_palettes_are_read_as_another_library_reads_them(form):
    picture = RGB.convert("P", palette=PIL.Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(images.decode(pillow(picture, form)).pixels, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("filling", [b" ", b"\n\t", b"<hdrgm:a ", b"<hdrgm:a>", b" hdrgm:a", b" tiff:Orientation "])
def test_a_long_packet_costs_no_time(filling):
    """Programs end a packet in kilobytes of blanks, so that it can grow where it stands."""
    packet = XMP.replace(b"</x:xmpmeta>", filling * (400_000 // len(filling)) + b"</x:xmpmeta>")
    begun = time.perf_counter()
    changed = stale.xmp(packet, (24, 20))
    assert time.perf_counter() - begun < 5
    assert b'tiff:Orientation="1"' in changed and b'hdrgm:Version="1.0"' not in changed and b"Item:" not in changed


def test_only_what_announces_is_taken_out_of_a_packet():
    packet = b'<a hdrgm:Version="1" dc:title="x"/><hdrgm:A/><b/><hdrgm:A><c></hdrgm:AB></hdrgm:A ><d/><GDepth:B><e/>'
    assert stale.xmp(packet, (1, 1)) == b'<a  dc:title="x"/><b/><d/><GDepth:B><e/>'


@pytest.mark.parametrize("form", [form for form, spec in formats.FORMATS.items() if spec.alpha and "XMP" in spec.keeps])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_and_a_packet_go_together(form, dtype):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (20, 30, 3), dtype)
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    written = images.encode(Picture(pixels, pixels[..., 0], metadata=Metadata(xmp=packet)), form)
    read = images.decode(written)
    assert read.alpha is not None and read.metadata.xmp.rstrip(b"\0") == packet
    if dtype == np.uint16 and formats.FORMATS[form].bits > 8:
        assert read.pixels.dtype == np.uint16
