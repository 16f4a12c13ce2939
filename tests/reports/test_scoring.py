"""``deblurcli score`` as a shell sees it: what is paired, computed, listed, printed, and when it fails."""

import csv
import io
import json
import os
import re
import signal
import sys
import time

import cv2
import numpy as np
import pytest

from deblurcli.batch.record import FAILED
from deblurcli.metrics.table import CONVENTIONS, METRICS, score
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.reports import scoring
from tests.conftest import DATA, interruptible
from tests.shell import messages, run


@pytest.fixture
def sets(tmp_path, sharp):
    """Folders out, ref and soft with six pictures; noise grows with the name in out, soft has the most."""
    rng = np.random.default_rng(0)
    for index in range(6):
        picture = sharp[20 * index : 20 * index + 40, 60:108]
        images.write(tmp_path / "ref" / "sub" / f"{index}.png", picture)
        for name, strength in (("out", 0.01 * (index + 1)), ("soft", 0.1)):
            noise = rng.normal(0, strength, picture.shape).astype(np.float32)
            images.write(tmp_path / name / "sub" / f"{index}.png", picture + noise)
    return tmp_path


def report_of(*arguments, code=0, **options):
    done = run("score", *arguments, "--json", **options)
    assert done.returncode == code, done.stderr.decode()
    return json.loads(done.stdout)


def table(done):
    return list(csv.DictReader(io.StringIO(done.stdout.decode())))


def rows_of(report):
    return {row["name"]: row for row in report["files"]}


def test_what_is_missing_double_or_of_another_size_is_listed_and_the_rest_is_scored(sets, sharp):
    (sets / "out/sub/0.png").unlink()
    (sets / "ref/sub/1.png").unlink()
    images.write(sets / "out/sub/2.png", sharp[:30, :48])
    images.write(sets / "out/sub/3.png", sharp[:40, :48].mean(axis=2, keepdims=True))
    images.write(sets / "ref/sub/4.jpg", sharp[:40, :48])
    report = report_of(sets / "out", sets / "ref", code=1)
    assert (report["pairs"], report["failed"], report["missing"]) == (1, 5, 2) and len(report["errors"]) == 5
    for number, said in [
        (0, "has no partner"), (1, "has no partner"), (2, "48×30 RGB against 48×40 RGB"),
        (3, "save both as RGB, or both as grey"), (4, "have the same name"),
    ]:  # fmt: skip
        assert sum(said in line and f"{number}.png" in line for line in report["errors"]) == 1, (number, said)
    assert list(rows_of(report)) == ["sub/5"]


def test_missing_partners_may_be_allowed_and_nothing_else(sets, sharp):
    (sets / "out/sub/0.png").unlink()
    report = report_of(sets / "out", sets / "ref", "--allow-missing")
    assert (report["pairs"], report["missing"], report["errors"]) == (5, 1, [])
    done = run("score", sets / "out", sets / "ref", "--allow-missing")
    assert done.returncode == 0 and "score: 5 of 6 pairs scored, 1 without a partner" in messages(done)
    images.write(sets / "out/sub/1.png", sharp[:30, :48])
    images.write(sets / "out/sub/2.jpg", sharp[:30, :48])
    assert len(report_of(sets / "out", sets / "ref", "--allow-missing", code=1)["errors"]) == 2


def test_the_orientation_that_exif_tells_is_applied(tmp_path, sharp):
    pixels = images.from_float(sharp[:40, :60], np.uint8)
    images.write_picture(tmp_path / "ref" / "a.png", Picture(pixels))
    exif = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    turned = np.rot90(pixels).copy()
    ok, data = cv2.imencodeWithMetadata(
        ".png", turned[..., ::-1], [cv2.IMAGE_METADATA_EXIF], [np.frombuffer(exif, np.uint8)]
    )
    assert ok
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(data.tobytes())
    assert report_of(tmp_path / "out", tmp_path / "ref")["files"][0]["infinite"] == ["psnr"]


def test_depths_are_compared_as_shares(tmp_path, sharp):
    eight = images.from_float(sharp[:20, :20], np.uint8)
    images.write_picture(tmp_path / "a.png", Picture(eight))
    images.write_picture(tmp_path / "b.png", Picture(eight.astype(np.uint16) * 257))
    assert report_of(tmp_path / "a.png", tmp_path / "b.png")["mean"]["mse"] == 0


def test_a_small_picture_loses_ssim_only(tmp_path, sharp):
    for name in ("out", "ref"):
        images.write(tmp_path / name / "a.png", sharp[:9, :20])
    report = report_of(tmp_path / "out", tmp_path / "ref", code=1)
    assert report["files"][0]["mse"] == 0 and report["files"][0]["ssim"] is None
    assert len(report["errors"]) == 1 and "ssim needs 11 pixels a side, the picture is 20×9" in report["errors"][0]
    assert "a.png against" in report["errors"][0]
    assert report_of(tmp_path / "out", tmp_path / "ref", "--metric", "psnr,mae")["errors"] == []
    assert table(run("score", tmp_path / "out", tmp_path / "ref", "--csv"))[0]["ssim"] == ""


def test_a_folder_alone_is_scored_by_sharpness(sets):
    report = report_of(sets / "out")
    assert report["mean"].keys() == {"sharpness"} and report["pairs"] == 6
    pixels = images.read_picture(sets / "out/sub/3.png").pixels
    assert rows_of(report)["sub/3"]["sharpness"] == pytest.approx(score(pixels)["sharpness"])
    assert report_of(sets / "out/sub/3.png")["pairs"] == 1
    piped = run("score", "-", "--json", stdin=(sets / "out/sub/3.png").read_bytes())
    assert json.loads(piped.stdout)["mean"] == report_of(sets / "out/sub/3.png")["mean"]


def test_gains_are_those_over_the_baseline(sets):
    names = ["psnr", "ssim", "mae"]
    report = report_of(sets / "out", sets / "ref", "--baseline", sets / "soft", "--metric", ",".join(names))
    for name, row in rows_of(report).items():
        restored, soft, sharp = (images.read_picture(sets / f / f"{name}.png").pixels for f in ("out", "soft", "ref"))
        after, before = score(restored, sharp, names), score(soft, sharp, names)
        assert row["baseline"] == pytest.approx(before) and row["psnr"] == pytest.approx(after["psnr"])
        assert row["gain"] == pytest.approx({n: (after[n] - before[n]) * (-1 if n == "mae" else 1) for n in names})
        assert all(gain > 0 for gain in row["gain"].values())
    mean = np.mean([row["gain"]["mae"] for row in report["files"]])
    assert report["mean"]["gain-mae"] == pytest.approx(mean) and report["median"]["gain-mae"] > 0
    lines = table(run("score", sets / "out", sets / "ref", "--baseline", sets / "soft", "--metric", "mae", "--csv"))
    assert list(lines[0]) == ["name", "mae", "baseline-mae", "gain-mae"]
    assert [float(line["gain-mae"]) for line in lines] == [row["gain"]["mae"] for row in report["files"]]
    assert float(lines[0]["gain-mae"]) == float(lines[0]["baseline-mae"]) - float(lines[0]["mae"])
    shown = run("score", sets / "out", sets / "ref", "--baseline", sets / "soft").stdout.decode()
    assert "gain" in shown and "+" in shown


def test_a_picture_without_a_baseline_is_scored_and_listed(sets, sharp):
    (sets / "soft/sub/0.png").unlink()
    images.write(sets / "soft/sub/1.png", sharp[:10, :10])
    (sets / "soft/sub/2.png").write_text("no picture")
    report = report_of(sets / "out", sets / "ref", "--baseline", sets / "soft", code=1)
    assert report["pairs"] == 6 and len(report["errors"]) == 3 and report["missing"] == 1
    assert rows_of(report)["sub/0"]["gain"] == {} and rows_of(report)["sub/0"]["psnr"] > 20
    assert rows_of(report)["sub/1"]["gain"] == {} and rows_of(report)["sub/3"]["gain"]["psnr"] > 0


def test_equal_pictures_are_infinite_everywhere_and_it_is_said(sets):
    images.write_picture(sets / "out/sub/0.png", images.read_picture(sets / "ref/sub/0.png"))
    report = report_of(sets / "out", sets / "ref", "--baseline", sets / "soft", "--metric", "psnr")
    assert report["mean"] == {"psnr": None, "gain-psnr": None} and report["infinite"] == {"psnr": 1, "gain-psnr": 1}
    assert report["median"]["psnr"] > 20 and rows_of(report)["sub/0"]["infinite"] == ["psnr", "gain-psnr"]
    assert rows_of(report)["sub/0"]["psnr"] is None
    done = run("score", sets / "out", sets / "ref", "--metric", "psnr", "--csv")
    assert table(done)[0] == {"name": "sub/0", "psnr": "inf"} and float(table(done)[0]["psnr"]) == float("inf")
    assert "score: 1 of 6 pairs are identical: their psnr is infinite, and so is the mean" in messages(done)


def test_the_table_has_the_worst_five_the_mean_and_the_median(sets):
    lines = run("score", sets / "out", sets / "ref", "--metric", "psnr").stdout.decode().splitlines()
    assert "the 5 worst of 6 by psnr" in lines[0]
    first = [line.split()[0] for line in lines[2:] if line.strip() and "─" not in line]
    assert first[1:] == ["sub/5", "sub/4", "sub/3", "sub/2", "sub/1", "mean", "median"]
    assert run("score", sets / "out", sets / "ref", "-q").stdout == b""


def test_csv_has_a_line_for_every_picture_and_full_numbers(sets):
    done = run("score", sets / "out", sets / "ref", "--csv", "--metric", "ssim,psnr")
    assert done.stdout.decode().splitlines()[0] == "name,ssim,psnr"
    report = rows_of(report_of(sets / "out", sets / "ref", "--metric", "ssim,psnr"))
    assert [line["name"] for line in table(done)] == list(report)
    assert all(float(line["ssim"]) == report[line["name"]]["ssim"] for line in table(done))


def test_csv_holds_any_name_and_the_group(sets, sharp):
    odd = 'a,"b"\n:cat: =1+1'
    for name in ("out", "ref"):
        images.write(sets / name / f"{odd}.png", sharp[:20, :20])
    (sets / "out" / "manifest.jsonl").write_text(json.dumps({"path": f"{odd}.png", "psf": "box:3"}) + "\n")
    lines = table(run("score", sets / "out", sets / "ref", "--csv", "--metric", "mae", "--group-by", "family"))
    assert {line["name"]: line["group"] for line in lines}[odd] == "box" and list(lines[0]) == ["name", "group", "mae"]


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions_and_borders_reach_the_numbers(convention, sets):
    names = ["psnr", "ssim", "psnr-y", "ssim-y"]
    options = ("--convention", convention, "--crop-border", "5", "--metric", ",".join(names))
    report = report_of(sets / "out", sets / "ref", *options)
    pair = [images.read_picture(sets / name / "sub/2.png").pixels for name in ("out", "ref")]
    found = {name: rows_of(report)["sub/2"][name] for name in names}
    assert found == pytest.approx(score(*pair, names, convention, 5))
    assert (report["convention"], report["crop_border"]) == (convention, 5)


def test_a_gate_that_fails_makes_the_exit_code_1_and_lists_the_rows(sets):
    done = run("score", sets / "out", sets / "ref", "--fail-under", "psnr=35", "--json")
    verdict = json.loads(done.stdout)["gates"][0]
    assert done.returncode == 1 and not verdict["passed"] and verdict["on"] == "mean" and verdict["limit"] == 35
    names = [row["name"] for row in verdict["failing"]]
    assert names[:3] == ["sub/5", "sub/4", "sub/3"] and all(row["psnr"] < 35 for row in verdict["failing"])
    lines = messages(done)
    assert lines[0].startswith("gate failed: the mean psnr is 3") and "must be at least 35" in lines[0]
    assert lines[1].endswith("dB  sub/5") and len(lines) == 1 + len(names)


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["--fail-under", "psnr=25,ssim=0.5"], 0),
        (["--fail-under", "psnr=25,ssim=0.999"], 1),
        (["--fail-under", "psnr=25", "--gate", "each"], 1),
        (["--fail-over", "mae=0.9", "--gate", "each"], 0),
        (["--fail-over", "mae=0.001"], 1),
        (["--fail-under", "psnr=25", "--fail-over", "mse=0.000001"], 1),
        (["--metric", "mae", "--fail-under", "psnr=25"], 0),
        (["--baseline", "soft", "--fail-under", "gain-psnr=1"], 0),
        (["--baseline", "soft", "--fail-under", "gain-psnr=30"], 1),
    ],
)
def test_gates_decide_the_exit_code(arguments, code, sets):
    done = run("score", "out", "ref", *arguments, "-q", cwd=sets)
    assert done.returncode == code, messages(done)
    assert bool(done.stderr) == bool(code)


WRONG = {
    "unknown metric": (["out", "ref", "--metric", "psnr,beauty"], "beauty"),
    "unknown gate": (["out", "ref", "--fail-under", "beauty=1"], "'beauty' is not a metric; choose one of psnr"),
    "wrong side": (["out", "ref", "--fail-under", "mae=1"], "write --fail-over mae=1"),
    "gain without a baseline": (["out", "ref", "--fail-under", "gain-psnr=1"], "--baseline"),
    "gate without reference": (["out", "--fail-under", "psnr=30"], "psnr needs REF"),
    "metric without reference": (["out", "--metric", "ssim"], "ssim needs REF"),
    "two forms": (["out", "ref", "--json", "--csv"], "--csv"),
    "unknown convention": (["out", "ref", "--convention", "matlab"], "matlab"),
    "unknown gate kind": (["out", "ref", "--gate", "most"], "most"),
    "negative border": (["out", "ref", "--crop-border", "-1"], "--crop-border"),
    "missing baseline": (["out", "ref", "--baseline", "nowhere"], "nowhere: no such file"),
    "a baseline of another kind": (["out", "ref", "--baseline", "out/sub/0.png"], "two of a kind"),
    "two pipes": (["-", "-"], "only one picture can come from standard input"),
    "page named as a picture": (["out", "ref", "--html", "x.png"], "report.html"),
    "page in place of a picture": (["out/sub/0.png", "ref/sub/0.png", "--html", "ref/sub/0.png"], "would replace"),
    "page in an input": (["out", "ref", "--html", "ref/x.html"], "lies inside the input folder"),
    "page in the baseline": (["out", "ref", "--baseline", "soft", "--html", "soft/x.html"], "lies inside the input"),
    "page that is a folder": (["out", "ref", "--html", "dir.html"], "is a folder"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_exits_2_and_writes_nothing(case, sets):
    arguments, said = WRONG[case]
    (sets / "dir.html").mkdir()
    before = {path: path.read_bytes() for path in sets.rglob("*.png")}
    done = run("score", *arguments, cwd=sets)
    assert done.returncode == 2 and done.stdout == b"" and said in messages(done)[-1], messages(done)
    assert "Traceback" not in done.stderr.decode() and not (sets / "ref" / "x.html").exists()
    assert {path: path.read_bytes() for path in sets.rglob("*.png")} == before


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_exits_130_and_leaves_no_page(tmp_path):
    rng = np.random.default_rng(0)
    for index in range(60):
        for name in ("out", "ref"):
            images.write(tmp_path / name / f"{index}.bmp", rng.random((600, 600, 3), dtype=np.float32))
    line = [sys.executable, "-m", "deblurcli", "score", "out", "ref", "--html", "page/x.html", "--metric", "ms-ssim"]
    running = interruptible(line, cwd=tmp_path)
    while not (tmp_path / "page").exists() and running.poll() is None:
        time.sleep(0.01)
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert re.fullmatch(r"score: finishing \d pictures?; Ctrl-C again to stop now\nscore: interrupted\n", errors)
    assert list((tmp_path / "page").iterdir()) == []


def test_the_samples_are_scored_as_the_library_does():
    report = report_of(DATA / "blurred", DATA / "sharp", "--metric", "ms-ssim,gmsd,sharpness")
    for row in report["files"]:
        pair = [images.read_picture(DATA / folder / f"{row['name']}.png").pixels for folder in ("blurred", "sharp")]
        expected = score(*pair, ["ms-ssim", "gmsd", "sharpness"])
        assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_a_missing_partner_is_a_failed_outcome(tmp_path, sharp):
    images.write(tmp_path / "out" / "a.png", sharp[:12, :12])
    images.write(tmp_path / "ref" / "b.png", sharp[:12, :12])
    run = scoring.score(tmp_path / "out", tmp_path / "ref", None, scoring.Options(("psnr",)))
    outcomes = list(run.batch.outcomes)
    assert [outcome.status for outcome in outcomes] == [FAILED, FAILED]
    assert all("partner" in outcome.error for outcome in outcomes)
    results, verdicts = run.results(outcomes)
    assert (results.rows, results.total, results.missing, len(results.errors)) == ([], 2, 2, 2) and verdicts == []


@pytest.mark.parametrize(
    "columns, metrics, fits", [("40", "psnr,mae", False), ("80", ",".join(METRICS), False), ("200", "psnr,mae", True)]
)
def test_numbers_are_never_cut(sets, columns, metrics, fits):
    options = ["--baseline", "soft", "--metric", metrics]
    done = run("score", "out", "ref", *options, cwd=sets, env={**os.environ, "COLUMNS": columns})
    shown = done.stdout.decode()
    assert "…" not in shown and max(map(len, shown.splitlines())) <= int(columns)
    values = [line.split()[-1] for line in shown.splitlines() if line.strip().startswith(("mean of", "median"))]
    assert len(values) == 2 and all(re.fullmatch(r"[+-]?\d+\.\d\d+", value) for value in values)
    assert ("more columns do not fit" in done.stderr.decode()) == (not fits)
