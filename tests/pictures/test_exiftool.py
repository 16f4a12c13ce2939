"""What travels beside the pixels, written and read by exiftool, which shares no code with any library used here."""

import io
import json
import shutil
import subprocess

import numpy as np
import PIL.Image
import pytest

from deblurcli.batch import run
from deblurcli.batch.jobs import Options
from tests.pictures.test_beside import GREY, SRGB, grey_profile, pillow, turned_photograph
from tests.pictures.test_inputs import dng, heic

pytestmark = pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool")
PHOTOGRAPH = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
SUFFIXES = {"jpeg": "jpg", "tiff": "tif", "png": "png", "webp": "webp", "avif": "avif"}
TAKEN = {
    "IFD0:Make": "A maker", "IFD0:Model": "Model 5", "IFD0:Artist": "Zoë", "IFD0:Copyright": "2026 Zoë",
    "IFD0:ImageDescription": "A walk", "IFD0:Software": "Editor", "IFD0:ModifyDate": "2026:11:01 10:00:00",
    "ExifIFD:ExposureTime": 0.008, "ExifIFD:FNumber": 2.8, "ExifIFD:ISO": 400, "ExifIFD:FocalLength": 50,
    "ExifIFD:DateTimeOriginal": "2026:10:31 09:08:07", "ExifIFD:OffsetTimeOriginal": "+01:00",
    "ExifIFD:LensModel": "Lens 50mm", "ExifIFD:UserComment": "by the sea", "ExifIFD:ColorSpace": 1,
    "ExifIFD:ExifVersion": "0232", "ExifIFD:ExposureCompensation": -0.333333333333333,
    "ExifIFD:LensInfo": "50 50 1.8 1.8",
    "InteropIFD:InteropIndex": "R98",
    "GPS:GPSLatitude": 48.1372, "GPS:GPSLatitudeRef": "N", "GPS:GPSLongitude": 11.5756, "GPS:GPSLongitudeRef": "E",
    "GPS:GPSAltitude": 519, "GPS:GPSAltitudeRef": 0,
    "XMP-dc:Title": "Walk", "XMP-dc:Subject": ["dog", "sea"], "XMP-xmp:Rating": 4,
}  # fmt: skip
CAPTIONS = {"IPTC:Caption-Abstract": "A dog", "IPTC:Keywords": ["dog", "sea"], "IPTC:CopyrightNotice": "2026 Zoë"}
IPTC = ("jpeg", "tiff")  # which hold it


def tags(*places):
    """All tags of each file by group and name, numbers as numbers, and what exiftool has against its structure."""
    options = ["-json", "-G1", "-n", "-a", "-validate", "-all"]
    done = subprocess.run(["exiftool", *options, *places], capture_output=True, check=True)
    return [
        {name: value for name, value in found.items() if not name.startswith(("System:", "File:"))}
        for found in json.loads(done.stdout)
    ]


def tagged(place, values):
    """Write tags into a file."""
    given = [
        f"-{name}={each}" for name, value in values.items() for each in (value if isinstance(value, list) else [value])
    ]
    options = ["-n", "-q", "-overwrite_original", "-codedcharacterset=utf8"]
    subprocess.run(["exiftool", *options, *given, place], check=True, capture_output=True)
    return place


def through(source, *targets):
    """The tags of a file, and of what became of it when it was changed and written as others."""
    for target in targets:
        work = run.Plain(lambda picture: picture.with_pixels(picture.pixels // 2))
        [outcome] = run.transform(source, target, work, Options()).outcomes
        assert not outcome.error
    return tags(source, *targets)


def held(found, expected):
    return {name: found.get(name) for name in expected}


@pytest.mark.parametrize("source", SUFFIXES)
def test_what_a_photographer_would_miss_is_carried(source, tmp_path):
    place = tmp_path / f"a.{SUFFIXES[source]}"
    PHOTOGRAPH.save(place, source, icc_profile=SRGB)
    given = TAKEN | (CAPTIONS if source in IPTC else {})
    tagged(place, given)
    before, *found = through(place, *(tmp_path / f"b.{suffix}" for suffix in SUFFIXES.values()))
    known = {name: before[name] for name in given if name in before}
    assert len(known) > len(given) - 3, "exiftool wrote what it was asked for"
    for target, after in zip(SUFFIXES, found):
        expected = {name: value for name, value in known.items() if target in IPTC or not name.startswith("IPTC:")}
        assert held(after, expected) == expected, target
        assert after["ICC_Profile:ProfileDescription"] == before["ICC_Profile:ProfileDescription"]
        assert not after["ExifTool:Validate"].startswith("1"), after


def test_a_turned_photograph_says_nothing_of_its_old_pixels(tmp_path):
    data, _ = turned_photograph()
    (tmp_path / "a.jpg").write_bytes(data)
    described = {"tiff:Orientation": 6, "exif:ExifImageWidth": 20, "exif:ExifImageHeight": 24, "dc:Title": "Walk"}
    tagged(tmp_path / "a.jpg", {"XMP:all": "", **{f"XMP-{name}": value for name, value in described.items()}})
    targets = ("jpg", "png", "webp", "tif")
    before, *found = through(tmp_path / "a.jpg", *(tmp_path / f"b.{suffix}" for suffix in targets))
    assert before["IFD0:Orientation"] == before["XMP-tiff:Orientation"] == 6 and "IFD1:ThumbnailImage" in before
    for target, after in zip(targets, found):
        assert after.get("IFD0:Orientation", 1) == 1 and after["XMP-tiff:Orientation"] == 1
        assert (after["ExifIFD:ExifImageWidth"], after["ExifIFD:ExifImageHeight"]) == (24, 20), target
        assert (after["XMP-exif:ExifImageWidth"], after["XMP-exif:ExifImageHeight"]) == (24, 20)
        assert not any("Thumbnail" in name for name in after)
        resolution = {"jpg": "JFIF", "tif": "IFD0"}.get(target)
        if resolution:
            assert (after[f"{resolution}:XResolution"], after[f"{resolution}:YResolution"]) == (150, 300)


@pytest.mark.parametrize("mode, form", [("LA", "png"), ("L", "jpeg"), ("L", "tiff"), ("L", "png")])
def test_a_profile_is_of_the_colour_model_of_its_file(mode, form, tmp_path):
    place = tmp_path / f"a.{SUFFIXES[form]}"
    place.write_bytes(pillow(GREY.convert(mode), form, icc_profile=grey_profile()))
    targets = ("png", "webp", "avif", "tif")
    _, *found = through(place, *(tmp_path / f"b.{suffix}" for suffix in targets))
    for target, after in zip(targets, found):
        grey = mode == "L" and target != "webp"
        assert after["ICC-header:ColorSpaceData"].strip() == ("GRAY" if grey else "RGB"), target


def test_a_further_picture_is_neither_kept_nor_announced(tmp_path):
    written = io.BytesIO()
    PHOTOGRAPH.save(written, "mpo", save_all=True, append_images=[PHOTOGRAPH.convert("L").resize((16, 12))])
    (tmp_path / "a.jpg").write_bytes(written.getvalue())
    tagged(tmp_path / "a.jpg", {"XMP-GDepth:Near": 2.5, "XMP-GImage:MimeType": "image/jpeg", "XMP-dc:Title": "Walk"})
    before, after = through(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert before["XMP-GDepth:Near"] == 2.5 and before["MPF0:NumberOfImages"] == 2
    assert (
        not any(name.startswith(("XMP-GDepth", "XMP-GImage", "MPF")) for name in after)
        and after["XMP-dc:Title"] == "Walk"
    )


def test_comments_and_texts_stay_in_their_format(tmp_path):
    PHOTOGRAPH.save(tmp_path / "a.jpg")
    PHOTOGRAPH.save(tmp_path / "a.png")
    tagged(tmp_path / "a.jpg", {"Comment": "By the sea"})
    texts = {"PNG:Title": "Walk", "PNG:Author": "Zoë", "PNG:Comment": "By the sea"}
    tagged(tmp_path / "a.png", texts)
    through(tmp_path / "a.jpg", tmp_path / "b.jpg")
    done = subprocess.run(["exiftool", "-s3", "-Comment", tmp_path / "b.jpg"], capture_output=True, text=True)
    assert done.stdout.strip() == "By the sea"
    before, after = through(tmp_path / "a.png", tmp_path / "b.png")
    assert held(before, texts) == held(after, texts) == texts


@pytest.mark.parametrize("kind", ["raw", "heic"])
def test_what_is_only_read_keeps_exposure_and_place(kind, tmp_path):
    pytest.importorskip("rawpy" if kind == "raw" else "pillow_heif")
    place = tmp_path / ("a.dng" if kind == "raw" else "a.heic")
    place.write_bytes(dng() if kind == "raw" else heic(PHOTOGRAPH))
    tagged(place, {name: value for name, value in TAKEN.items() if not name.startswith("XMP")})
    before, after = through(place, tmp_path / "b.tif")
    expected = {name: before[name] for name in TAKEN if name in before}
    assert len(expected) > 20 and held(after, expected) == expected


def test_maker_notes_stay_but_in_tiff_which_moves_them(tmp_path):
    block = PIL.Image.Exif()
    block.get_ifd(0x8769)[0x927C] = b"Some maker\0" + bytes(range(64))
    PHOTOGRAPH.save(tmp_path / "a.jpg", exif=block)
    through(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "b.tif")
    for name, stays in (("b.jpg", True), ("b.tif", False)):
        with PIL.Image.open(tmp_path / name) as opened:
            assert (0x927C in opened.getexif().get_ifd(0x8769)) == stays
