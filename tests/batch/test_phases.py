import json
import time

import pytest

from deblurcli.batch import phases
from tests.shell import run


def test_a_phase_inside_another_stops_the_clock_of_that():
    with phases.timed() as seconds, phases.phase(phases.WORK):
        time.sleep(0.02)
        with phases.phase(phases.FIND):
            time.sleep(0.2)
    assert seconds[phases.FIND] >= 0.2 and 0.02 <= seconds[phases.WORK] < 0.2


def test_each_picture_starts_anew():
    with phases.timed() as first, phases.phase(phases.READ):
        time.sleep(0.01)
    with phases.timed() as second:
        pass
    assert set(first) == {phases.READ} and second == {}


def test_what_fails_ends_its_phase():
    with phases.timed() as seconds, pytest.raises(ValueError, match="x"), phases.phase(phases.READ):
        raise ValueError("x")
    with phases.phase(phases.WRITE):
        pass
    assert set(seconds) == {phases.READ, phases.WRITE}


def test_the_report_tells_where_the_time_of_each_picture_went(folder, tmp_path):
    report = tmp_path / "run.jsonl"
    done = run("deblur", folder, tmp_path / "out", "--report", report, "--json")
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    for row in rows[:-1]:
        assert list(row["phases"]) == ["read", "find", "work", "write"]
        if row["status"] == "done":
            assert 0 < sum(row["phases"].values()) <= row["seconds"]
    assert rows[-1]["interrupted"] is False
    whole, parts = json.loads(done.stdout), [row["phases"] for row in rows[:-1] if row["status"] == "done"]
    assert whole["phases"] == pytest.approx({name: sum(part[name] for part in parts) for name in parts[0]}, abs=2e-3)
    assert b"deblur: took " in done.stderr and b"finding the blur" in done.stderr
