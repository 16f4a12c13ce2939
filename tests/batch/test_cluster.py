"""The same commands on a Dask cluster of local processes."""

import json
import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from deblurcli.batch import cluster, record
from deblurcli.batch.run import Plain, transform
from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.psf import parse_or_random
from deblurcli.cli import app
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.errors import ClusterError
from deblurcli.inference.restorer import deferred, restorer
from deblurcli.pictures import images, storage
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.restoration import Alone, restoration
from tests.conftest import interruptible
from tests.shell import TRANSFORMS, messages, run

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def local():
    """Two worker processes, the nanny of each starting it again when it dies."""
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as made:
        yield made


def test_a_cluster_writes_what_one_machine_writes(local, folder, tmp_path):
    (folder / "bad.png").write_text("x")
    options = ["--cluster", local.scheduler_address, "--report", "r.jsonl"]
    done = run("deblur", "in", "there", *options, cwd=tmp_path)
    assert run("deblur", "in", "here", cwd=tmp_path).returncode == done.returncode == 1
    written = sorted(path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.*"))
    assert len(written) == 3
    for path in written:
        assert (tmp_path / "there" / path).read_bytes() == (tmp_path / "here" / path).read_bytes()
    *rows, summary = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    assert sorted(row["input"] for row in rows) == ["in/a.png", "in/b.jpg", "in/bad.png", "in/süb dir/c.png"]
    assert summary["done"] == 3 and summary["failed"] == 1
    assert any("bad.png" in line for line in messages(done))


def test_what_is_left_alone_keeps_its_bytes_there_too(local, folder, tmp_path):
    options = ["--strength", "0", "--cluster", local.scheduler_address]
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.[pj][np]g")}
    for target in (["out"], ["--in-place"]):
        done = run("deblur", "in", *target, *options, cwd=tmp_path)
        assert "deblur: 3 × left unchanged, as a strength of 0 asks" in messages(done)
    assert len(before) == 3
    for path, (changed, data) in before.items():
        assert (tmp_path / "out" / path.relative_to(folder)).read_bytes() == data
        assert (path.stat().st_mtime_ns, path.read_bytes()) == (changed, data)


def test_a_lost_worker_s_chunk_is_done_by_another(local, tmp_path, sharp):
    for index in range(60):
        images.write(tmp_path / "in" / f"{index}.png", sharp[:8, :8])
    (tmp_path / "marks").mkdir()

    def kill_one():
        while not (begun := list((tmp_path / "marks").iterdir())):
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(int(begun[0].name), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    work = pickle.loads(pickle.dumps(Slow(tmp_path / "marks")))
    under_way = transform(tmp_path / "in", tmp_path / "out", work, runner=cluster.runner(local.scheduler_address))
    outcomes = list(under_way.outcomes)
    killer.join()
    assert len({outcome.job.source for outcome in outcomes}) == len(outcomes) == under_way.total == 60
    assert {outcome.status for outcome in outcomes} == {record.DONE}
    storage.sweep(tmp_path / "out")  # as the next run does: the killed one may have left what it was writing
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{index}.png" for index in range(60)}
    assert len(list((tmp_path / "marks").iterdir())) >= 2


def test_ctrl_c_finishes_the_chunks_in_hand_and_exits_130(local, tmp_path, sharp):
    for index in range(400):
        images.write(tmp_path / "in" / f"{index}.png", sharp)
    options = ["--gaussian", "9", "--cluster", local.scheduler_address, "--report", "r.jsonl"]
    command = [sys.executable, "-m", "deblurcli", "blur", "in", "out", *options]
    running = interruptible(command, cwd=tmp_path)
    while not list((tmp_path / "out").glob("[0-9]*.png")) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130 and "Traceback" not in errors and "interrupted" in errors
    *rows, summary = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    assert 0 < len(rows) == summary["done"] == len(list((tmp_path / "out").glob("*.png"))) < 400


def test_a_lost_scheduler_is_one_line(tmp_path, sharp):
    for index in range(40):
        images.write(tmp_path / "in" / f"{index}.png", sharp[:8, :8])
    (tmp_path / "marks").mkdir()
    with distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=None) as cut:
        outcomes = transform(
            tmp_path / "in", tmp_path / "out", Slow(tmp_path / "marks"), runner=cluster.runner(cut.scheduler_address)
        ).outcomes
        next(outcomes)
        cut.close()
        with pytest.raises(ClusterError, match="scheduler was lost; run again with --skip-existing"):
            list(outcomes)


def test_another_version_or_none_on_a_worker_is_said(local, folder, tmp_path, monkeypatch):
    with pytest.raises(ClusterError, match=r"the scheduler has deblurcli 0.*; install deblurcli 99 there"):
        monkeypatch.setattr(cluster, "version", Elsewhere("99", "deblurcli"))
        blurred_on(local, folder, tmp_path)
    with pytest.raises(ClusterError, match=r"the scheduler has no deblurcli; install"):
        monkeypatch.setattr(cluster, "version", Elsewhere("0.1.0", "nowhere"))
        blurred_on(local, folder, tmp_path)


def blurred_on(local, folder, tmp_path):
    runner = cluster.runner(local.scheduler_address)
    return list(transform(folder, tmp_path / "out", Blurrer(parse_or_random("gaussian:1")), runner=runner).outcomes)


class Elsewhere:
    """`importlib.metadata.version` that says one thing here and, on another machine, looks for another package."""

    def __init__(self, here, there):
        self.here, self.there = here, there

    def __call__(self, package):
        return self.here

    def __reduce__(self):
        return eval, (f"lambda _: __import__('importlib.metadata').metadata.version({self.there!r})",)


def test_the_provider_is_that_of_the_workers(local, folder, tmp_path):
    """Nothing is opened here: what is missing on the workers is said of each picture."""
    arguments = ["deblur", "in", "out", "--model", "faces", "--provider", "cuda", "--cluster", local.scheduler_address]
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1 and sum("install the package onnxruntime-gpu" in line for line in messages(done)) == 3
    assert run(*arguments[:3], "--model", "nope", *arguments[5:], cwd=tmp_path).returncode == 2


class Slow:
    """A function that can be sent to processes that do not know this module."""

    def __init__(self, marks):
        self.marks = marks

    def __reduce__(self):
        code = (
            "lambda marks: (lambda picture, key: ("
            "__import__('pathlib').Path(marks, str(__import__('os').getpid())).touch(),"
            " __import__('time').sleep(0.05),"
            " __import__('deblurcli.pictures.processed').pictures.processed.Processed(picture))[-1])"
        )
        return eval, (f"({code})({str(self.marks)!r})",)


def test_a_scheduler_that_is_not_there_is_said(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "Client", lambda *_, **__: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(ClusterError, match=r"tcp://127\.0\.0\.1:9: no scheduler"):
        list(transform(folder, tmp_path / "out", Picture, runner=cluster.runner("tcp://127.0.0.1:9")).outcomes)


@pytest.mark.parametrize("address", ["foo", "http://127.0.0.1:8786", "tcp://node1", "8786"])
def test_what_is_no_address_is_said_at_once(address, folder, tmp_path):
    done = run("blur", folder, tmp_path / "out", "--gaussian", "1", "--cluster", address)
    assert done.returncode == 2 and messages(done) == [
        f"error: --cluster {address}: is not the address of a scheduler; give one such as tcp://node1:8786"
    ]


def test_pipes_stay_here(local):
    done = run("blur", "--gaussian", "1", "--cluster", local.scheduler_address, stdin=b"x")
    assert done.returncode == 2 and "works on files" in messages(done)[-1]


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"deblurcli\[cluster\]"):
        cluster.runner("tcp://127.0.0.1:9")


@pytest.mark.parametrize("command", TRANSFORMS)
def test_every_command_goes_to_the_cluster_when_asked(command, folder, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        cluster, "runner", lambda address: lambda jobs, *_: asked.append((address, len(jobs))) or iter(())
    )
    arguments = [command, str(folder), str(tmp_path / "out"), "--cluster", "tcp://there:8786", *TRANSFORMS[command]]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert asked == [("tcp://there:8786", 3)]


def test_chunks_hold_every_job_once_and_keep_threads_busy():
    for count in (1, 7, 100, 10_000):
        chunks = cluster._chunks(list(range(count)), threads=4)
        assert [job for chunk in chunks for job in chunk] == list(range(count))
        assert max(map(len, chunks)) <= cluster.LARGEST_CHUNK and len(chunks) >= min(count, 16)


WORK = {
    "blur": lambda: Blurrer(parse_or_random("random"), noise=0.01, jpeg_quality=80, seed=3),
    "wiener": lambda: restoration("gaussian:1", DeconvolutionOptions(), "sparse", Path()),
    "deblur": lambda: Alone(restorer(), "photo"),
    "deferred": lambda: Plain(deferred()),
}


@pytest.mark.parametrize("name", WORK)
def test_what_the_commands_do_can_be_sent(name, sharp):
    work, picture = WORK[name](), Picture(images.from_float(sharp[:40, :32], np.uint8))
    there, here = pickle.loads(pickle.dumps(work))(picture, "a.png"), work(picture, "a.png")
    np.testing.assert_array_equal(there.picture.pixels, here.picture.pixels)
    assert there.fields == here.fields and there.note == here.note
