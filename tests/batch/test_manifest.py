"""What blur writes down, and what wiener and score make of it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from deblurcli.batch import manifest
from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.psf import parse_or_random
from deblurcli.errors import PlanError
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from tests.conftest import DATA
from tests.shell import messages, run

RANDOM = ["--psf", "random:gaussian+motion", "--seed", "5", "--noise", "0.004"]


@pytest.fixture
def sharps(tmp_path):
    """Two pictures, one of them in a subfolder."""
    for name, place in (("astronaut", "a.png"), ("cat", "süb/c.png")):
        images.write(tmp_path / "sharp" / place, images.read(DATA / "sharp" / f"{name}.png"))
    return tmp_path / "sharp"


@pytest.fixture
def blurred(sharps, tmp_path):
    assert run("blur", sharps, tmp_path / "blurred", *RANDOM).returncode == 0
    return tmp_path / "blurred"


def lines(folder):
    return [json.loads(line) for line in (folder / manifest.NAME).read_text().splitlines()]


def test_every_picture_has_its_line(blurred):
    entries = {entry["path"]: entry for entry in lines(blurred)}
    assert sorted(entries) == ["a.png", "süb/c.png"]
    for path, entry in entries.items():
        assert entry["psf"] == str(Blurrer(parse_or_random("random:gaussian+motion"), seed=5).spec(path))
        assert (entry["width"], entry["height"]) == images.read_picture(blurred / path).size
        assert entry["noise"] == 0.004 and entry["seed"] == 5 and entry["jpeg_quality"] is None
        assert entry["version"].startswith("deblurcli ")


def test_wiener_restores_each_picture_with_its_own_psf(sharps, blurred, tmp_path):
    for place in ("folder", "file"):
        source, target = (blurred, tmp_path / "out") if place == "folder" else (blurred / "a.png", tmp_path / "o.png")
        report = tmp_path / "r.jsonl"
        assert run("wiener", source, target, "--psf", "manifest", "--report", report).returncode == 0
        row = next(row for row in map(json.loads, report.read_text().splitlines()) if "a.png" in row["input"])
        assert row["psf"] == manifest.read(blurred / manifest.NAME)["a.png"]["psf"] and row["method"] == "wiener"
    for path in ("a.png", "süb/c.png"):
        truth = images.read(sharps / path)
        before, after = (psnr(images.read(folder / path), truth) for folder in (blurred, tmp_path / "out"))
        assert after > before + 1
    assert (tmp_path / "o.png").read_bytes() == (tmp_path / "out" / "a.png").read_bytes()


def test_a_missing_or_foreign_entry_fails_that_picture_alone(blurred, tmp_path):
    images.write(blurred / "new.png", np.zeros((20, 20, 3), np.float32))
    images.write(blurred / "a.png", np.zeros((20, 20, 3), np.float32))
    done = run("wiener", blurred, tmp_path / "out", "--psf", "manifest")
    errors = [line for line in messages(done) if line.startswith("error")]
    assert done.returncode == 1 and len(errors) == 2
    assert "a.png: the entry in" in errors[0] and "192×256, this picture 20×20" in errors[0]
    assert "new.png: has no entry in" in errors[1] and "--psf" in errors[1]
    assert (tmp_path / "out" / "süb" / "c.png").exists()


@pytest.mark.parametrize("content", ["nonsense", "[]", '{"path": 3, "psf": "x"}', '{"path": "a.png"}'])
def test_a_damaged_manifest_is_one_line(blurred, tmp_path, content):
    with (blurred / manifest.NAME).open("a") as file:
        file.write(content + "\n")
    done = run("wiener", blurred, tmp_path / "out", "--psf", "manifest")
    assert done.returncode == 2 and len(messages(done)) == 1 and "line 3 is not a manifest entry" in messages(done)[0]


def test_no_manifest_is_one_line(sharps, tmp_path):
    done = run("wiener", sharps, tmp_path / "out", "--psf", "manifest")
    assert done.returncode == 2 and "no manifest could be read" in messages(done)[0]


def test_doing_it_again_leaves_one_line_for_each_picture(sharps, blurred):
    assert run("blur", sharps, blurred, "--gaussian", "1").returncode == 0
    assert [entry["psf"] for entry in lines(blurred)] == ["gaussian:sigma=1"] * 2


def test_skipped_pictures_keep_their_lines_and_unlisted_ones_are_done_again(sharps, blurred):
    before = {entry["path"]: entry for entry in lines(blurred)}
    kept = (blurred / manifest.NAME).read_text().splitlines(keepends=True)[0]
    (blurred / manifest.NAME).write_text(kept)
    done = run("blur", sharps, blurred, *RANDOM, "--skip-existing")
    assert "1 done, 1 already there" in messages(done)[-1]
    assert {entry["path"]: entry for entry in lines(blurred)} == before


def test_shards_share_a_manifest(sharps, tmp_path):
    for part in (1, 2, 3):
        run("blur", sharps, tmp_path / "out", *RANDOM, "--shard", f"{part}/3")
    assert sorted(entry["path"] for entry in lines(tmp_path / "out")) == ["a.png", "süb/c.png"]


def test_another_place_or_none_at_all(sharps, tmp_path):
    run("blur", sharps, tmp_path / "out", "--gaussian", "1", "--no-manifest")
    run("blur", sharps, tmp_path / "out", "--gaussian", "1", "--dry-run")
    assert run("score", tmp_path / "out", sharps, "--group-by", "psf", "--manifest", "/dev/null").returncode == 2
    run("blur", sharps / "a.png", tmp_path / "out" / "b.png", "--gaussian", "1")
    assert not (tmp_path / "out" / manifest.NAME).exists()
    again = (tmp_path / "out" / "b.png", "--gaussian", "1", "--overwrite")
    run("blur", sharps / "a.png", *again, "--manifest", tmp_path / "m.jsonl")
    assert manifest.read(tmp_path / "m.jsonl")["b.png"]["psf"] == "gaussian:sigma=1"
    there = ["--manifest", tmp_path / "m.jsonl"]
    assert run("wiener", tmp_path / "out" / "b.png", tmp_path / "c.png", *there).returncode == 0


def test_a_manifest_on_a_full_disk_costs_no_picture(sharps, tmp_path):
    done = run("blur", sharps, tmp_path / "out", "--gaussian", "1", "--manifest", "/dev/full")
    assert done.returncode == 2 and "the manifest is not complete" in messages(done)[-1]
    assert (tmp_path / "out" / "a.png").exists()


def test_others_lines_are_never_lost(tmp_path):
    """A writer whose file grew by another's hand does not compact it."""
    path = tmp_path / manifest.NAME
    with manifest.Writer(path) as writer:
        writer.add({"path": "a", "psf": "x"})
        with path.open("a") as file:
            file.write('{"path": "b", "psf": "y"}\n')
        writer.add({"path": "a", "psf": "z"})
    assert len(path.read_text().splitlines()) == 3
    assert {name: entry["psf"] for name, entry in manifest.read(path).items()} == {"a": "z", "b": "y"}


def test_scores_are_grouped_by_a_field_of_the_manifest(sharps, blurred, tmp_path):
    run("wiener", blurred, tmp_path / "out", "--psf", "manifest", "--format", "tiff")
    there = ["--manifest", blurred / manifest.NAME]
    for field in ("psf", "family"):
        report = json.loads(run("score", tmp_path / "out", sharps, "--group-by", field, *there, "--json").stdout)
        entries = {entry["path"]: entry["psf"] for entry in lines(blurred)}
        names = {psf.partition(":")[0] if field == "family" else psf for psf in entries.values()}
        assert set(report["groups"]) == names and sum(group["pairs"] for group in report["groups"].values()) == 2
        for name, group in report["groups"].items():
            members = [row for row in report["files"] if name in entries[row["name"] + ".png"]]
            assert group["mean"]["psnr"] == pytest.approx(np.mean([row["psnr"] for row in members]))
    table = run("score", blurred, sharps, "--group-by", "psf").stdout.decode()
    assert all(psf[:20] in table for psf in entries.values())
    wrong = run("score", blurred, sharps, "--group-by", "colour")
    assert wrong.returncode == 2 and "choose one of family, height" in messages(wrong)[-1]


def test_a_manifest_belongs_to_a_folder_or_a_picture_s_folder(tmp_path):
    (tmp_path / "x.d").mkdir()
    assert manifest.beside(tmp_path / "x.d") == tmp_path / "x.d" / manifest.NAME
    assert manifest.beside(tmp_path / "a.png") == tmp_path / manifest.NAME
    assert manifest.of_outputs(tmp_path / "a.png", Path("out"), in_place=False) is None
    with pytest.raises(PlanError, match="no manifest"):
        manifest.read(tmp_path / "none")


def test_a_saved_psf_is_the_one_that_was_used(sharps, tmp_path):
    assert (
        run("blur", sharps / "a.png", tmp_path / "1.png", "--motion", "30", "--save-psf", tmp_path / "k.npy").returncode
        == 0
    )
    assert run("blur", sharps / "a.png", tmp_path / "2.png", "--psf", tmp_path / "k.npy").returncode == 0
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
    wrong = run("blur", sharps, tmp_path / "out", "--psf", "random", "--save-psf", tmp_path / "k.png")
    assert wrong.returncode == 2 and "picture to picture" in wrong.stderr.decode()


def test_nothing_is_overwritten_by_what_is_written_beside(sharps, blurred, tmp_path):
    before = {path: path.read_bytes() for path in [*sharps.rglob("*.png"), *blurred.rglob("*")] if path.is_file()}
    motion = [sharps, tmp_path / "new", "--motion", "30"]
    notes = tmp_path / "notes.txt"
    notes.write_text("mine\n")
    for wrong in (
        [*motion, "--save-psf", sharps / "a.png"],
        [*motion, "--save-psf", sharps / "k.png"],
        [sharps / "a.png", blurred / "a.png", "--motion", "30", "--save-psf", blurred / "a.png"],
        [*motion, "--manifest", sharps / "a.png"],
        [*motion, "--manifest", notes],
        [*motion, "--manifest", tmp_path / "m.jsonl", "--report", tmp_path / "m.jsonl"],
        [sharps, blurred, "--motion", "30", "--no-manifest"],
    ):
        done = run("blur", *wrong)
        assert done.returncode == 2 and len(messages(done)) == 1, wrong
    assert notes.read_text() == "mine\n"
    assert run("blur", *motion, "--save-psf", tmp_path / "k.png", "--dry-run").returncode == 0
    assert not (tmp_path / "k.png").exists() and before == {path: path.read_bytes() for path in before}


def test_psfs_of_files_and_subfolders_hold_from_anywhere(sharps, tmp_path):
    np.save(tmp_path / "k.npy", np.ones((1, 7)))
    assert run("blur", "sharp", "moved", "--psf", "k.npy", cwd=tmp_path).returncode == 0
    listing = ["--manifest", tmp_path / "moved" / manifest.NAME]
    (tmp_path / "else").mkdir()
    for source in (tmp_path / "moved", tmp_path / "moved" / "süb", tmp_path / "moved" / "süb" / "c.png"):
        done = run("wiener", source, tmp_path / "o" / source.name, *listing, cwd=tmp_path / "else")
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_names_that_are_no_utf_8_leave_readable_json(sharps, tmp_path):
    odd = os.fsdecode(bytes(tmp_path / "odd") + b"\xff.png")
    Path(odd).write_bytes((sharps / "a.png").read_bytes())
    (sharps / os.fsdecode(b"x\xff.png")).write_bytes((sharps / "a.png").read_bytes())
    run("blur", sharps, tmp_path / "out", "--gaussian", "1", "--report", tmp_path / "r.jsonl")
    for path in (tmp_path / "out" / manifest.NAME, tmp_path / "r.jsonl"):
        assert all(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert run("wiener", tmp_path / "out", tmp_path / "back", "--psf", "manifest").returncode == 0


def test_every_method_is_at_hand(blurred, sharps, tmp_path):
    truth = images.read(sharps / "a.png")
    before = psnr(images.read(blurred / "a.png"), truth)
    for method in ("wiener", "sparse", "richardson-lucy"):
        done = run("wiener", blurred / "a.png", tmp_path / f"{method}.png", "--psf", "manifest", "--method", method)
        assert done.returncode == 0 and psnr(images.read(tmp_path / f"{method}.png"), truth) > before
    assert run("wiener", blurred / "a.png", tmp_path / "o.png", "--psf", "box:3", "--method", "magic").returncode == 2


def test_pictures_of_one_function_are_plain(sharp):
    """Work that needs no name takes any."""
    work, picture = Blurrer(parse_or_random("box:3")), Picture(images.from_float(sharp, np.uint8))
    np.testing.assert_array_equal(work(picture, "a").picture.pixels, work(picture, "-").picture.pixels)


@pytest.mark.skipif(os.name != "posix", reason="other systems forbid such names")
def test_names_with_line_separators_are_read_again(tmp_path, sharp):
    for name in ("a\u2028b.png", "c\u0085d.png", "e\nf.png"):
        images.write(tmp_path / "in" / name, sharp[:60, :60])
    for _ in range(2):
        assert run("blur", tmp_path / "in", tmp_path / "out", "--gaussian", "1").returncode == 0
    assert len(manifest.read(tmp_path / "out" / manifest.NAME)) == 3
    assert run("wiener", tmp_path / "out", tmp_path / "back", "--psf", "manifest").returncode == 0


def test_a_picture_made_beside_a_manifest_is_listed_in_it(sharps, blurred, tmp_path):
    assert run("blur", sharps / "a.png", blurred, "--gaussian", "3").returncode == 0
    assert manifest.read(blurred / manifest.NAME)["a.png"]["psf"] == "gaussian:sigma=3"
    refused = run("blur", sharps / "a.png", blurred, "--gaussian", "3", "--no-manifest")
    assert refused.returncode == 2 and "no longer describe the outputs" in messages(refused)[0]
    assert run("blur", sharps / "a.png", tmp_path / "alone.png", "--gaussian", "3").returncode == 0
    assert not (tmp_path / manifest.NAME).exists()


def test_a_manifest_that_cannot_be_written_stops_the_run_before_any_work(sharps, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("blur", sharps, tmp_path / "out", "--gaussian", "1", "--manifest", tmp_path / "file" / "m.jsonl")
    assert done.returncode == 2 and "cannot be written" in messages(done)[0] and len(messages(done)) == 1
    assert not list((tmp_path / "out").rglob("*.png"))


def test_a_psf_is_not_saved_among_the_outputs(sharps, tmp_path):
    for name, source in (("new", sharps), ("new2", sharps / "a.png")):
        done = run("blur", source, tmp_path / name, "--gaussian", "1", "--save-psf", tmp_path / name / "a.png")
        assert done.returncode == 2 and "output" in messages(done)[0] and not (tmp_path / name).exists()
