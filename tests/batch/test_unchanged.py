"""A picture that is left alone keeps its file's bytes, and in place the very file."""

import os

import numpy as np
import PIL.Image
import pytest

from deblurcli.batch import run as batch
from deblurcli.batch.jobs import Options
from deblurcli.batch.record import DONE
from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.psf import parse
from deblurcli.pictures import formats, images, metadata
from deblurcli.pictures.images import Picture
from deblurcli.pictures.metadata import Metadata
from deblurcli.pictures.storage import STANDARD
from tests.conftest import DATA
from tests.pictures.test_metadata import stored
from tests.shell import messages, run

FORMS = [form for form in ("jpeg", "png", "webp", "tiff", "avif") if form in formats.FORMATS]


def unchanged(picture):
    return picture


def ran(source, target, function=unchanged, **options):
    """Apply a function, and the outcomes; all are done."""
    outcomes = list(batch.transform(source, target, batch.Plain(function), Options(**options)).outcomes)
    assert [outcome.status for outcome in outcomes] == [DONE] * len(outcomes), [each.error for each in outcomes]
    return outcomes


@pytest.fixture
def photo(tmp_path):
    """A JPEG file from another program, lying on its side, with metadata."""
    path = tmp_path / "in" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(stored("jpeg", orientation=6))
    return path


def state(path):
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, path.read_bytes()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("form", FORMS)
def test_the_bytes_are_the_input_s(form, orientation, tmp_path):
    path = tmp_path / f"a{formats.FORMATS[form].suffixes[0]}"
    path.write_bytes(stored(form, orientation))
    (outcome,) = ran(path, tmp_path / "out")
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    turned = orientation == 6
    assert (outcome.result.width, outcome.result.height) == ((20, 30) if turned else (30, 20)), "as people see it"


@pytest.mark.parametrize("function", [unchanged, lambda picture: picture.with_pixels(picture.pixels.copy())])
def test_in_place_nothing_is_touched(function, photo):
    os.utime(photo, ns=(10**18, 10**18))
    before = state(photo)
    for source in (photo.parent, photo):
        ran(source, STANDARD, function, in_place=True)
        assert state(photo) == before
    ran(photo, photo, function, in_place=True)
    assert state(photo) == before and list(photo.parent.iterdir()) == [photo]


def test_a_link_to_the_input_is_the_input(photo, tmp_path):
    (tmp_path / "link.jpg").symlink_to(photo)
    before = state(photo)
    ran(photo, tmp_path / "link.jpg", in_place=True)
    assert state(photo) == before and (tmp_path / "link.jpg").is_symlink()


def test_one_sample_that_differs_is_a_change(photo, tmp_path):
    def touched(picture):
        pixels = picture.pixels.copy()
        pixels[-1, -1, -1] ^= 1
        return picture.with_pixels(pixels)

    ran(photo, tmp_path / "out.jpg", touched)
    assert (tmp_path / "out.jpg").read_bytes() != photo.read_bytes()


def test_another_format_is_coded(photo, tmp_path):
    before = images.read_picture(photo)
    for target, options in (("out.png", {}), ("out", {"format": "png"})):
        ran(photo, tmp_path / target, **options)
        path = tmp_path / "out" / "photo.png" if target == "out" else tmp_path / target
        after = images.read_picture(path)
        assert after.format == "png" and after.metadata.icc == before.metadata.icc
        np.testing.assert_array_equal(after.pixels, before.pixels)


def test_what_the_ending_names_is_written_whatever_the_file_was(photo, tmp_path):
    (tmp_path / "wrong.jpg").write_bytes(stored("png"))
    ran(tmp_path / "wrong.jpg", STANDARD, in_place=True)
    assert images.read_picture(tmp_path / "wrong.jpg").format == "jpeg"


@pytest.mark.parametrize("form", FORMS)
def test_strip_still_strips(form, tmp_path):
    path = tmp_path / f"a{formats.FORMATS[form].suffixes[0]}"
    path.write_bytes(stored(form))
    ran(path, tmp_path / "out", strip=True)
    assert metadata.read(formats.header((tmp_path / "out" / path.name).read_bytes())) == Metadata()
    ran(path, STANDARD, strip=True, in_place=True)
    assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()


@pytest.mark.parametrize("form, is_coded", [("jpeg", True), ("webp", True), ("png", False), ("tiff", False)])
def test_a_quality_codes_anew_where_there_is_one(form, is_coded, tmp_path):
    path = tmp_path / f"a{formats.FORMATS[form].suffixes[0]}"
    path.write_bytes(stored(form))
    ran(path, tmp_path / "out", quality=30)
    written = (tmp_path / "out" / path.name).read_bytes()
    assert len(written) < path.stat().st_size if is_coded else written == path.read_bytes()


def test_a_background_changes_nothing_where_none_is_needed(tmp_path):
    clear = Picture(np.full((8, 8, 3), 90, np.uint8), np.zeros((8, 8), np.uint8))
    images.write_picture(tmp_path / "in" / "clear.png", clear)
    (tmp_path / "in" / "photo.jpg").write_bytes(stored("jpeg"))
    ran(tmp_path / "in", tmp_path / "out", background=(255, 0, 0))
    for name in ("clear.png", "photo.jpg"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "in" / name).read_bytes()
    ran(tmp_path / "in" / "clear.png", tmp_path / "red.jpg", background=(255, 0, 0))
    assert np.abs(images.read_picture(tmp_path / "red.jpg").pixels.astype(int) - [255, 0, 0]).max() < 12


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"something else"), lambda path: path.unlink()])
def test_a_file_that_changes_meanwhile_is_written_as_it_was_seen(spoil, photo, tmp_path):
    before = images.read_picture(photo)

    def slow(picture):
        spoil(photo)
        return picture

    ran(photo, tmp_path / "out.jpg", slow)
    after = images.read_picture(tmp_path / "out.jpg")
    assert after.metadata == before.metadata
    assert np.abs(after.pixels.astype(int) - before.pixels).mean() < 8, "coded anew"


def test_a_blur_of_nothing_changes_nothing(photo, tmp_path):
    work = Blurrer(parse("box:1"))
    list(batch.transform(photo, tmp_path / "out.jpg", work).outcomes)
    assert (tmp_path / "out.jpg").read_bytes() == photo.read_bytes()


@pytest.mark.parametrize("source", ["-", "/dev/stdin"])
def test_a_pipe_gives_the_same_bytes(source, tmp_path):
    data = stored("jpeg")
    done = run("deblur", source, "-", "--strength", "0", stdin=data)
    assert done.returncode == 0 and done.stdout == data
    assert "deblur: 1 × left unchanged, as a strength of 0 asks" in messages(done)
    assert run("deblur", source, tmp_path / "out.jpg", "--strength", "0", stdin=data).returncode == 0
    assert (tmp_path / "out.jpg").read_bytes() == data


@pytest.mark.parametrize("command", [["deblur"], ["wiener", "--psf", "auto"]])
def test_the_commands_leave_a_sharp_photograph_as_it_was(command, tmp_path):
    with PIL.Image.open(DATA / "sharp" / "astronaut.png") as opened:
        opened.convert("RGB").save(tmp_path / "a.jpg", quality=97, comment="kept")
    os.utime(tmp_path / "a.jpg", ns=(10**18, 10**18))
    before = state(tmp_path / "a.jpg")
    for target in (["out.jpg"], ["--in-place"]):
        done = run(command[0], "a.jpg", *target, *command[1:], cwd=tmp_path)
        assert f"{command[0]}: 1 × left unchanged, it looks sharp" in messages(done)
    assert (tmp_path / "out.jpg").read_bytes() == before[2] and state(tmp_path / "a.jpg") == before


def test_pictures_are_equal_in_all_they_hold():
    pixels = np.random.default_rng(0).integers(0, 255, (600, 5, 3), np.uint8)
    alpha = np.full((600, 5), 9, np.uint8)
    one = Picture(pixels, alpha)
    assert one.equals(one) and one.equals(Picture(pixels.copy(), alpha.copy()))
    other = pixels.copy()
    other[599] ^= 1
    for different in (
        Picture(other, alpha), Picture(pixels, alpha + 1), Picture(pixels), Picture(pixels[1:], alpha),
        Picture(pixels.astype(np.uint16), alpha), Picture(pixels, alpha, metadata=Metadata(xmp=b"x")),
    ):  # fmt: skip
        assert not one.equals(different) and not different.equals(one)
