"""Queues of recipes inside a time budget."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from training import queue
from training.__main__ import app
from training.data import packs
from training.queue import Queue


@pytest.fixture
def lists(little, tmp_path, monkeypatch):
    """A recipe whose folder is missing, and a little one on made-up faces that are packed already."""
    text = little.read_text()
    broken, faces = tmp_path / "broken.toml", tmp_path / "visages.toml"
    broken.write_text(text.replace('"little"', '"broken"').replace('"photos"', '"nowhere"'))
    drop = ('path = "photos"', "crop = 16", "crops = 2")
    text = text.replace('"little"', '"visages"').replace('"folder"', '"lfw"')
    faces.write_text("\n".join(line for line in text.splitlines() if line not in drop))
    made = np.random.default_rng(0).integers(0, 256, (20, 125, 94, 3), np.uint8)
    packs.write(tmp_path / "out" / "packs" / "lfw.npy", made)
    return [str(broken), str(faces)]


@pytest.fixture
def mostly_here(monkeypatch, here):
    """Exporting and scoring run in this process; packing and fitting are processes of their own, as they should be."""
    as_process = Queue._step

    def step(self, *arguments):
        if arguments[0] in ("pack", "fit"):
            return as_process(self, *arguments)
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output

    monkeypatch.setattr(Queue, "_step", step)


def test_a_failure_costs_the_others_nothing_and_what_is_over_is_left_alone(lists, tmp_path, monkeypatch, mostly_here):
    fitting = ["--accelerator", "cpu", "--threads", "1"]
    work = Queue(lists, 20, tmp_path / "out", tmp_path, fitting, "a test")
    broken, faces = work.run()
    assert broken.state == "failed" and "nowhere" in broken.reason and "no pictures there" in broken.reason
    assert (faces.state, faces.epochs) == ("over", 2) and 5 < faces.psnr["gaussian"] < 40
    report = json.loads((tmp_path / "out" / queue.REPORT).read_text())
    assert [result["state"] for result in report] == ["failed", "over"]
    made = {path.name for path in tmp_path.glob("out/*/*")} | {path.name for path in tmp_path.glob("out/runs/*/*")}
    assert {"visages.onnx", "visages.json", "checkpoint.pt", "epochs.csv", "log.csv"} <= made
    monkeypatch.setattr(Queue, "_step", lambda *_: pytest.fail("there is nothing left to do"))
    again = Queue(lists[1:], 20, tmp_path / "out", tmp_path, fitting, "a test").run()
    assert [(result.state, result.psnr) for result in again] == [("over", faces.psnr)]


def test_without_time_a_recipe_waits(lists, tmp_path):
    assert [result.state for result in Queue(lists, 0, tmp_path / "out").run()] == ["waits", "waits"]


def test_time_is_shared_by_those_still_to_come(lists, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(Queue, "_turn", lambda self, name, chosen, share, result: given.append(share))
    Queue(lists, 30, tmp_path / "out").run()
    assert given == pytest.approx([15, 30], abs=0.5)
