"""The command line as a shell sees it: exit codes, streams, messages."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deblurcli.blur import families
from deblurcli.blur.model import blur
from deblurcli.choices import MODELS
from deblurcli.cli import COMMANDS
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from tests.conftest import DATA
from tests.shell import TRANSFORMS, messages, run


@pytest.fixture
def mixed(folder, sharp):
    """A folder with three good pictures and every kind of bad one."""
    (folder / "text.jpg").write_text("this is no picture")
    (folder / "empty.png").write_bytes(b"")
    data = images.encode(Picture(images.from_float(sharp, np.uint8)), "jpeg")
    (folder / "truncated.jpg").write_bytes(data[: len(data) // 2])
    return folder


@pytest.mark.parametrize("command", TRANSFORMS)
def test_a_folder_with_bad_files_gives_every_good_one(command, mixed, tmp_path):
    done = run(command, mixed, tmp_path / "out", *TRANSFORMS[command])
    assert done.returncode == 1 and done.stdout == b""
    errors = [line for line in messages(done) if line.startswith("error: ")]
    assert len(errors) == 3 and "Traceback" not in done.stderr.decode()
    for name in ("text.jpg", "empty.png", "truncated.jpg"):
        assert sum(str(mixed / name) in line for line in errors) == 1
    assert messages(done)[-1] == f"{command}: 3 done, 3 failed (1 other file ignored)"
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert written == ["a.png", "b.jpg", *(["manifest.jsonl"] if command == "blur" else []), "süb dir/c.png"]


@pytest.mark.parametrize("command", TRANSFORMS)
def test_a_file_and_a_pipe_give_the_same(command, tmp_path):
    source = DATA / "blurred" / "astronaut.png"
    done = run(command, source, tmp_path / "x.png", *TRANSFORMS[command])
    assert done.returncode == 0, messages(done)
    piped = run(command, *TRANSFORMS[command], stdin=source.read_bytes())
    assert piped.returncode == 0 and piped.stdout == (tmp_path / "x.png").read_bytes()
    named = run(command, "-", "-", *TRANSFORMS[command], "--format", "jpg", stdin=source.read_bytes())
    assert images.decode(named.stdout).format == "jpeg"


def test_the_blurs_are_the_ones_asked_for(tmp_path):
    source = DATA / "sharp" / "cat.png"
    sharp = images.read_picture(source).pixels
    for options, array in [
        (["--gaussian", "1.5"], families.gaussian(1.5)),
        (["--motion", "diagonal"], families.motion(8, 135)),
        (["--motion", "30", "--length", "12"], families.motion(12, 30)),
        (["--defocus", "3"], families.defocus(3)),
        (["--psf", "paper-motion:direction=vertical"], families.paper_motion("vertical")),
    ]:
        done = run("blur", source, *options)
        np.testing.assert_array_equal(images.decode(done.stdout).pixels, blur(sharp, array))


@pytest.mark.parametrize("name", ["astronaut", "cat"])
def test_deblurring_brings_the_samples_nearer_to_the_sharp_ones(name, tmp_path):
    done = run("deblur", DATA / "blurred" / f"{name}.png", tmp_path)
    assert done.returncode == 0
    sharp, blurred, restored = (
        images.read(folder / f"{name}.png") for folder in (DATA / "sharp", DATA / "blurred", tmp_path)
    )
    assert psnr(restored, sharp) > psnr(blurred, sharp) + 0.5


def test_scores_as_json_are_the_library_s(tmp_path):
    done = run("score", DATA / "blurred", DATA / "sharp", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["pairs"] == 2 and report["errors"] == []
    for row in report["files"]:
        pair = [images.read(DATA / folder / f"{row['name']}.png") for folder in ("blurred", "sharp")]
        assert row["psnr"] == pytest.approx(psnr(*pair))
    assert report["mean"]["psnr"] == pytest.approx(np.mean([row["psnr"] for row in report["files"]]))


def test_too_large_a_picture_is_not_scored():
    done = run("score", DATA / "sharp" / "cat.png", DATA / "sharp" / "cat.png", "--max-pixels", "0.1")
    assert done.returncode == 1 and "raise --max-pixels" in messages(done)[0]


def test_equal_pictures_have_no_number_for_psnr_in_json():
    report = json.loads(run("score", DATA / "sharp", DATA / "sharp", "--json").stdout)
    assert report["mean"]["psnr"] is None and report["files"][0]["infinite"] == ["psnr"]


def test_scores_as_a_table_name_every_picture_and_the_mean():
    done = run("score", DATA / "blurred", DATA / "sharp", "--metric", "ssim", env={**os.environ, "COLUMNS": "100"})
    table = done.stdout.decode()
    assert all(word in table for word in ("astronaut", "cat", "ssim", "mean of 2")) and "psnr" not in table


def test_what_cannot_be_scored_makes_the_exit_code_1(tmp_path, sharp):
    images.write(tmp_path / "out" / "a.png", sharp[:20, :20])
    images.write(tmp_path / "ref" / "a.png", sharp[:20, :21])
    images.write(tmp_path / "out" / "b.png", sharp[:20, :20])
    images.write(tmp_path / "ref" / "b.png", sharp[:20, :20])
    images.write(tmp_path / "out" / "c.png", sharp[:20, :20])
    done = run("score", tmp_path / "out", tmp_path / "ref", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and (report["pairs"], report["failed"]) == (1, 2)
    assert any("20×20" in error and "a.png" in error for error in report["errors"])
    assert any("c.png" in error and "partner" in error for error in report["errors"])


WRONG = {
    "missing folder": (["deblur", "missing", "out"], "missing: no such file"),
    "unknown model": (["deblur", "in", "out", "--model", "nope"], "nope"),
    "missing model file": (["deblur", "in", "out", "--model", "nope.onnx"], "nope.onnx"),
    "model that is none": (["deblur", "in", "out", "--model", "text.onnx"], "text.onnx"),
    "unknown provider": (["deblur", "in", "out", "--provider", "nope"], "nope"),
    "unknown psf": (["blur", "in", "out", "--psf", "nope:3"], "nope"),
    "psf out of range": (["wiener", "in", "out", "--psf", "gaussian:sigma=-1"], "sigma=-1"),
    "missing psf file": (["blur", "in", "out", "--psf", "nope.npy"], "nope.npy"),
    "wrong direction": (["blur", "in", "out", "--motion", "sideways"], "sideways"),
    "unwritable output": (["deblur", "in", "text.onnx/out"], "text.onnx/out: cannot be written"),
    "no psf": (["wiener", "in", "out"], "--psf"),
    "two blurs": (["blur", "in", "out", "--gaussian", "1", "--defocus", "2"], "exactly one"),
    "no blur": (["blur", "in", "out"], "exactly one"),
    "length zero": (["blur", "in", "out", "--motion", "30", "--length", "0"], "length=0"),
    "empty path": (["blur", "in", "", "--gaussian", "1"], "the path is empty"),
    "pipe into a folder": (["blur", "-", "in", "--gaussian", "1"], "name a file in it"),
    "name too long": (["blur", "x" * 300, "--gaussian", "1"], "File name too long"),
    "no limit": (["blur", "in", "out", "--gaussian", "1", "--max-pixels", "inf"], "--max-pixels"),
    "ratio too small": (["wiener", "in", "out", "--psf", "gaussian:1", "--nsr", "1e-50"], "--nsr"),
    "too many workers": (["blur", "in", "out", "--gaussian", "1", "--workers", "99999999999"], "--workers"),
    "length alone": (["blur", "in", "out", "--gaussian", "1", "--length", "3"], "--length"),
    "iterations of none": (["wiener", "in", "out", "--psf", "gaussian:1", "--iterations", "5"], "--iterations"),
    "two sources": (["wiener", "in", "out", "--psf", "gaussian:1", "--manifest", "m.jsonl"], "--manifest"),
    "wrong ratio": (["wiener", "in", "out", "--psf", "gaussian:1", "--nsr", "-1"], "--nsr"),
    "wrong format": (["blur", "in", "out", "--gaussian", "1", "--format", "gif"], "gif"),
    "wrong ending": (["deblur", "in/a.png", "out.xyz"], "out.xyz"),
    "wrong metric": (["score", "in", "in", "--metric", "beauty"], "beauty"),
    "folder to a pipe": (["deblur", "in"], "output folder"),
    "replacing inputs": (["deblur", "in", "in"], "--in-place"),
    "score without reference": (["score", "in", "missing"], "missing: no such file"),
    "unknown option": (["deblur", "in", "out", "--nope"], "No such option: --nope"),
    "unknown command": (["wienr", "in", "out"], "No such command 'wienr'. Did you mean 'wiener'?"),
    "no value": (["deblur", "in", "out", "--model"], "Option '--model' requires an argument"),
    "strength beyond": (["deblur", "in", "out", "--strength", "2"], "Invalid value for '--strength': "),
    "no number": (["blur", "in", "out", "--gaussian", "much"], "Invalid value for '--gaussian': "),
    "missing argument": (["score"], "Missing argument 'OUT'"),
    "wrong method": (["wiener", "in", "out", "--psf", "box:3", "--method", "magic"], "'--method': 'magic' is unknown"),
    "wrong convention": (["score", "in", "in", "--convention", "mine"], "'--convention': 'mine' is unknown"),
    "wrong gate": (["score", "in", "in", "--gate", "some"], "'--gate': 'some' is unknown; choose one of mean, each"),
    "wrong pick": (["compare", "in", "in", "-o", "x.png", "--pick", "mine"], "'--pick': 'mine' is unknown"),
    "wrong family": (["estimate", "in", "--family", "fog"], "'--family': 'fog' is unknown; choose one of auto, motion"),
    "wrong colour": (["blur", "in", "out", "--gaussian", "1", "--background", "x"], "'--background': 'x' is no colour"),
    "wrong shard": (["blur", "in", "out", "--gaussian", "1", "--shard", "3/2"], "'--shard': '3/2' is not I/N"),
    "wrong provider": (
        ["deblur", "in", "out", "--provider", "gpu"],
        "'--provider': 'gpu' is unknown; choose one of auto",
    ),
    "unknown network": (["models", "nope"], "'NAME': 'nope' is unknown; choose one of faces"),
    "both forms": (["score", "in", "in", "--json", "--csv"], "--csv: give either --json or --csv, not both"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_exits_2_with_a_clear_line_and_does_nothing(case, folder, tmp_path):
    arguments, said = WRONG[case]
    (tmp_path / "text.onnx").write_text("no network")
    before = sorted(tmp_path.rglob("*"))
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == b""
    assert said in messages(done)[-1] and "rror: " in messages(done)[-1] and "Traceback" not in done.stderr.decode()
    assert sorted(path for path in tmp_path.rglob("*") if path.name != "out") == before


def test_a_folder_nobody_may_write_to_is_refused(folder, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write anywhere")
    done = run("deblur", folder, locked / "out")
    assert done.returncode == 2 and f"{locked / 'out'}: cannot be written" in messages(done)[-1]


@pytest.mark.parametrize("command", ["deblur", "blur"])
def test_a_terminal_is_no_picture(command):
    main, terminal = pty.openpty()
    try:
        arguments = [sys.executable, "-m", "deblurcli", command, *TRANSFORMS[command]]
        done = subprocess.run(arguments, stdin=terminal, capture_output=True, timeout=60)
    finally:
        os.close(main)
        os.close(terminal)
    assert done.returncode == 2 and b"pipe a picture in" in done.stderr


def test_a_terminal_is_nothing_to_score():
    main, terminal = pty.openpty()
    try:
        arguments = [sys.executable, "-m", "deblurcli", "score", "-", DATA / "sharp" / "cat.png"]
        done = subprocess.run(arguments, stdin=terminal, capture_output=True, timeout=60)
    finally:
        os.close(main)
        os.close(terminal)
    assert done.returncode == 2 and b"pipe a picture in" in done.stderr


@pytest.mark.parametrize("command", ["score - x.png", "blur --gaussian 1"])
def test_a_closed_standard_input_is_said(command):
    done = subprocess.run(f"{sys.executable} -m deblurcli {command} <&-", shell=True, capture_output=True)
    assert done.returncode == 2 and b"pipe a picture in" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk at hand")
@pytest.mark.parametrize(
    "command", ["blur {cat} - --gaussian 1", "score {cat} {cat}", "score {cat} {cat} --json", "models", "--help"]
)
def test_a_full_disk_behind_standard_output_is_said(command):
    line = command.format(cat=DATA / "sharp" / "cat.png")
    done = subprocess.run(f"{sys.executable} -m deblurcli {line} >/dev/full", shell=True, capture_output=True)
    assert done.returncode in (1, 2) and b"No space left" in done.stderr and b"Traceback" not in done.stderr


def test_output_that_a_terminal_s_encoding_lacks_is_escaped():
    done = run("score", DATA / "sharp", DATA / "sharp", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and b"astronaut" in done.stdout


def test_a_name_with_control_characters_stays_on_one_line(tmp_path):
    (tmp_path / "a\n\x1b[31mb.png").write_text("x")
    lines = messages(run("blur", tmp_path / "a\n\x1b[31mb.png", tmp_path / "out", "--gaussian", "1"))
    assert len(lines) == 2 and "a\\n\\x1b[31mb.png" in lines[0]


def test_nothing_is_left_in_the_home_folder(tmp_path):
    """ONNX Runtime would keep a device's identity there, and report on it."""
    run("deblur", DATA / "blurred" / "cat.png", tmp_path / "x.png", env={**os.environ, "HOME": str(tmp_path / "home")})
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_no_bytes_on_the_pipe_are_said():
    done = run("deblur")
    assert done.returncode == 1 and "error: standard input: the file is empty" in messages(done)[1]


def test_no_animation_off_a_terminal(folder, tmp_path):
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", env={**os.environ, "TERM": "xterm-256color"})
    assert messages(done) == ["blur: 3 done (1 other file ignored)"]


def test_quiet_is_quiet_and_verbose_names_every_file(folder, tmp_path):
    assert run("blur", folder, tmp_path / "out", "--gaussian", "1", "-q").stderr == b""
    lines = messages(run("blur", folder, tmp_path / "out", "--gaussian", "1", "-v"))
    assert sum(line.startswith("done: ") and "→" in line for line in lines) == 3


def test_the_provider_is_said(tmp_path):
    done = run("deblur", DATA / "blurred" / "cat.png", tmp_path, "--provider", "cpu")
    assert messages(done)[0] == "deblur: model auto, running on cpu" and messages(done)[-1] == "deblur: 1 done"


def test_a_dry_run_shows_the_plan(folder, tmp_path):
    lines = messages(run("deblur", folder, tmp_path / "out", "--dry-run"))
    assert f"planned: {folder / 'a.png'} → {tmp_path / 'out' / 'a.png'}" in lines
    assert not (tmp_path / "out").exists()


def test_many_errors_are_cut_at_twenty(tmp_path):
    (tmp_path / "in").mkdir()
    for index in range(30):
        (tmp_path / "in" / f"{index}.png").write_text("x")
    lines = messages(run("blur", tmp_path / "in", tmp_path / "out", "--gaussian", "1"))
    assert len(lines) == 22 and lines[20] == "error: … and 10 more"


def test_models_are_listed():
    cards = json.loads(run("models", "--json").stdout)
    assert cards["faces"]["scores"]["float"]["gaussian"]["restored"]["psnr"] > 30
    table = run("models", env={**os.environ, "COLUMNS": "80"}).stdout.decode()
    assert all(len(line) <= 80 for line in table.splitlines()) and "licence" not in table
    for name, card in cards.items():
        assert name in table and card["good_for"].split()[0] in table
        assert f"{card['speed']['megapixels_per_second']:.2f}" in table if "speed" in card else "–" in table


@pytest.mark.parametrize("name", MODELS)
def test_one_model_is_told_in_full(name):
    card = json.loads(run("models", name, "--json").stdout)[name]
    assert card["name"] == name
    shown = run("models", name, env={**os.environ, "COLUMNS": "80"}).stdout.decode()
    assert all(len(line) <= 80 for line in shown.splitlines())
    words = " ".join(shown.split())
    for text in ("description", "fails_at"):
        assert all(word in words for word in card[text].split())
    assert f"{card['parameters']:,} parameters" in words and "licence" in words and f"models {name} --json" in words


def test_the_version_is_printed():
    assert run("--version").stdout.startswith(b"deblurcli ")


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from deblurcli.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit as done: assert done.code == 0\n"
        "heavy = {'numpy', 'cv2', 'skimage', 'scipy', 'onnxruntime', 'rich', 'torch', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, deblurcli; assert not {'numpy', 'cv2', 'onnxruntime'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
