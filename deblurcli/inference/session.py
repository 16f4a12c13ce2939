"""Inference sessions: providers and threads. The only code that imports onnxruntime."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when onnxruntime is imported

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state  # pyright: ignore[reportAttributeAccessIssue]

from deblurcli.choices import AUTO
from deblurcli.errors import ModelError, ProviderError
from deblurcli.pictures.power_spectrum import SPECTRUM_SHAPE


@dataclass(frozen=True)
class Provider:
    """ONNX Runtime's name of a provider, and the package that brings it."""

    name: str
    package: str


# Best first: `auto` takes the first that is available.
PROVIDERS: dict[str, Provider] = {
    "tensorrt": Provider("TensorrtExecutionProvider", "onnxruntime-gpu"),
    "cuda": Provider("CUDAExecutionProvider", "onnxruntime-gpu"),
    "openvino": Provider("OpenVINOExecutionProvider", "onnxruntime-openvino"),
    "coreml": Provider("CoreMLExecutionProvider", "onnxruntime"),
    "directml": Provider("DmlExecutionProvider", "onnxruntime-directml"),
    "cpu": Provider("CPUExecutionProvider", "onnxruntime"),
}
SPECTRUM = "spectrum"  # name of a second input

# ONNX Runtime's exceptions share no base class of their own.
RUNTIME_ERRORS = (
    RuntimeError,
    ValueError,
    *(kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)


def available() -> list[str]:
    """Keys of `PROVIDERS` that this installation of ONNX Runtime has, best first."""
    present = onnxruntime.get_available_providers()
    return [key for key, provider in PROVIDERS.items() if provider.name in present]


def choose(provider: str) -> str:
    """The provider to use for what a user asked; ProviderError names the package that brings it."""
    if provider == AUTO:
        return available()[0]
    if provider not in PROVIDERS:
        raise ProviderError(f"provider {provider}: unknown; choose one of {', '.join([AUTO, *PROVIDERS])}")
    if provider not in available():
        package = PROVIDERS[provider].package
        raise ProviderError(f"provider {provider}: not available here; install the package {package}, or use auto")
    return provider


def started(path: Path, provider: str, threads: int) -> onnxruntime.InferenceSession | None:
    """A session on one provider; None when what the provider needs is not on this machine."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is an error of ours
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    wanted = PROVIDERS[provider].name
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[wanted], enable_fallback=0)
    except RUNTIME_ERRORS as error:
        if provider != "cpu":
            return None
        raise ModelError(f"{path}: not a usable ONNX file ({_reason(error)}); export it again") from error
    return session if wanted in session.get_providers() else None


def _reason(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


class Session:
    """A network ready to run; `run` may be called from many threads at once.

    needs_spectrum: whether it takes each picture's log power spectrum.
    """

    def __init__(self, path: Path, provider: str = AUTO, threads: int = 1, layers: int = 1):
        """Open weights.

        path: of an .onnx file with one input, float32 ``(N, 3 · layers, H, W)``, and one output ``(N, 3, H, W)``. It
            may have a second input named "spectrum", float32 ``(N, 64, 33)``; see `power_spectrum.log_power_spectrum`.
        provider: a key of `PROVIDERS`, or "auto" for the best that starts.
        threads: CPU threads of one `run`.
        layers: pictures that the network looks at together; they lie one behind the other in its channels.

        Raises ModelError when the file is no such network, ProviderError when the provider is missing.
        """
        self.path = path
        candidates = available() if provider == AUTO else [choose(provider)]
        opened = ((name, started(path, name, threads)) for name in candidates)
        found = next(((name, session) for name, session in opened if session is not None), None)
        if found is None:
            raise ProviderError(f"provider {provider}: ONNX Runtime could not start it; use --provider cpu")
        self.provider, self._session = found
        self._check(path, 3 * layers)

    def _check(self, path: Path, channels: int) -> None:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.needs_spectrum = (
            len(inputs) == 2 and inputs[1].name == SPECTRUM and inputs[1].shape[1:] == [*SPECTRUM_SHAPE]
        )
        ends = (*(inputs[:1] if self.needs_spectrum else inputs), *outputs)
        if len(ends) == 2 and all(_takes_images(end, count) for end, count in zip(ends, (channels, 3))):
            self._inputs = [end.name for end in inputs]
            return
        found = ", ".join(f"{end.name} {end.type} {end.shape}" for end in ends)
        wanted = f"one input (N, {channels}, H, W) and one output (N, 3, H, W), float, of any H and W"
        raise ModelError(f"{path}: expected {wanted}, got {found}; choose a model made for this")

    def run(self, batch: np.ndarray, *spectra: np.ndarray) -> np.ndarray:
        """The network's output for a batch, float32 ``(N, 3 · layers, H, W)``: one of ``(N, 3, H, W)``.

        spectra: where it takes one, an array ``(N, 64, 33)``.

        Raises ModelError when the network cannot take the batch or its output has another shape.
        """
        try:
            output = np.asarray(self._session.run(None, dict(zip(self._inputs, (batch, *spectra))))[0])
        except RUNTIME_ERRORS as error:
            raise ModelError(f"{self.path}: failed on an input of {batch.shape} ({_reason(error)})") from error
        if output.shape != (len(batch), 3, *batch.shape[2:]):
            raise ModelError(f"{self.path}: made {output.shape} of {batch.shape}; a restoring network keeps the size")
        return output


def _takes_images(end: onnxruntime.NodeArg, channels: int) -> bool:
    """Whether an input or output is float ``(N, channels, H, W)`` with free height and width."""
    shape = end.shape or []
    free = len(shape) == 4 and not any(isinstance(side, int) for side in shape[2:])
    return end.type == "tensor(float)" and free and shape[1] == channels
