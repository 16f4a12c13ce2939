"""A part of a picture restored by itself, and in several ways side by side."""

from pathlib import Path

import numpy as np
import pytest

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.errors import ImageError
from deblurcli.metrics.table import psnr
from deblurcli.pictures import crops, images
from deblurcli.pictures.crops import Crop
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.preview import Detail, Sheet, Variant
from deblurcli.pipeline.restoration import Alone, Restoration, restoration
from deblurcli.pipeline.sources import Estimated
from tests.shell import messages, run

SPEC = "motion:9,angle=30"
PART = Crop(96, 64, 40, 30)
PLACE = np.s_[30:94, 40:136]


@pytest.fixture(scope="module")
def blurred(sharp):
    return Picture(images.from_float(blur(sharp, psf.parse(SPEC).array()), np.uint8))


def known(method="wiener"):
    return restoration(SPEC, DeconvolutionOptions(1e-3), method, Path())


def nearness(one, other):
    return psnr(images.to_float(one), images.to_float(other))


def test_a_part_comes_out_as_in_the_whole_picture(blurred):
    whole = known()(blurred, "a").picture.pixels
    part = Detail(Variant("", known()), PART)(blurred, "a").picture
    assert part.size == (96, 64) and nearness(part.pixels, whole[PLACE]) > 40
    assert nearness(part.pixels, blurred.pixels[PLACE]) < 35


def test_the_blur_is_that_of_the_whole_picture(blurred):
    seen = []

    def source(picture, key):
        seen.append(picture.size)
        return Estimated()(picture, key)

    work = Restoration(source, DeconvolutionOptions(), "wiener")
    ways = [
        Variant("half", work, 0.5),
        Variant("all", work),
        Variant("other", Restoration(source, DeconvolutionOptions(), "sparse")),
    ]
    made = Sheet(ways, PART)(blurred, "a")
    assert seen == [blurred.size], "it is looked for once"
    assert made.fields["verdict"] == "motion" and made.note == "restored, straight motion"


def test_transparency_is_cut_with_the_picture(blurred):
    alpha = np.full(blurred.pixels.shape[:2], 255, np.uint8)
    alpha[30:40] = 7
    part = Detail(Variant("", known()), PART)(Picture(blurred.pixels, alpha), "a").picture
    np.testing.assert_array_equal(part.alpha, alpha[PLACE])


def test_a_sheet_shows_the_part_before_and_after_each_way(blurred):
    def inverted(picture, progress):
        return picture.with_pixels(255 - picture.pixels)

    work, large = Alone(inverted, "mine"), Crop(300, 256)
    tall = Picture(np.tile(blurred.pixels, (2, 2, 1)))
    sheet = Sheet([Variant("half", work, 0.5), Variant("all", work)], large)(tall, "a").picture.pixels
    before = crops.cut(tall, large.within(tall.size)).pixels
    wide = before.shape[1]
    places = [column for column in range(sheet.shape[1] - wide + 1) for row in _row(sheet, before) if np.array_equal(
        sheet[row, column : column + wide], before[0])]  # fmt: skip
    assert len(places) == 1
    row = _row(sheet, before)[0]
    step = (sheet.shape[1] - 2 * places[0] - wide) // 2
    columns = [sheet[row : row + 256, places[0] + index * step :][:, :wide] for index in range(3)]
    np.testing.assert_array_equal(columns[0], before)
    assert np.abs(columns[1].astype(int) - 127.5).max() <= 1
    np.testing.assert_array_equal(columns[2], 255 - before)


def _row(sheet, before):
    """The rows of the sheet in which the first row of a picture stands."""
    line = before[0].tobytes()
    return [index for index, row in enumerate(sheet) if line in row.tobytes()]


@pytest.mark.parametrize(
    "text, size, expected",
    [
        ("10,20,30,40", (100, 90), np.s_[20:60, 10:40]),
        ("centre:40", (100, 90), np.s_[25:65, 30:70]),
        ("centre:95", (100, 90), np.s_[0:90, 2:97]),
        ("centre:512", (100, 90), np.s_[0:90, 0:100]),
    ],
)
def test_crops(text, size, expected):
    part = Crop.parse(text).within(size)
    assert part == expected
    assert (
        crops.inside(part, crops.grown(part, 10, size)) != ()
        and crops.grown(part, 1000, size) == np.s_[0 : size[1], 0 : size[0]]
    )


def test_a_part_that_is_not_there_is_an_error():
    with pytest.raises(ImageError, match="100×90 pixels do not hold 80,20,30,40; choose another --crop"):
        Crop.parse("80,20,30,40").within((100, 90))


@pytest.fixture(scope="module")
def files(blurred, tmp_path_factory):
    place = tmp_path_factory.mktemp("preview")
    images.write_picture(place / "a.png", blurred)
    return place


def test_deblur_writes_a_part_or_a_sheet(files):
    done = run("deblur", "a.png", "part.png", "--crop", "40,30,96,64", "--model", "photo", cwd=files)
    assert done.returncode == 0 and images.read_picture(files / "part.png").size == (96, 64)
    done = run("deblur", "a.png", "sheet.png", "--crop", "center:64", "--try", "strength=0,1", cwd=files)
    assert done.returncode == 0 and messages(done)[-2:] == ["deblur: 1 × restored, straight motion", "deblur: 1 done"]
    assert images.read_picture(files / "sheet.png").size[0] > 3 * 256


def test_wiener_tries_methods(files):
    options = ("--psf", SPEC, "--crop", "0,0,64,64")
    assert run("wiener", "a.png", "w.png", *options, "--try", "method=wiener,sparse", cwd=files).returncode == 0
    assert run("wiener", "a.png", "n.png", *options, "--try", "nsr=0.001,0.1,auto", cwd=files).returncode == 0
    three, four = (images.read_picture(files / name).size[0] for name in ("w.png", "n.png"))
    assert four > 1.25 * three


@pytest.mark.parametrize(
    "options, message",
    [
        (["deblur", "--try", "strength=0.5,2"], "'2' is not a number from 0 to 1"),
        (["deblur", "--try", "colour=red"], "'colour=red' is not strength=VALUE,... or model=VALUE,..."),
        (["deblur", "--try", "strength="], "is not strength=VALUE"),
        (["deblur", "--try", "strength=" + ",".join("123456789")], "has 9 values; give at most 8"),
        (["deblur", "--crop", "1,2,3"], "is not X,Y,W,H in pixels, such as 40,60,128,96, or centre:512"),
        (["deblur", "--crop", "centre:9", "--in-place"], "would replace the picture by a part of it"),
        (["wiener", "--psf", "auto", "--try", "method=magic"], "'magic' is unknown; choose one of wiener"),
        (["wiener", "--psf", "auto", "--try", "nsr=x"], "'x' is neither auto nor a number"),
    ],
)
def test_what_makes_no_sense_is_refused(files, options, message):
    done = run(options[0], "a.png", "x.png", *options[1:], cwd=files)
    assert done.returncode == 2 and message in " ".join(done.stderr.decode().split())
    assert not (files / "x.png").exists()


def test_a_picture_that_does_not_hold_the_part_fails_and_is_named(files):
    done = run("deblur", "a.png", "x.png", "--crop", "9999,0,10,10", cwd=files)
    assert done.returncode == 1 and messages(done)[1].startswith(
        "error: a.png: 192×256 pixels do not hold 9999,0,10,10"
    )
