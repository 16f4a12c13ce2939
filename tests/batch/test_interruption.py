"""Killed and interrupted runs: nothing half-written under a final name, no litter after the next run."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deblurcli.pictures import images, storage
from tests.conftest import interruptible

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
COMMAND = [sys.executable, "-m", "deblurcli", "blur", "in", "out", "--gaussian", "1", "--workers", "2"]


@pytest.fixture
def many(tmp_path):
    """A folder with eighty pictures that take a while to write."""
    rng = np.random.default_rng(0)
    for index in range(80):
        images.write(tmp_path / "in" / f"{index}.png", rng.random((300, 300, 3), dtype=np.float32))
    return tmp_path


def begun(folder, count, *arguments):
    """A run in `folder` of which at least `count` outputs are written."""
    running = interruptible([*COMMAND, *arguments], cwd=folder)
    while len(list((folder / "out").glob("[0-9]*.png"))) < count and running.poll() is None:
        time.sleep(0.002)
    return running


def temporary(folder):
    return list((folder / "out").glob(".deblurcli-*"))


def test_ctrl_c_finishes_the_files_in_hand_and_exits_130(many):
    running = begun(many, 5)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130 and "Traceback" not in errors
    done = int(re.search(r"blur: (\d+) done, interrupted", errors)[1])
    assert done == len(list((many / "out").glob("*.png"))) < 80
    listed = [json.loads(line) for line in (many / "out" / "manifest.jsonl").read_text().splitlines()]
    assert len(listed) == done
    assert not temporary(many)
    assert re.search(r"blur: finishing [12] pictures?; Ctrl-C again to stop now", errors)


def test_ctrl_c_is_answered_at_once_and_a_second_one_waits_for_nothing(tmp_path):
    """Pictures that would take minutes: 12 megapixels by an iterative method."""
    rng = np.random.default_rng(0)
    for index in range(3):
        images.write(tmp_path / "in" / f"{index}.png", rng.integers(0, 255, (1500, 2000, 3), np.uint8))
    command = [sys.executable, "-m", "deblurcli", "wiener", "in", "out", "--psf", "gaussian:sigma=2", "--workers", "2"]
    options = ["--method", "richardson-lucy", "--iterations", "1000", "--report", "run.jsonl", "--json"]
    running = interruptible([*command, *options], cwd=tmp_path, stdout=subprocess.PIPE)
    until_busy(running.pid)
    running.send_signal(signal.SIGINT)
    assert running.stderr.readline() == "wiener: finishing 2 pictures; Ctrl-C again to stop now\n"
    running.send_signal(signal.SIGINT)
    summary, errors = running.communicate(timeout=30)  # seconds on a machine at leisure, against minutes
    assert running.returncode == 130 and "Traceback" not in errors and "interrupted" in errors
    assert json.loads(summary)["interrupted"]
    assert json.loads((tmp_path / "run.jsonl").read_text())["interrupted"]
    assert not list((tmp_path / "out").iterdir())


def until_busy(pid):
    """Wait until a process has two threads beside its first that have used CPU time."""
    while len(busy(pid)) < 2:
        time.sleep(0.2)


def busy(pid):
    """The threads of a process beside its first that have used over half a second of CPU time."""
    others = (task for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid))
    spent = ((task / "stat").read_text() for task in others)
    return [line for line in spent if sum(map(int, line.rsplit(")", 1)[1].split()[11:13])) > 50]


def test_sigkill_leaves_whole_files_only_and_the_next_run_clears_up(many):
    for count in (1, 12, 25):
        running = begun(many, count, "--skip-existing")
        running.kill()
        running.communicate(timeout=60)
        assert running.returncode == -signal.SIGKILL
        for path in (many / "out").glob("[0-9]*.png"):
            assert images.read_picture(path).size == (300, 300)
    stray = many / "out" / ".deblurcli-999999999@elsewhere-x.png"
    mine = many / "out" / f".deblurcli-999999999@{os.uname().nodename}-x.png"
    stray.write_text("")
    mine.write_text("")
    done = subprocess.run([*COMMAND, "--skip-existing"], cwd=many, capture_output=True, text=True)
    assert done.returncode == 0 and "already there" in done.stderr
    assert len(list((many / "out").glob("[0-9]*.png"))) == 80
    assert temporary(many) == [stray], "a fresh file of another machine may be in use, all else is litter"


def test_what_a_running_process_writes_is_left_alone(tmp_path):
    live = tmp_path / f".deblurcli-{os.getpid()}@{os.uname().nodename}-x.png"
    live.write_text("")
    (tmp_path / ".deblurcli-notes").write_text("not ours")
    storage.sweep(tmp_path)
    assert live.exists() and (tmp_path / ".deblurcli-notes").exists()


def until_idle(pid):
    """Wait until a process has begun to wait: no CPU time in a second."""
    spent = None
    while (now := Path(f"/proc/{pid}/stat").read_text().split()[13:15]) != spent or spent == ["0", "0"]:
        spent = now
        time.sleep(1)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into Linux's /proc")
def test_ctrl_c_ends_the_wait_for_standard_input(tmp_path):
    arguments = [*COMMAND[:4], "-", tmp_path / "x.png", "--gaussian", "1"]
    waiting = interruptible(arguments, stdin=subprocess.PIPE)
    until_idle(waiting.pid)
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(timeout=30) == 130
    errors = waiting.stderr.read()
    waiting.stdin.close()
    waiting.stderr.close()
    assert "Traceback" not in errors and "interrupted" in errors


@pytest.mark.parametrize("library", ["typer", "cv2"])
def test_an_interrupt_while_the_tool_still_loads_leaves_no_traceback(many, library):
    """A library that is interrupted as it is imported."""
    (many / "lib").mkdir()
    (many / "lib" / f"{library}.py").write_text("raise KeyboardInterrupt")
    done = subprocess.run(COMMAND, cwd=many, env={**os.environ, "PYTHONPATH": str(many / "lib")}, capture_output=True)
    assert done.returncode == 130 and b"Traceback" not in done.stderr and not (many / "out").exists()
