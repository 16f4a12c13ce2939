"""The same commands on a Dask cluster of local processes."""

import json
import os
import pickle
import signal
import sys
import threading
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from deblurcli import batch, cluster, images
from deblurcli.blur import blurrer
from deblurcli.cli import app
from deblurcli.deblur import restorer
from deblurcli.deconvolve import deconvolver
from deblurcli.errors import ClusterError
from deblurcli.images import Picture
from tests.test_cli import TRANSFORMS, messages, run

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
    under_way = batch.transform(tmp_path / "in", tmp_path / "out", work, runner=cluster.runner(local.scheduler_address))
    outcomes = list(under_way.outcomes)
    killer.join()
    assert len({outcome.job.source for outcome in outcomes}) == len(outcomes) == under_way.total == 60
    assert {outcome.status for outcome in outcomes} == {batch.DONE}
    assert len(list((tmp_path / "out").glob("*.png"))) == 60
    assert len(list((tmp_path / "marks").iterdir())) >= 2


class Slow:
    """A function that can be sent to processes that do not know this module."""

    def __init__(self, marks):
        self.marks = marks

    def __reduce__(self):
        code = (
            "lambda marks: (lambda picture: (__import__('pathlib').Path(marks, str(__import__('os').getpid())).touch(),"
            " __import__('time').sleep(0.05), picture)[-1])"
        )
        return eval, (f"({code})({str(self.marks)!r})",)


def test_a_scheduler_that_is_not_there_is_said(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "Client", lambda *_, **__: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(ClusterError, match=r"tcp://127\.0\.0\.1:9: no scheduler"):
        list(batch.transform(folder, tmp_path / "out", Picture, runner=cluster.runner("tcp://127.0.0.1:9")).outcomes)


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


@pytest.mark.parametrize("make", [lambda: blurrer("gaussian:1"), lambda: deconvolver("gaussian:1"), restorer])
def test_what_the_commands_do_can_be_sent(make, sharp):
    function, picture = make(), Picture(images.from_float(sharp[:40, :32], np.uint8))
    sent = pickle.loads(pickle.dumps(function))
    np.testing.assert_array_equal(sent(picture).pixels, function(picture).pixels)
