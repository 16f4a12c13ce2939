"""What networks cost in ONNX Runtime: megapixels per second, beside the paper's U-Net in the same run, and memory."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deblurcli.inference.session import Session
from deblurcli.pictures.luma import central_luma
from deblurcli.pictures.power_spectrum import log_power_spectrum

SIDE = 512
ROUNDS = 5
STATUS = Path("/proc/self/status")
PEER = "paper-gaussian"  # the recipe whose network, of whatever weights, everything is held against


def throughputs(paths: Sequence[Path], side: int = SIDE, rounds: int = ROUNDS) -> list[float]:
    """Megapixels per second of each network on one core, on a square picture; the median of several rounds.

    Time is the core's own, so that what else the machine does takes little of it, and the networks take turns.
    """
    sessions = [Session(path, "cpu", threads=1) for path in paths]
    batch = np.random.default_rng(0).random((1, 3, side, side), np.float32)
    spent = np.array([[_seconds(session, batch) for session in sessions] for _ in range(rounds + 1)])
    return [float(side * side / 1e6 / seconds) for seconds in np.median(spent[1:], axis=0)]  # the first one warms up


def _seconds(session: Session, batch: np.ndarray) -> float:
    """Seconds of this thread's own time for one run; a session of one thread works in it."""
    begun = time.thread_time()
    session.run(batch, *_spectra(session, batch))
    return time.thread_time() - begun


def _spectra(session: Session, batch: np.ndarray) -> tuple[np.ndarray, ...]:
    """The spectra of a batch where the network needs them, as `Restorer` makes them."""
    return (
        (np.stack([log_power_spectrum(central_luma(one.transpose(1, 2, 0))) for one in batch]),)
        if session.needs_spectrum
        else ()
    )


def peer(folder: Path) -> Path:
    """The paper's U-Net as it starts, as an ONNX file in that folder; its speed does not hang on its weights."""
    from training import networks, recipe  # heavy, and no part of what a process that is measured should hold
    from training.export import to_onnx

    path = folder / "peer.onnx"
    to_onnx(networks.build(recipe.load(PEER).network).eval(), path)
    return path


def relative(path: Path, side: int = SIDE, rounds: int = ROUNDS) -> dict:
    """A network's speed as a share of the paper's U-Net's in the same run."""
    with TemporaryDirectory() as folder:
        own, theirs = throughputs([path, peer(Path(folder))], side, rounds)
    return {
        "ratio": round(own / theirs, 2),
        "against": "the paper's U-Net in the same run",
        "megapixels_per_second": round(own, 3),
        "picture": f"{side} × {side}",
        "threads": 1,
    }


def memory(path: Path, side: int = SIDE) -> dict:
    """How much a process grows by opening a network and running it once on a square picture, at the most.

    In megabytes; nothing where the system does not tell (Linux does, of a process by itself).
    """
    if not STATUS.exists():
        return {}
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        return {"megabytes": round(apart.submit(_grown, path, side).result()), "picture": f"{side} × {side}"}


def _grown(path: Path, side: int) -> float:
    batch = np.random.default_rng(0).random((1, 3, side, side), np.float32)
    before = _resident("VmRSS")
    session = Session(path, "cpu", threads=1)
    session.run(batch, *_spectra(session, batch))
    return _resident("VmHWM") - before


def _resident(field: str) -> float:
    """A field of this process's status, in megabytes."""
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(field))
