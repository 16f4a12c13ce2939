"""What numbers mean, said by a profile where the output cannot say it as the input did."""

import io
import shutil
import struct
import subprocess

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from deblurcli.pictures import colours, icc, images, metadata, png
from tests.pictures.test_beside import described
from tests.pictures.test_hostile import RGB, pillow

SRGB_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
ADOBE_XYZ = np.array([[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]])
P3_XYZ = np.array([[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0.0, 0.04511, 1.04394]])
REC_2020_XYZ = np.array([[0.63696, 0.14462, 0.16888], [0.2627, 0.67800, 0.05930], [0.0, 0.02807, 1.06099]])
GAMMA_1, GAMMA_18 = ((b"gAMA", struct.pack(">I", value)) for value in (100_000, 55_556))
ADOBE_CHROMA = (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000))


def cicp(*codes):
    return (b"cICP", bytes(codes))


def srgb(linear):
    """The published curve of sRGB, from linear light to numbers."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def light(coded):
    """Its inverse."""
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


# What a file says, the XYZ of its primaries as published, and the light of its numbers.
MEANT = {
    "linear": ([GAMMA_1], SRGB_XYZ, lambda coded: coded),
    "gamma 1.8": ([GAMMA_18], SRGB_XYZ, lambda coded: coded**1.8),
    "Adobe RGB": ([(b"gAMA", struct.pack(">I", 45471)), ADOBE_CHROMA], ADOBE_XYZ, lambda coded: coded**2.19922),
    "primaries alone": ([ADOBE_CHROMA], ADOBE_XYZ, light),
    "Display P3": ([cicp(12, 13, 0, 1)], P3_XYZ, light),
    "Rec. 2020 linear": ([cicp(9, 8, 0, 1)], REC_2020_XYZ, lambda coded: coded),
    "codes go first": ([cicp(12, 13, 0, 1), GAMMA_1, (b"sRGB", b"\0")], P3_XYZ, light),
}
PATCHES = np.array(
    [[200, 190, 180], [120, 130, 110], [60, 70, 80], [255, 255, 255], [150, 140, 160], [90, 60, 70], [230, 240, 220]],
    np.uint8,
)


def shown(profile, samples, mode="RGB"):
    """What littleCMS makes of samples under a profile: sRGB, 8 bits."""
    picture = PIL.Image.fromarray(samples, mode)
    held = PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile))
    exact = PIL.ImageCms.Flags.NOOPTIMIZE  # no coarse table, which is off in the dark
    srgb_profile = PIL.ImageCms.createProfile("sRGB")
    return np.asarray(PIL.ImageCms.profileToProfile(picture, held, srgb_profile, outputMode="RGB", flags=exact))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("target", ["jpeg", "tiff", "webp", "avif"])
@pytest.mark.parametrize("name", MEANT)
def test_a_profile_says_what_chunks_of_png_said(name, target):
    given, to_xyz, linear = MEANT[name]
    with PIL.Image.open(io.BytesIO(images.encode(images.decode(described(*given)), target))) as opened:
        profile = opened.info["icc_profile"]
    seen = np.linalg.solve(SRGB_XYZ, to_xyz @ linear(PATCHES.T / 255)).T
    expected = 255 * srgb(seen)
    inside = ((seen > 0) & (seen < 1.001)).all(axis=1)
    assert inside.sum() >= 4
    found = shown(profile, PATCHES[None])[0]
    assert np.abs(found - expected)[inside].max() < 1.6


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("target", ["jpeg", "tiff"])
def test_grey_gets_a_profile_for_grey(target):
    data = png.with_chunks(pillow(RGB.convert("L"), "png"), png.chunk(*GAMMA_1) + png.chunk(*ADOBE_CHROMA))
    with PIL.Image.open(io.BytesIO(images.encode(images.decode(data), target))) as opened:
        profile = opened.info["icc_profile"]
    levels = np.arange(256, dtype=np.uint8)
    assert icc.model(profile) == icc.GREY
    assert np.abs(shown(profile, levels[None], "L")[0, :, 1] - 255 * srgb(levels / 255)).max() < 1.6


@pytest.mark.parametrize("name", MEANT)
def test_png_goes_on_saying_it_in_its_own_way(name):
    given = MEANT[name][0]
    written = images.encode(images.decode(described(*given)), "png")
    assert set(given) <= set(png.chunks(written)) and b"iCCP" not in written


@pytest.mark.parametrize("given", [
    [], [(b"gAMA", struct.pack(">I", 45455))], [(b"sRGB", b"\0")], [cicp(1, 13, 0, 1)], [(b"sRGB", b"\0"), GAMMA_1],
    [(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))],
    [(b"gAMA", bytes(4))], [(b"gAMA", b"\0")], [cicp(16, 0)],
    [(b"pHYs", b"\0")], [(b"eXIf", b"")], [(b"iCCP", b"")], [(b"tEXt", b"")], [(b"iTXt", b"a\0")],
    [(b"zTXt", b"a\0\0junk")], [(b"cHRM", b"abc")], [(b"sRGB", b"")], [(b"acTL", b"")], [(b"fcTL", b"abc")],
])  # fmt: skip
def test_srgb_and_nonsense_get_no_profile(given):
    read = images.decode(described(*given))
    assert metadata.lost(read.metadata, "jpeg") == metadata.lost(read.metadata, "bmp") == ""
    with PIL.Image.open(io.BytesIO(images.encode(read, "jpeg"))) as opened:
        assert "icc_profile" not in opened.info


@pytest.mark.parametrize("given, form, said", [
    ([GAMMA_1], "bmp", "gamma 1"), ([ADOBE_CHROMA], "bmp", "not those of sRGB"),
    ([cicp(9, 16, 0, 1)], "tiff", "Rec. 2020 PQ (HDR)"), ([cicp(9, 18, 0, 1)], "avif", "Rec. 2020 HLG (HDR)"),
    ([cicp(12, 13, 0, 0)], "jpeg", "Display P3"), ([cicp(200, 13, 0, 1)], "jpeg", "not those of sRGB"),
    ([(b"cHRM", bytes(32))], "jpeg", "not those of sRGB"), ([(b"cHRM", b"\xff" * 32)], "jpeg", "not those of sRGB"),
    ([(b"cHRM", struct.pack(">8I", *range(31000, 31008)))], "jpeg", "not those of sRGB"),
    ([(b"gAMA", struct.pack(">I", 1))], "jpeg", "gamma 1e-05"),
])  # fmt: skip
def test_what_no_profile_can_say_is_named(given, form, said):
    read = images.decode(described(*given))
    assert metadata.lost(read.metadata, form) == f"its colours are {said}, which {form} does not say; write png"
    assert metadata.fitting(read.metadata, read.pixels, form).icc == b"" or form == "bmp"
    assert metadata.lost(read.metadata, "png") == "" and images.encode(read, form)


@pytest.mark.parametrize("name", MEANT)
@pytest.mark.parametrize("is_grey", [False, True])
@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool")
def test_exiftool_finds_no_fault_with_a_profile(name, is_grey, tmp_path):
    meant = colours.stated(tuple(png.chunk(*each) for each in MEANT[name][0]))
    (tmp_path / "a.icc").write_bytes(meant.profile(is_grey))
    done = subprocess.run(
        ["exiftool", "-validate", "-warning", "-s3", "-a", tmp_path / "a.icc"], capture_output=True, text=True
    )
    assert done.stdout.strip() == "OK"


def avif(primaries, curve):
    """An AVIF file that gives codes of H.273 in place of a profile."""
    data = pillow(RGB, "avif", quality=100, subsampling="4:4:4")
    return data.replace(b"colrnclx\0\1\0\x0d", b"colrnclx" + struct.pack(">HH", primaries, curve), 1)


def heic(primaries, curve):
    library, written = pytest.importorskip("pillow_heif"), io.BytesIO()
    codes = {"color_primaries": primaries, "transfer_characteristics": curve}
    library.from_pillow(RGB.resize((64, 64))).save(written, quality=95, **codes)
    return written.getvalue()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("stored", [avif, heic])
@pytest.mark.parametrize("target", ["avif", "tiff", "jpeg"])
def test_codes_of_avif_and_heic_become_a_profile(stored, target):
    with PIL.Image.open(io.BytesIO(images.encode(images.decode(stored(12, 13)), target))) as opened:
        profile = opened.info["icc_profile"]
    expected = 255 * srgb(np.linalg.solve(SRGB_XYZ, P3_XYZ @ light(PATCHES.T / 255))).T
    assert np.abs(shown(profile, PATCHES[None])[0] - expected).max() < 1.6


@pytest.mark.parametrize("stored", [avif, heic])
def test_codes_of_avif_and_heic_go_to_png_or_are_named(stored):
    read = images.decode(stored(9, 16))
    assert cicp(9, 16, 0, 1) in list(png.chunks(images.encode(read, "png")))
    assert "PQ (HDR)" in metadata.lost(read.metadata, "avif") and images.encode(read, "avif")
    plain = images.decode(stored(1, 13))
    assert plain.metadata.native == () and metadata.lost(plain.metadata, "bmp") == ""
