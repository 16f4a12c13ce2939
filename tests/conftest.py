"""Fixtures and strategies that several test modules share."""

from __future__ import annotations

import os

# Products of small matrices gain nothing from BLAS's own threads, which wait busily for each other. Read when NumPy is
# imported, here and in the processes that tests start.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import signal
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, settings
from onnx import TensorProto, helper

from deblurcli.pictures import images

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent

settings.register_profile("suite", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def sharp() -> np.ndarray:
    """A sharp photograph, float32 (H, W, 3)."""
    return images.read(DATA / "sharp" / "astronaut.png")


@pytest.fixture
def folder(tmp_path, sharp) -> Path:
    """A folder of small pictures of several kinds, one of them in a subfolder with an odd name."""
    source = tmp_path / "in"
    images.write(source / "a.png", sharp[:40, :50])
    images.write(source / "b.jpg", sharp[20:70, :33])
    images.write(source / "süb dir" / "c.png", sharp[:40, :40].mean(axis=2, keepdims=True))
    (source / "notes.txt").write_text("no picture")
    return source


def interruptible(command: list, **options) -> subprocess.Popen:
    """A process that Ctrl-C reaches, also where the tests themselves run in the background of a shell."""
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, preexec_fn=heed, stderr=subprocess.PIPE, text=True, **options)


def make_model(path: Path, op: str = "Identity", channels: int = 3, sides: tuple = ("h", "w")) -> Path:
    """A network of one operator from (n, channels, h, w) to the same, written as ONNX."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, *sides]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"])], "test", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path)
    return path


def make_last(path: Path, layers: int) -> Path:
    """A network that looks at so many pictures and gives back the last of them, written as ONNX."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "h", "w"])
        for name, channels in (("x", 3 * layers), ("y", 3))
    ]
    bounds = {"first": 3 * layers - 3, "behind": 3 * layers, "axis": 1}
    constants = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in bounds.items()]
    graph = helper.make_graph([helper.make_node("Slice", ["x", *bounds], ["y"])], "test", ends[:1], ends[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def make_spectral(path: Path, name: str = "spectrum") -> Path:
    """A network that adds a hundredth of the mean of each picture's log power spectrum, written as ONNX."""
    ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, ["n", 3, "h", "w"]) for end in ("x", "y")]
    spectrum = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 64, 33])
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("Unsqueeze", [name, "one"], ["plane"]),
        helper.make_node("ReduceMean", ["plane", "axes"], ["mean"]),
        helper.make_node("Mul", ["mean", "share"], ["little"]),
        helper.make_node("Add", ["x", "little"], ["y"]),
    ]
    share = helper.make_tensor("share", TensorProto.FLOAT, [], [0.01])
    graph = helper.make_graph(nodes, "test", [ends[0], spectrum], ends[1:], [axes, one, share])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.fixture
def identity(tmp_path) -> Path:
    """A network that changes nothing."""
    return make_model(tmp_path / "identity.onnx")
