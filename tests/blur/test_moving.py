"""Still pictures as moving scenes: what ``--psf varying`` does to a picture."""

import json

import cv2
import numpy as np
import pytest

from deblurcli.blur import moving, psf
from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.varying import Layer, exposed
from deblurcli.errors import ImageError, PSFError
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture, from_float, to_float
from tests.shell import messages, run

STILL = "varying:length=0,rotation=0,zoom=0,parts=0"
MOVED = "varying:length=9,rotation=2,parts=2,seed=4"


def motion(spec):
    return psf.VARYING["varying"].make(**dict(psf.parse(spec).values))


@pytest.mark.parametrize("spec", [MOVED, "varying:0,parts=8,seed=2", "varying:30,parts=3,light=linear"])
@pytest.mark.parametrize("kind", ["colour", "grey"])
def test_the_middle_of_the_exposure_is_the_picture(sharp, spec, kind):
    image = sharp[:90, :120] if kind == "colour" else sharp[:90, :120, 1:2]
    layers = motion(spec).layers(image)
    middle = [Layer(each.image, each.cover, each.poses[len(each.poses) // 2 :][:1]) for each in layers]
    assert tuple(middle[0].poses[0]) == (0, 0, 0, 1) and len(layers) == 1 + motion(spec).parts
    for is_linear in (False, True):
        at_rest = exposed(middle, is_linear)
        np.testing.assert_allclose(at_rest, image, atol=1e-5)
        for dtype in (np.uint8, np.uint16) if not is_linear else (np.uint8,):
            np.testing.assert_array_equal(from_float(at_rest, dtype), from_float(image, dtype))


def test_parts_move_and_what_they_hide_is_filled(sharp):
    back, part = motion("varying:0,rotation=0,zoom=0,travel=15,seed=3").layers(sharp)
    assert (np.ptp(back.poses, axis=0) == 0).all() and np.ptp(part.poses[:, :2]) > 5
    hidden = part.cover == 1
    assert 0.01 < hidden.mean() < 0.5
    np.testing.assert_array_equal(back.image[~hidden], sharp[~hidden])
    assert (back.image[hidden] != sharp[hidden]).any(axis=1).mean() > 0.9
    made = psf.parse("varying:0,rotation=0,zoom=0,travel=15,seed=3").blurred(sharp)
    far = cv2.distanceTransform((part.cover == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > 20
    assert far.any() and np.abs(made - sharp)[far].max() < 1e-5
    assert np.abs(made - sharp)[hidden].mean() > 0.01


def test_a_fill_mirrors_what_is_beside_the_hole():
    ramp = np.tile(np.arange(40, dtype=np.float32)[:, None, None] / 40, (1, 9, 1))
    hidden = np.zeros((40, 9), bool)
    hidden[30:] = True
    made = moving.filled(ramp, hidden)
    np.testing.assert_array_equal(made[:30], ramp[:30])
    np.testing.assert_allclose(made[32:38, 4, 0], (2 * 29 - np.arange(32, 38)) / 40, atol=0.02)
    assert moving.filled(ramp, ~hidden | hidden) is ramp and moving.filled(ramp, np.zeros_like(hidden)) is ramp


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40, 1), (3, 2, 3), (64, 64, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_flat_picture_stays_flat_at_any_size_and_depth(shape, dtype):
    flat = np.full(shape, 0.25 if dtype == np.float32 else 77, dtype)
    for light in moving.LIGHT:
        made = psf.parse(f"{MOVED},light={light}").blurred(flat)
        assert made.shape == shape and made.dtype == dtype
        np.testing.assert_allclose(made, flat, atol=1e-5)


def test_depth_and_grey_agree_with_colour(sharp):
    spec, image = psf.parse(MOVED), sharp[:80, :100]
    made = spec.blurred(image)
    for dtype, step in ((np.uint8, 255), (np.uint16, 65535)):
        np.testing.assert_allclose(to_float(spec.blurred(from_float(image, dtype))), made, atol=1.01 / step)
    np.testing.assert_allclose(spec.blurred(image[..., :1]), made[..., :1], atol=1e-6)


def test_light_makes_bright_points_wider(sharp):
    point = np.zeros((41, 41, 1), np.float32)
    point[20, 20] = 1
    encoded, linear = (psf.parse(f"varying:9,parts=0,light={light}").blurred(point) for light in moving.LIGHT)
    assert linear.sum() > 2 * encoded.sum()


def test_nothing_moves_where_all_is_zero(sharp):
    np.testing.assert_array_equal(psf.parse(STILL).blurred(from_float(sharp, np.uint8)), from_float(sharp, np.uint8))


def test_the_specification_has_no_psf_and_says_so():
    spec = psf.parse("varying:14,seed=3")
    assert str(spec) == "varying:length=14,seed=3" and psf.parse(str(spec)) == spec and not spec.has_psf
    with pytest.raises(PSFError, match=r"psf varying:length=14,seed=3: motion that varies .* restore it with deblur"):
        spec.array()
    with pytest.raises(ImageError, match="NaN"):
        spec.blurred(np.full((9, 9, 3), np.nan))


@pytest.mark.parametrize(
    "spec, said",
    [
        ("varying", ["length is missing"]),
        ("varying:length=-1", ["length=-1", "0 to 200"]),
        ("varying:9,rotation=40", ["rotation=40", "0 to 20"]),
        ("varying:9,parts=1.5", ["parts=1.5", "a whole number from 0 to 8"]),
        ("varying:9,light=red", ["light=red", "encoded, linear"]),
        ("varying:9,angle=3", ["angle", "length, rotation, zoom, parts, travel, light, seed"]),
    ],
)
def test_a_wrong_field_is_named(spec, said):
    with pytest.raises(PSFError) as caught:
        psf.parse(spec)
    assert all(part in str(caught.value) for part in said)


def test_random_motion_is_drawn_only_where_it_is_named():
    rng = np.random.default_rng(0)
    drawn = [psf.parse_or_random("random:varying").draw(rng) for _ in range(100)]
    assert len(set(drawn)) == 100 and all(psf.parse(str(spec)) == spec for spec in drawn)
    assert {dict(spec.values)["parts"] for spec in drawn} == {0, 1, 2, 3}
    mixed = psf.parse_or_random("random:motion+varying")
    assert str(mixed) == "random:motion+varying" and not mixed.has_psf and psf.RandomPSF().has_psf


def test_plain_random_draws_what_it_always_drew():
    """So that the same seed still gives the same pairs."""
    drawn = [str(psf.parse_or_random("random").draw(np.random.default_rng(seed))) for seed in range(4)]
    assert drawn == [
        "trajectory:length=14.44,seed=40973523",
        "motion:length=23.86,angle=25.95",
        "trajectory:length=15.45,seed=814225740",
        "trajectory:length=13.29,seed=801274465",
    ]


def test_a_picture_and_its_name_give_the_same_bytes_again(sharp):
    alpha = np.arange(sharp[..., 0].size).reshape(sharp.shape[:2]).astype(np.uint8)
    picture = Picture(from_float(sharp, np.uint8), alpha)

    def made(name, seed):
        work = Blurrer(psf.parse_or_random("random:varying"), noise=0.01, jpeg_quality=90, seed=seed)
        return work(picture, name).picture

    np.testing.assert_array_equal(made("a.png", 1).pixels, made("a.png", 1).pixels)
    np.testing.assert_array_equal(made("a.png", 1).alpha, alpha)
    assert (made("a.png", 1).pixels != made("b.png", 1).pixels).mean() > 0.5
    assert (made("a.png", 1).pixels != made("a.png", 2).pixels).mean() > 0.5


@pytest.fixture
def pairs(folder, tmp_path):
    assert run("blur", folder, tmp_path / "pairs", "--psf", "random:motion+varying", "--seed", 6).returncode == 0
    return tmp_path / "pairs"


def test_the_manifest_lists_the_motion_and_scores_are_grouped_by_it(folder, pairs):
    entries = [json.loads(line) for line in (pairs / "manifest.jsonl").read_text().splitlines()]
    specs = {entry["path"]: psf.parse(entry["psf"]) for entry in entries}
    assert {spec.family for spec in specs.values()} == {"motion", "varying"}
    for path, spec in specs.items():
        if path.endswith(".png"):
            sharp = images.read_picture(folder / path)
            np.testing.assert_array_equal(images.read_picture(pairs / path).pixels, spec.blurred(sharp.pixels))
    done = run("score", pairs, folder, "--group-by", "family", "--json")
    assert done.returncode == 0 and b'"varying"' in done.stdout


def test_restoring_by_the_manifest_fails_those_pictures_alone_and_says_why(pairs, tmp_path):
    done = run("wiener", pairs, tmp_path / "out", "--psf", "manifest")
    assert done.returncode == 1
    said = [line for line in messages(done) if "has no PSF; restore it with deblur" in line]
    listed = (pairs / "manifest.jsonl").read_text().count('"varying:')
    assert len(said) == listed > 0 and sum(path.is_file() for path in (tmp_path / "out").rglob("*.*")) == 3 - listed


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["wiener", "in", "out", "--psf", "varying:14"], "has no PSF; restore it with deblur"),
        (["wiener", "in", "out", "--psf", "varying:14", "--refine"], "has no PSF; restore it with deblur"),
        (["blur", "in", "out", "--psf", "varying:14", "--save-psf", "k.png"], "has no PSF; leave it out"),
        (["blur", "in", "out", "--psf", "varying:14,parts=9"], "parts=9; give a whole number from 0 to 8"),
    ],
)
def test_what_needs_a_psf_refuses_before_any_work(folder, tmp_path, arguments, said):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in " ".join(done.stderr.decode().split())
    assert not (tmp_path / "out").exists() and not (tmp_path / "k.png").exists()
