"""`estimate`, and `wiener` with the PSF it finds."""

import json
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from deblurcli import parallel
from deblurcli.blur import families, psf
from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.model import blur
from deblurcli.deconvolution import methods, tiled
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.wiener import wiener
from deblurcli.inference.restorer import refiner_of_large
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images, noise
from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Processed
from deblurcli.pipeline import correction
from deblurcli.pipeline import restoration as restoring
from deblurcli.pipeline.actions import KINDS
from deblurcli.pipeline.describe import EstimateWork
from deblurcli.pipeline.restoration import Blend, Restoration, restoration
from deblurcli.pipeline.sources import AUTO, Finding
from tests.conftest import DATA, interruptible
from tests.shell import messages, run


@pytest.fixture(scope="module")
def large():
    """A sharp photograph of 768 × 512."""
    return np.tile(images.read(DATA / "sharp" / "astronaut.png"), (2, 3, 1))[:, :768]


def eight_bits(image):
    return Picture(images.from_float(image, np.uint8))


@pytest.mark.parametrize("spec", ["motion:length=13,angle=30", "gaussian:sigma=2"])
def test_a_blur_that_is_found_is_undone(sharp, spec):
    noisy = Blurrer(psf.parse(spec), noise=0.005)(eight_bits(sharp), "a").picture
    made = restoration(AUTO, DeconvolutionOptions(), "wiener", Path())(noisy, "a")
    before, after = (psnr(images.to_float(picture.pixels), sharp) for picture in (noisy, made.picture))
    assert after > before + 1
    family = spec.partition(":")[0]
    assert made.fields["family"] == family and made.fields["confidence"] > 0.8
    assert made.note == f"restored, {KINDS[family]}"


@pytest.mark.parametrize("what", ["sharp", "noise"])
def test_what_is_sharp_or_not_certain_is_left_as_it_was(sharp, what):
    image = sharp if what == "sharp" else np.random.default_rng(0).random((90, 80, 3), np.float32)
    picture = eight_bits(image)
    made = restoration(AUTO, DeconvolutionOptions(), "sparse", Path())(picture, "a")
    assert made.picture is picture and made.note.startswith("left unchanged")


@pytest.mark.parametrize(
    "found, reason",
    [
        (Finding(None, {}, reason="its blur is uncertain"), "its blur is uncertain"),
        (
            Finding(psf.parse("motion:25").array(), {}, nsr=1e-7, is_estimated=True),
            "undoing its blur would add ripples",
        ),
        (Finding(None, {}, reason="it looks sharp", sharpness=0.95), None),
        (Finding(None, {}, reason="it looks sharp", sharpness=0.6), "its blur is slight"),
    ],
)
def test_what_is_not_certain_is_restored_blindly_if_it_is_not_sharp(sharp, found, reason):
    noisy = sharp + np.random.default_rng(0).normal(0, 0.02, sharp.shape).astype(np.float32)
    picture, other = eight_bits(noisy), eight_bits(1 - sharp)
    made = Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", blind=lambda given, progress: other)(
        picture, "a"
    )
    if reason is None:
        assert made.picture is picture and made.note == "left unchanged, it looks sharp"
    else:
        assert made.picture is other and made.note == f"restored blindly by photo, {reason}"
        assert made.fields["method"] == "photo"


def test_a_refiner_gets_the_blurred_pixels_and_the_restoration_not_yet_rounded(sharp, monkeypatch):
    given = []

    class Halfway:
        """Half of each."""

        halo = 0

        def restore(self, pixels, bold, careful):
            given.extend((pixels, careful, bold))
            return (pixels + careful) / 2

        def suppress_halos(self, restored, blurred):
            assert blurred is given[0]
            return restored

    monkeypatch.setattr(correction, "enforce_data_consistency", lambda restored, *_: restored)
    blurred, spec = eight_bits(blur(sharp, families.gaussian(2))), "gaussian:2"
    refined = restoration(spec, DeconvolutionOptions(), "wiener", Path(), refiner=Halfway())(blurred, "a").picture
    plain = restoration(spec, DeconvolutionOptions(), "wiener", Path())(blurred, "a").picture
    np.testing.assert_array_equal(given[0], images.to_float(blurred.pixels))
    assert given[1].dtype == np.float32
    np.testing.assert_array_equal(images.from_float(given[1], np.uint8), plain.pixels)
    detail = [np.abs(np.diff(image, axis=0)).mean() for image in (given[2], given[1], sharp)]
    assert detail[0] > detail[1], "the bold one has more detail, and more noise"
    between = (blurred.pixels.astype(int) + plain.pixels) / 2
    assert np.abs(refined.pixels - between).max() <= 1


@pytest.mark.parametrize("asked, expected", [(None, 0.01), (0.2, 0.2)])
def test_what_is_refined_needs_less_care_unless_a_ratio_is_asked_for(sharp, monkeypatch, asked, expected):
    given = []

    class Careful:
        """The careful one as it is."""

        halo = 0

        def restore(self, pixels, bold, careful):
            given.append(careful)
            return careful

        def suppress_halos(self, restored, blurred):
            return restored

    monkeypatch.setattr(correction, "enforce_data_consistency", lambda restored, *_: restored)
    kernel, picture = psf.parse("gaussian:2").array(), eight_bits(blur(sharp, families.gaussian(2)))
    found = Finding(kernel, {}, nsr=0.03, refined_nsr_scale=1 / 3)
    Restoration(lambda *_: found, DeconvolutionOptions(nsr=asked), "wiener", Careful())(picture, "a")
    np.testing.assert_allclose(given[0], wiener(picture.pixels, kernel, expected), atol=1e-6)
    plain = Restoration(lambda *_: found, DeconvolutionOptions(nsr=asked), "wiener")(picture, "a").picture
    careful = wiener(picture.pixels, kernel, 0.03 if asked is None else asked)
    np.testing.assert_array_equal(plain.pixels, images.from_float(careful, np.uint8))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_blend_lies_between_the_picture_and_the_restored_one(dtype, channels):
    rng = np.random.default_rng(0)
    pixels, other = (rng.integers(0, np.iinfo(dtype).max, (30, 20, channels), dtype) for _ in range(2))
    picture = Picture(pixels, rng.integers(0, 255, (30, 20), dtype))
    for strength in (0.01, 0.25, 1.0):
        made = Blend(lambda given, _: Processed(given.with_pixels(other), {"model": "x"}, "so"), strength)(picture, "a")
        mixed = made.picture
        expected = pixels + strength * (other.astype(float) - pixels)
        assert np.abs(mixed.pixels - expected).max() <= 0.5 and mixed.pixels.dtype == dtype
        assert mixed.alpha is picture.alpha and made.note == "so"
        assert made.fields == {"model": "x", "strength": strength}
    with pytest.raises(ValueError, match=r"strength is 1\.5"):
        Blend(lambda given, _: Processed(given), 1.5)


def test_the_command_blends(tmp_path, sharp):
    images.write(tmp_path / "in" / "a.png", blur(sharp, families.gaussian(2, 9)))
    for name, strength in (("none", "0"), ("half", "0.5"), ("all", "1")):
        assert run("deblur", "in", name, "--strength", strength, "--model", "faces", cwd=tmp_path).returncode == 0
    before, none, half, whole = (
        images.read_picture(tmp_path / place / "a.png").pixels.astype(int) for place in ("in", "none", "half", "all")
    )
    assert (none == before).all() and np.abs(half - (before + whole) / 2).max() <= 0.5
    assert run("deblur", "in", "out", "--strength", "2", cwd=tmp_path).returncode == 2


def test_the_refining_network_gains_on_the_wiener_filter(sharp, tmp_path):
    noisy = Blurrer(psf.parse("motion:length=9,angle=40"), noise=0.008)(eight_bits(sharp), "a").picture
    images.write_picture(tmp_path / "in.png", noisy)
    scores = {}
    for name, options in (("plain", []), ("refined", ["--refine", "--provider", "cpu"])):
        report = tmp_path / f"{name}.jsonl"
        arguments = ["in.png", f"{name}.png", "--psf", "motion:length=9,angle=40", *options, "--report", report]
        assert run("wiener", *arguments, cwd=tmp_path).returncode == 0
        scores[name] = psnr(images.read(tmp_path / f"{name}.png"), sharp)
    assert scores["refined"] > scores["plain"] + 0.4
    refused = run("wiener", "in.png", "x.png", "--psf", "gaussian:1", "--refine", "--method", "sparse", cwd=tmp_path)
    assert refused.returncode == 2 and "--refine" in " ".join(messages(refused))


def test_deblur_undoes_what_is_certain_and_leaves_the_rest(sharp, tmp_path):
    images.write(tmp_path / "in" / "sharp.png", sharp)
    grey = blur(sharp, families.motion(15, 30)).mean(axis=2, keepdims=True)
    images.write(tmp_path / "in" / "soft.png", grey, depth=16)
    done = run("deblur", "in", "out", "--report", "r.jsonl", cwd=tmp_path)
    assert done.returncode == 0 and "deblur: 1 × left unchanged, it looks sharp" in messages(done)
    before, after = (images.read_picture(tmp_path / place / "soft.png") for place in ("in", "out"))
    assert after.pixels.dtype == np.uint16 and after.pixels.shape == before.pixels.shape
    truth = sharp.mean(axis=2, keepdims=True)
    assert psnr(images.to_float(after.pixels), truth) > psnr(images.to_float(before.pixels), truth) + 3
    assert (tmp_path / "out" / "sharp.png").read_bytes() == (tmp_path / "in" / "sharp.png").read_bytes()
    rows = {row["input"]: row for row in map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines()[:-1])}
    assert rows["in/soft.png"]["model"] == "auto" and rows["in/soft.png"]["psf"].startswith("motion:")


def test_estimate_tells_and_writes_the_psf(sharp, tmp_path):
    blurred = eight_bits(blur(sharp, families.motion(11, 70)))
    found = EstimateWork(place=tmp_path / "psfs")(blurred, "sub/a.jpg")
    assert found["family"] == "motion" and found["trusted"] and json.loads(json.dumps(found)) == found
    assert found["parameters"]["length"] == pytest.approx(11, abs=1)
    written = psf.parse(str(tmp_path / "psfs" / "sub" / "a.jpg.psf.png")).array()
    again = psf.parse(found["spec"]).array()
    assert abs(written.shape[0] - again.shape[0]) <= 2 and written.max() == pytest.approx(again.max(), rel=0.02)


def test_the_command_prints_a_line_for_every_picture(folder, sharp, tmp_path):
    images.write(folder / "a.png", blur(sharp, families.motion(15, 30)))
    (folder / "bad.png").write_text("x")
    done = run("estimate", folder, "--save-psf", tmp_path / "psfs")
    rows = {row["input"]: row for row in map(json.loads, done.stdout.decode().splitlines())}
    assert done.returncode == 1 and len(rows) == 3 and "bad.png" in messages(done)[0]
    row = rows[str(folder / "a.png")]
    assert psf.parse(row["spec"]).family == row["family"] == "motion" and row["trusted"]
    assert sorted(path.name for path in (tmp_path / "psfs").rglob("*.png")) == [
        "a.png.psf.png",
        "b.jpg.psf.png",
        "c.png.psf.png",
    ]


@pytest.mark.parametrize("noise", [0, 1 / 255])
def test_a_slope_is_no_blur(noise, tmp_path):
    """A clear sky: what looks like a wide Gaussian is only that nothing is there."""
    down, right = np.mgrid[:200, :300].astype(np.float32)
    slope = (60 + 0.5 * right + 0.2 * down)[..., None] / 255 + np.zeros(3, np.float32)
    slope += noise * np.random.default_rng(0).standard_normal(slope.shape, np.float32)
    picture = eight_bits(slope)
    made = restoration(AUTO, DeconvolutionOptions(), "wiener", Path())(picture, "a")
    assert made.picture is picture and made.fields["confidence"] == 0


def test_estimate_refuses_a_place_for_psfs_before_any_work(folder, tmp_path):
    (tmp_path / "file").write_text("x")
    for place, said in ((tmp_path / "file", "File exists"), (tmp_path / "k.txt", r".txt")):
        done = run("estimate", folder / "a.png" if place.suffix else folder, "--save-psf", place)
        assert done.returncode == 2 and done.stdout == b"" and said in messages(done)[0]


def test_an_interrupted_estimate_keeps_what_it_found(tmp_path, sharp):
    for index in range(40):
        images.write(tmp_path / "in" / f"{index}.png", blur(sharp, families.gaussian(1 + index / 20)))
    command = [sys.executable, "-m", "deblurcli", "estimate", "in", "--family", "gaussian", "--workers", "2"]
    with interruptible(command, cwd=tmp_path, stdout=subprocess.PIPE) as running:
        first = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        # read on as it was begun: `communicate` would miss lines that came together with the first
        rest, errors = running.stdout.read(), running.stderr.read()
    rows = [json.loads(line) for line in [first, *rest.splitlines()]]
    assert running.returncode == 130 and 1 <= len(rows) < 40
    assert f"estimate: {len(rows)} done, interrupted" in errors


def test_the_command_takes_a_pipe_and_refuses_one_file_for_many(folder, sharp, tmp_path):
    data = images.encode(eight_bits(blur(sharp, families.gaussian(2))), "png")
    done = run("estimate", "--family", "gaussian", "--save-psf", tmp_path / "k.npy", stdin=data)
    assert done.returncode == 0 and json.loads(done.stdout)["parameters"]["sigma"] == pytest.approx(2, abs=0.3)
    assert np.load(tmp_path / "k.npy").sum() == pytest.approx(1)
    for wrong in (["--save-psf", tmp_path / "k.npy"], ["--family", "magic"]):
        assert run("estimate", folder, *wrong).returncode == 2
    assert run("estimate", folder / "nothing").returncode == 2
    before = (folder / "a.png").read_bytes()
    for source, place in ((folder, folder), (folder, folder / "sub"), (folder / "a.png", folder / "a.png")):
        assert run("estimate", source, "--save-psf", place).returncode == 2
    assert (folder / "a.png").read_bytes() == before


def test_wiener_auto_says_what_it_left(sharp, tmp_path):
    images.write(tmp_path / "in" / "sharp.png", sharp)
    images.write(tmp_path / "in" / "soft.png", blur(sharp, families.motion(15, 30)))
    done = run("wiener", "in", "out", "--psf", "auto", "--report", "r.jsonl", cwd=tmp_path)
    assert done.returncode == 0
    assert messages(done) == [
        "wiener: 1 × left unchanged, it looks sharp",
        "wiener: 1 × restored, straight motion",
        "wiener: 2 done",
    ]
    rows = {row["input"]: row for row in map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines()[:-1])}
    assert rows["in/soft.png"]["psf"].startswith("motion:length=1")
    assert (tmp_path / "out" / "sharp.png").read_bytes() == (tmp_path / "in" / "sharp.png").read_bytes()
    soft, out = (images.read(tmp_path / place / "soft.png") for place in ("in", "out"))
    assert psnr(out, sharp) > psnr(soft, sharp) + 1


def test_threads_are_free_for_one_picture_alone(large, monkeypatch):
    """One picture may use all threads; the result is the same."""
    blurred = blur(large, families.gaussian(2))
    alone = wiener(blurred, families.gaussian(2))
    with parallel.alone(4):
        assert parallel.spare() == 4
        np.testing.assert_allclose(wiener(blurred, families.gaussian(2)), alone, atol=1e-5)
    assert parallel.spare() == 1


def test_clipped_lights_are_never_put_out():
    """Small lamps in the dark, smaller than the PSF would have left them: each has a white pixel still."""
    night = np.random.default_rng(0).integers(0, 9, (120, 160, 3), np.uint8)
    night[10:110:20, 10:150:20] = night[11:111:20, 10:150:20] = 255
    for method in ("wiener", "sparse"):
        restored = methods.restore(Picture(night), families.defocus(2), method=method).pixels
        lamps = np.maximum(restored[10:110:20, 10:150:20], restored[11:111:20, 10:150:20])
        assert (lamps == 255).all()


@pytest.mark.parametrize("method", methods.METHODS)
@pytest.mark.parametrize("channels, dtype", [(3, np.uint8), (1, np.uint16)])
def test_tiles_do_not_show(large, method, channels, dtype, monkeypatch):
    """Restored in tiles, a picture is as near to the sharp one, and no error stands at their borders."""
    truth = large if channels == 3 else large.mean(axis=2, keepdims=True)
    array = families.motion(9, 20)
    noisy = blur(truth, array) + np.random.default_rng(0).normal(0, 0.004, truth.shape).astype(np.float32)
    picture = Picture(images.from_float(noisy, dtype))
    whole = methods.restore(picture, array, method=method)
    monkeypatch.setattr(tiled, "TILE", 256)
    for threads in (1, 3):
        with parallel.alone(threads):
            parts = methods.restore(picture, array, method=method)
        assert parts.pixels.dtype == dtype and parts.pixels.shape == picture.pixels.shape
        if method == "inverse":
            continue
        errors = [np.square(images.to_float(made.pixels) - truth).mean(axis=(1, 2)) for made in (whole, parts)]
        assert errors[1].mean() < 1.05 * errors[0].mean()
        assert (errors[1] < 1.5 * errors[0] + 1e-4).all(), "no row is worse than the others"


def test_tiles_take_little_memory(monkeypatch):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (1536, 1024, 3), np.uint8)
    peaks = []
    for side in (4096, 256):
        monkeypatch.setattr(tiled, "TILE", side)
        tracemalloc.start()
        methods.restore(Picture(pixels), families.gaussian(1, 5))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 4


def test_a_part_of_a_large_picture_tells_its_noise(large, monkeypatch):
    smooth = blur(large, families.gaussian(2)) + np.random.default_rng(0).normal(0, 0.01, large.shape).astype(
        np.float32
    )
    before = noise.noise(smooth), noise.measured_nsr(smooth)
    monkeypatch.setattr(noise, "_ENOUGH", 200_000)
    assert noise.sample(smooth).size < 0.6 * smooth.size
    np.testing.assert_allclose((noise.noise(smooth), noise.measured_nsr(smooth)), before, rtol=0.1)
    np.testing.assert_array_equal(noise.sample(smooth[:200, :300]), smooth[:200, :300])


def test_the_refiner_sees_what_lies_around_each_tile(large, monkeypatch):
    """A refiner that looks 20 pixels around each gives the same in tiles as on the whole picture."""
    monkeypatch.setattr(tiled, "TILE", 256)
    seen, ticks = [], []

    class Means:
        """The mean of the blurred picture about each pixel."""

        halo = 20

        def restore(self, pixels, bold, careful):
            seen.append(pixels.shape)
            return cv2.blur(pixels, (41, 41), borderType=cv2.BORDER_REFLECT_101)

        def suppress_halos(self, restored, blurred):
            return restored

    monkeypatch.setattr(correction, "enforce_data_consistency", lambda restored, *_: restored)
    work = restoration("gaussian:1", DeconvolutionOptions(), "wiener", Path(), refiner=Means(), progress=ticks.append)
    made = work(eight_bits(large), "a").picture
    expected = cv2.blur(large, (41, 41), borderType=cv2.BORDER_REFLECT_101)
    assert len(seen) == len(ticks) > 6 and max(seen) < (300, 300) and sum(ticks) == pytest.approx(1)
    assert np.abs(images.to_float(made.pixels) - expected).max() < 1.6 / 255


def test_large_pictures_are_corrected_by_the_quicker_network(sharp, monkeypatch):
    picture = eight_bits(blur(sharp, families.motion(12, 30)))

    class Unused:
        """A refiner that is not to be asked."""

        halo = 0

    def restored(**refiners):
        work = restoration("motion:length=12,angle=30", DeconvolutionOptions(), "wiener", Path(), **refiners)
        return work(picture, "a").picture

    quick = refiner_of_large("cpu", workers=1)
    size = picture.pixels.shape[0] * picture.pixels.shape[1]
    monkeypatch.setattr(restoring, "LARGE", size - 1)
    made = restored(refiner=Unused(), refiner_of_large=quick)
    np.testing.assert_array_equal(restored(refiner=quick).pixels, made.pixels, "the only one there is")
    assert psnr(made.pixels, eight_bits(sharp).pixels) > psnr(restored().pixels, eight_bits(sharp).pixels) + 0.4
    monkeypatch.setattr(restoring, "LARGE", size)
    np.testing.assert_array_equal(restored(refiner=quick, refiner_of_large=Unused()).pixels, made.pixels)


def test_a_refiner_of_whole_pictures_gets_the_whole_picture(large, monkeypatch):
    monkeypatch.setattr(tiled, "TILE", 256)
    monkeypatch.setattr(correction, "enforce_data_consistency", lambda restored, *_: restored)
    seen = []

    class Whole:
        """The careful one as it is, of a network that looks at the whole picture."""

        halo = None

        def restore(self, pixels, bold, careful):
            seen.append(pixels.shape)
            return careful

        def suppress_halos(self, restored, blurred):
            return restored

    picture = eight_bits(blur(large, families.gaussian(1)))
    work = restoration("gaussian:1", DeconvolutionOptions(), "wiener", Path(), refiner=Whole())
    made = work(picture, "a").picture
    assert seen == [large.shape]
    options = DeconvolutionOptions(least_noise=noise.rounding_noise(np.dtype(np.uint8)))
    expected = images.from_float(wiener(picture.pixels, families.gaussian(1), options=options), np.uint8)
    np.testing.assert_array_equal(made.pixels, expected)


def test_a_step_in_one_sample_of_a_flat_picture_is_next_to_nothing():
    flat = Picture(np.full((64, 64, 3), 100, np.uint8))
    stepped = flat.pixels.copy()
    stepped[5, 5, 0] += 1
    found = Finding(None, {}, reason="it shows too little", sharpness=0.0)
    made = Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", blind=lambda *_: Picture(stepped))(flat, "a")
    assert made.fields["method"] == "none"


@pytest.mark.parametrize(
    "sharpness, change, is_left",
    [
        (0.5, -13.4, True),
        (0.5, -13.2, False),
        (0.8, -12.7, True),
        (0.8, -12.5, False),
        (0.1, -14.5, True),
        (0.1, -14.3, False),
        (0, -23, False),
    ],
)
def test_a_picture_that_may_be_sharp_is_left_where_the_network_changes_little(sharp, sharpness, change, is_left):
    """−13.3 dB of the squared gradient, and half of the logit: of 0.8 that is 1.386, of 0.1 −2.197."""
    picture = eight_bits(sharp)
    wide = np.clip(picture.pixels.astype(np.uint16) * 257, 18000, 47000)
    steps = wide.astype(float)
    gradient = ((steps[1:] - steps[:-1]) ** 2).sum() + ((steps[:, 1:] - steps[:, :-1]) ** 2).sum()
    strength = np.sqrt(gradient / wide.size * 10 ** (change / 10))
    signs = np.random.default_rng(0).choice([-1, 1], wide.shape)
    before = picture.with_pixels(wide)
    after = picture.with_pixels(np.rint(wide + strength * signs).astype(np.uint16))
    found = Finding(None, {}, reason="it looks sharp", sharpness=sharpness)
    work = Restoration(lambda *_: found, DeconvolutionOptions(), "wiener", blind=lambda given, progress: after)
    made = work(before, "a")
    assert (made.fields["method"] == "none") == is_left
