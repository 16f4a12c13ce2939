"""The report, the summary, shards and the options about what is written."""

import io
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from deblurcli.batch import planning, record
from deblurcli.batch.jobs import Options
from deblurcli.batch.run import Plain, transform
from deblurcli.errors import PlanError
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from tests.shell import messages, run


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_report_replaces_no_file_that_is_none(folder, tmp_path):
    for text in ("my notes\n", '{"path": "a.png", "psf": "gaussian:1"}\n', "[1]\n"):
        (tmp_path / "r.jsonl").write_text(text)
        done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--report", tmp_path / "r.jsonl")
        assert done.returncode == 2 and "not a deblurcli report" in messages(done)[0]
        assert (tmp_path / "r.jsonl").read_text() == text and not list((tmp_path / "out").rglob("*.png"))
    (tmp_path / "r.jsonl").write_text("")
    for _ in range(2):
        done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--report", tmp_path / "r.jsonl")
        assert done.returncode == 0
    assert run("blur", folder, tmp_path / "out", "--gaussian", "1", "--report", "-").returncode == 2


def test_the_report_has_a_line_for_every_picture_and_a_summary(folder, tmp_path):
    (folder / "bad.png").write_text("x")
    report = tmp_path / "r.jsonl"
    done = run("deblur", folder, tmp_path / "out", "--model", "faces", "--report", report, "--json")
    *files, summary = rows(report)
    assert {(row["input"], row["status"]) for row in files} == {
        (str(folder / "a.png"), "done"), (str(folder / "b.jpg"), "done"),
        (str(folder / "süb dir" / "c.png"), "done"), (str(folder / "bad.png"), "failed"),
    }  # fmt: skip
    for row in files:
        told = ["method", "note"] if row["status"] == "done" else []
        assert list(row) == [
            "input",
            "output",
            "status",
            "seconds",
            "phases",
            "error",
            "width",
            "height",
            "model",
            *told,
        ]
        assert row["model"] == "faces" and row["seconds"] > 0
        assert (row["error"] is None) == (row["status"] == "done") == (row["width"] is not None)
    assert (summary["summary"], summary["done"], summary["failed"], summary["skipped"]) == (True, 3, 1, 0)
    report = json.loads(done.stdout)
    assert done.returncode == report["exit_code"] == 1
    assert (report["done"], report["failed"], report["others"], len(report["errors"])) == (3, 1, 1, 1)
    assert report["methods"] == {"faces": 3}


def test_a_report_of_skipped_pictures_says_so(folder, tmp_path):
    for expected in ("done", "skipped"):
        run("blur", folder, tmp_path / "out", "--gaussian", "1", "--skip-existing", "--report", tmp_path / "r.jsonl")
        *files, _ = rows(tmp_path / "r.jsonl")
        assert {row["status"] for row in files} == {expected}
        assert {row["psf"] for row in files} == {"gaussian:sigma=1"}


def test_a_report_that_cannot_be_written_stops_the_run(folder, tmp_path):
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--report", tmp_path / "no" / "r.jsonl")
    assert done.returncode == 2 and "r.jsonl: there is no folder" in messages(done)[-1]
    assert not (tmp_path / "out").exists()
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--report", tmp_path)
    assert done.returncode == 2 and f"{tmp_path}: cannot be written (Is a directory)" in messages(done)[-1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk at hand")
def test_a_report_on_a_full_disk_costs_no_picture(folder, tmp_path):
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--report", "/dev/full")
    assert done.returncode == 2 and "the report is incomplete" in messages(done)[-1]
    assert len(list((tmp_path / "out").rglob("*.[pj][np]g"))) == 3


def test_a_report_never_overwrites_a_picture(folder, tmp_path):
    before = (folder / "a.png").read_bytes()
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--report", folder / "a.png")
    assert done.returncode == 2 and "has a picture's file extension" in messages(done)[-1]
    assert (folder / "a.png").read_bytes() == before


def test_json_and_a_picture_do_not_share_a_stream(folder):
    done = run("blur", folder / "a.png", "--gaussian", "1", "--json")
    assert done.returncode == 2 and done.stdout == b"" and "--json" in messages(done)[-1]


def test_shards_are_disjoint_complete_and_even(tmp_path):
    source = tmp_path / "in"
    for index in range(400):
        path = source / f"{index % 7}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    whole = {job.source for job in planning.plan(source, tmp_path / "out").jobs}
    parts = [
        {job.source for job in planning.plan(source, tmp_path / "out", Options(shard=(part, 5))).jobs}
        for part in range(1, 6)
    ]
    assert set().union(*parts) == whole and sum(map(len, parts)) == len(whole) == 400
    assert all(50 <= len(part) <= 110 for part in parts)


def test_shards_do_not_depend_on_where_the_folder_lies(tmp_path, sharp):
    for place in ("here", "there/deeper"):
        for index in range(20):
            images.write(tmp_path / place / "sub" / f"{index}.png", sharp[:2, :2])
    here, there = (
        {job.source.name for job in planning.plan(tmp_path / place, tmp_path / "out", Options(shard=(1, 3))).jobs}
        for place in ("here", "there/deeper")
    )
    assert here == there and 0 < len(here) < 20


def test_collisions_are_refused_in_every_shard(tmp_path, sharp):
    for name in ("a.png", "a.jpg"):
        images.write(tmp_path / "in" / name, sharp[:4, :4])
    for part in (1, 2):
        with pytest.raises(PlanError, match="share an output"):
            planning.plan(tmp_path / "in", tmp_path / "out", Options(format="png", shard=(part, 2)))


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_wrong_shard_is_refused(shard, folder, tmp_path):
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", f"--shard={shard}")
    assert done.returncode == 2 and "such as 3/10" in messages(done)[-1]


def test_too_large_a_picture_fails_alone(folder, tmp_path, sharp):
    images.write(folder / "large.png", sharp)
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--max-pixels", "0.01")
    assert done.returncode == 1
    assert messages(done)[0] == (
        f"error: {folder / 'large.png'}: 192×256 is more than 10,000 pixels; raise --max-pixels to read it"
    )
    assert len(list((tmp_path / "out").rglob("*.[pj][np]g"))) == 3


def test_strip_leaves_metadata_out(tmp_path, sharp):
    written = io.BytesIO()
    PIL.Image.fromarray(images.from_float(sharp, np.uint8)).save(written, "png", dpi=(300, 300))
    (tmp_path / "a.png").write_bytes(written.getvalue())
    for options, expected in (([], 300), (["--strip"], 0)):
        done = run("blur", tmp_path / "a.png", "--gaussian", "1", *options)
        with PIL.Image.open(io.BytesIO(done.stdout)) as opened:
            assert opened.info.get("dpi", (0,))[0] == pytest.approx(expected, rel=1e-3)


def test_transparency_goes_into_jpeg_on_a_background_only(tmp_path):
    pixels = np.full((16, 16, 3), 200, np.uint8)
    alpha = np.zeros((16, 16), np.uint8)
    alpha[:, 8:] = 255
    images.write_picture(tmp_path / "a.png", Picture(pixels, alpha))
    refused = run("blur", tmp_path / "a.png", tmp_path / "a.jpg", "--gaussian", "0.5")
    assert refused.returncode == 1 and "--background" in messages(refused)[0] and not (tmp_path / "a.jpg").exists()
    done = run("blur", tmp_path / "a.png", tmp_path / "a.jpg", "--gaussian", "0.5", "--background", "#ff0000")
    assert done.returncode == 0
    written = images.read_picture(tmp_path / "a.jpg").pixels.astype(int)
    assert np.abs(written[:, :6] - [255, 0, 0]).max() < 12 and np.abs(written[:, 10:] - 200).max() < 12


@pytest.mark.parametrize("channels, background, expected", [(1, (0, 0, 0), 1), (1, (9, 0, 0), 3), (3, (0, 0, 0), 3)])
def test_a_background_keeps_grey_grey_where_it_is_grey(channels, background, expected):
    picture = Picture(np.full((4, 4, channels), 90, np.uint8), np.zeros((4, 4), np.uint8))
    flat = picture.on(background)
    assert flat.alpha is None and flat.pixels.shape[2] == expected
    np.testing.assert_array_equal(flat.pixels[0, 0], background[:expected])


def test_running_out_of_memory_fails_one_file(folder, tmp_path):
    def greedy(picture):
        if picture.size == (50, 40):
            raise MemoryError
        return picture

    outcomes = list(transform(folder, tmp_path / "out", Plain(greedy)).outcomes)
    failed = [outcome for outcome in outcomes if outcome.status == record.FAILED]
    assert len(failed) == 1 and "not enough memory" in failed[0].error and len(outcomes) == 3
