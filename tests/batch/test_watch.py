"""`deblur --watch`: what comes into a folder is restored once it is complete, until Ctrl-C."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deblurcli.batch import watch
from deblurcli.batch.jobs import Options
from deblurcli.errors import ImageError
from deblurcli.pictures import images
from deblurcli.pictures.processed import Processed
from tests.conftest import interruptible
from tests.shell import messages, run

COUNT = 200
DEADLINE = 120  # seconds


def encoded(seed, side=24):
    """The bytes of a small picture, different for each seed."""
    pixels = np.random.default_rng(seed).random((side, side, 3), np.float32)
    return images.encode(images.Picture(images.from_float(pixels, np.uint8)), "png")


def until(condition, what):
    """Wait for a condition."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def until_there(target, count):
    """Wait for so many outputs."""
    until(lambda: len(list(target.rglob("*.png"))) >= count, f"{count} outputs")


@pytest.fixture
def watching(tmp_path):
    """A watching `deblur` with a quick network, and its folders; it is ended if the test did not."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "first.png").write_bytes(encoded(0))
    report = tmp_path / "report.jsonl"
    command = [sys.executable, "-m", "deblurcli", "deblur", source, target, "--watch", "--model", "srcnn-gaussian"]
    process = interruptible([*map(str, command), "--workers", "2", "--report", str(report), "--json"], stdout=-1)
    until(lambda: (target / "first.png").exists(), "the first picture")
    yield process, source, target, report
    process.kill()
    process.wait()


def resident(process):
    """Memory of a process, in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_bursts_slow_writers_and_renames_are_all_done_and_none_half(watching):
    process, source, target, report = watching
    slow, data = (source / "slow.png").open("wb"), encoded(999, 96)
    memory = []
    for burst in range(5):
        slow.write(data[burst * len(data) // 6 : (burst + 1) * len(data) // 6])
        slow.flush()
        for index in range(burst * COUNT // 5, (burst + 1) * COUNT // 5):
            folder = source / f"burst {burst}" / ("deep" if index % 2 else ".")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{index}.png").write_bytes(encoded(index + 1))
        (source / f"{burst}.png.part").write_bytes(encoded(burst + 500))
        (source / f"{burst}.png.part").rename(source / f"renamed-{burst}.png")
        until_there(target, 1 + (burst + 1) * (COUNT // 5 + 1))
        memory.append(resident(process))
    assert not (target / "slow.png").exists(), "it is still being written"
    slow.write(data[5 * len(data) // 6 :])
    slow.close()
    (source / "renamed-4.png").rename(source / "renamed again.png")
    wanted = COUNT + 8
    until_there(target, wanted)
    process.send_signal(signal.SIGINT)
    summary = json.loads(process.communicate(timeout=DEADLINE)[0])
    assert process.returncode == 0 and (summary["done"], summary["failed"]) == (wanted, 0)
    rows = [json.loads(line) for line in report.read_text().splitlines()[:-1]]
    assert len({row["input"] for row in rows}) == len(rows) == wanted and {row["status"] for row in rows} == {"done"}
    for path in target.rglob("*.png"):
        assert images.read_picture(path).size == ((96, 96) if path.name == "slow.png" else (24, 24))
    assert memory[-1] < memory[0] + 15, memory


def test_what_changes_is_done_again_and_a_shared_output_is_refused(watching):
    process, source, target, _ = watching
    before = (target / "first.png").read_bytes()
    (source / "first.png").write_bytes(encoded(7))
    until(lambda: (target / "first.png").read_bytes() != before, "the picture that changed")
    (source / "FIRST.png").write_bytes(encoded(8))
    (source / "broken.png").write_bytes(b"no picture")
    lines = iter(process.stderr.readline, "")
    found = [next(line for line in lines if "failed" in line) for _ in range(2)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert any("is already the output of first.png; rename it" in line for line in found)
    assert any("broken.png" in line for line in found)


def test_what_has_an_output_is_left_at_the_start(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    for name in ("a.png", "b.png"):
        images.write(source / name, np.zeros((8, 8, 3), np.float32))
    images.write(target / "a.png", np.ones((8, 8, 3), np.float32))
    batch = watch.transform(source, target, lambda picture, key: Processed(picture), Options())
    outcome = next(batch.outcomes)
    batch.outcomes.close()
    assert outcome.job.key == "b.png" and images.read(target / "a.png").max() == 1


def test_a_fault_of_the_program_ends_the_watch(tmp_path):
    images.write(tmp_path / "in" / "a.png", np.zeros((8, 8, 3), np.float32))

    def work(picture, key):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(watch.transform(tmp_path / "in", tmp_path / "out", work, Options(workers=2)).outcomes)


def test_a_folder_that_goes_away_ends_the_watch(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "RELIST", 0.2)
    images.write(tmp_path / "in" / "a.png", np.zeros((8, 8, 3), np.float32))

    def work(picture, key):
        (tmp_path / "in").rename(tmp_path / "away")
        raise ImageError("gone")

    with pytest.raises(watch.PlanError, match="in: cannot be listed"):
        list(watch.transform(tmp_path / "in", tmp_path / "out", work, Options()).outcomes)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["in/a.png", "out"], "--watch: needs one folder for IN"),
        (["in", "out", "--in-place"], "--in-place: does not work with --watch"),
        (["in", "out", "--shard", "1/2"], "--shard: does not work with --watch"),
        (["in", "in/out"], "lies inside the input folder"),
    ],
)
def test_what_cannot_be_watched_is_refused(arguments, said, tmp_path):
    images.write(tmp_path / "in" / "a.png", np.zeros((8, 8, 3), np.float32))
    done = run("deblur", *arguments, "--watch", cwd=tmp_path)
    assert done.returncode == 2 and said in messages(done)[-1] and not (tmp_path / "out").exists()


def test_a_missing_package_is_named_with_its_extra(tmp_path):
    images.write(tmp_path / "in" / "a.png", np.zeros((8, 8, 3), np.float32))
    code = "import sys; sys.modules['watchdog'] = None; from deblurcli.cli import main; main()"
    command = [sys.executable, "-c", code, "deblur", "in", "out", "--watch"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "install deblurcli[watch]" in done.stderr and not (tmp_path / "out").exists()
