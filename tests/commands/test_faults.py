"""Fault injection: a batch with broken files, killed again and again, ends as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deblurcli.batch import manifest
from deblurcli.errors import ImageError
from deblurcli.pictures import images, storage
from deblurcli.pictures.images import Picture

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
COMMAND = [sys.executable, "-m", "deblurcli", "blur", "in"]
OPTIONS = ["--gaussian", "1.5", "--workers", "2"]

PNG = images.encode(Picture(np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)), "png")
JPEG = images.encode(Picture(np.random.default_rng(1).integers(0, 255, (60, 60, 3), np.uint8)), "jpeg")
BROKEN = {
    "empty.png": b"",
    "text.jpg": b"this is no picture",
    "cut.png": PNG[: len(PNG) // 2],
    "cut.jpg": JPEG[: len(JPEG) // 2],
    "head.png": PNG[:20],
    "zeros.tif": bytes(500),
    "body.png": PNG[:60] + bytes(len(PNG) - 60),
    "gif.webp": b"GIF89a" + bytes(100),
    "huge.png": PNG[:16] + b"\x00\x0f\x42\x40\x00\x0f\x42\x40" + PNG[24:],
    "riff.webp": b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(8),
}


@pytest.fixture(scope="module")
def injected(tmp_path_factory):
    """160 good pictures and 40 broken in ten ways, and what an undisturbed run makes of them."""
    place, rng = tmp_path_factory.mktemp("faults"), np.random.default_rng(2)
    for index in range(160):
        suffix = (".png", ".jpg", ".webp", ".tif")[index % 4]
        images.write(place / "in" / str(index % 5) / f"{index}{suffix}", rng.random((70, 90, 3), dtype=np.float32))
    for index in range(4):
        for name, content in BROKEN.items():
            (place / "in" / str(index) / f"broken-{name}").write_bytes(content)
    done = subprocess.run([*COMMAND, "undisturbed", *OPTIONS], cwd=place, capture_output=True, text=True)
    assert done.returncode == 1 and "160 done, 40 failed" in done.stderr and "Traceback" not in done.stderr
    return place


def test_twenty_kills_change_nothing(injected):
    rng = np.random.default_rng(3)
    command = [*COMMAND, "killed", *OPTIONS, "--skip-existing", "--report", "r.jsonl"]
    for _ in range(20):
        running = subprocess.Popen(command, cwd=injected, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.3, 0.7))
        running.send_signal(signal.SIGKILL)
        running.wait(timeout=60)
    done = subprocess.run(command, cwd=injected, capture_output=True, text=True)
    assert done.returncode == 1 and "40 failed" in done.stderr
    expected, found = (
        {path.relative_to(injected / run): path.read_bytes() for path in (injected / run).rglob("*.*")}
        for run in ("undisturbed", "killed")
    )
    listed = [sorted(files.pop(Path(manifest.NAME)).splitlines()) for files in (expected, found)]
    assert found.keys() == expected.keys() and len(found) == 160, "all good files, no litter"
    assert found == expected and listed[0] == listed[1] and len(listed[0]) == 160
    *rows, summary = map(json.loads, (injected / "r.jsonl").read_text().splitlines())
    failed = sorted(row["input"] for row in rows if row["status"] == "failed")
    assert failed == sorted(f"in/{index}/broken-{name}" for index in range(4) for name in BROKEN)
    assert summary["failed"] == 40 and summary["done"] + summary["skipped"] == 160


def test_every_broken_file_has_a_line_that_says_what_to_do(injected):
    command = [*COMMAND, "again", *OPTIONS, "--report", "again.jsonl"]
    subprocess.run(command, cwd=injected, capture_output=True)
    rows = [json.loads(line) for line in (injected / "again.jsonl").read_text().splitlines()]
    for row in rows:
        if row.get("status") == "failed":
            assert row["error"].startswith(row["input"]) and ";" in row["error"] and "\n" not in row["error"]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="has no endless file")
def test_what_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "MOST_BYTES", 10_000_000)
    with pytest.raises(ImageError, match="/dev/zero: holds over 10,000,000 bytes"):
        storage.read_bytes("/dev/zero")
    (tmp_path / "small").write_bytes(bytes(10_000_000))
    assert storage.read_bytes(tmp_path / "small") == bytes(10_000_000)


@pytest.mark.parametrize("length", [248, 300])
def test_names_too_long_for_the_disk_are_errors_of_ours(tmp_path, length):
    with pytest.raises(ImageError, match="cannot be written"):
        storage.write_bytes(tmp_path / f"{'x' * length}.psf.png", b"x")
