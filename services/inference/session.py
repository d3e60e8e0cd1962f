"""A session runs a model, and hides which engine does it: ONNX Runtime on the CPU, torch where CUDA is or only a torch
checkpoint is given.

A model folder holds `model.onnx` (graph; its weights lie in `model.safetensors` beside it, or inside), or
`model.safetensors` alone, or a torch checkpoint that `build_torch` knows how to read.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.inference.model_files import ModelLoadError
from shared.settings import Device

Tensors = Mapping[str, NDArray[Any]]
TorchBuilder = Callable[[Path], Any]

GRAPH = "model.onnx"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", GRAPH)


class Session(Protocol):
    """A loaded model: named arrays in, named arrays out."""

    engine: str
    device: str
    weights_sha256: str
    cores: int  # so many batches may well be run at once; each is then `crowded`

    def run(self, inputs: Tensors, *, crowded: bool = False) -> dict[str, NDArray[Any]]:
        """Run one batch; the first axis of every input and output counts its items. Thread-safe.

        `crowded`: on one core, for others run at the same time; else on all.
        """
        ...


def open_session(
    folder: Path,
    *,
    device: Device = "auto",
    threads: int = 0,
    crowds: bool = False,
    build_torch: TorchBuilder | None = None,
) -> Session:
    """Load the model in `folder`.

    `threads` is the number of CPU threads for one batch (0: one for each core). With `crowds`, the session is ready for
    as many batches at once as there are threads, at the price of its weights twice in memory.
    `build_torch(folder)` returns the network in eval mode; it takes the named inputs as keyword arguments and returns a
    dict of the named outputs.
    Raises ModelLoadError where the folder has nothing to run, or `device` cannot be had.
    """
    weights = find_weights(folder)
    cuda = _use_cuda(device)
    has_graph = (folder / GRAPH).is_file()
    has_checkpoint = weights.name != GRAPH
    if build_torch is not None and has_checkpoint and (cuda or not has_graph):
        return TorchSession(weights, partial(build_torch, folder), "cuda" if cuda else "cpu")
    if has_graph:
        return OnnxSession(folder, weights, threads, crowds=crowds)
    raise ModelLoadError(f"No {GRAPH} in {folder}, and its checkpoint cannot be run without one.")


def open_checkpoint(weights: Path, build: Callable[[], Any], *, device: Device = "auto") -> Session:
    """Run the network that `build()` gives, as `build_torch` of `open_session` does; its weights are that one file."""
    return TorchSession(weights, build, "cuda" if _use_cuda(device) else "cpu")


def find_weights(folder: Path) -> Path:
    """The file that holds the weights; its hash names the model."""
    if not folder.is_dir():
        raise ModelLoadError(f"The model folder {folder} does not exist.")
    for name in WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise ModelLoadError(f"The model folder {folder} holds none of: {', '.join(WEIGHTS)}.")


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class OnnxSession:
    engine = "onnxruntime"
    device = "cpu"

    def __init__(self, folder: Path, weights: Path, threads: int, *, crowds: bool) -> None:
        self.cores = (threads or os.cpu_count() or 1) if crowds else 1
        self._wide = _load_graph(folder, threads)
        # The threads of a run wait for each other at every step: many runs at once are done soonest with one core each.
        self._narrow = self._wide if self.cores == 1 else _load_graph(folder, 1)
        self._outputs = [output.name for output in self._wide.get_outputs()]
        self.weights_sha256 = sha256_of(weights)

    def run(self, inputs: Tensors, *, crowded: bool = False) -> dict[str, NDArray[Any]]:
        session = self._narrow if crowded else self._wide
        return dict(zip(self._outputs, session.run(self._outputs, dict(inputs)), strict=True))


def _load_graph(folder: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(folder / GRAPH, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises classes of its own, without a common public base
        raise ModelLoadError(f"{folder / GRAPH} cannot be loaded: {error}") from error


class TorchSession:
    engine = "torch"
    cores = 1  # torch shares them out itself

    def __init__(self, weights: Path, build: Callable[[], Any], device: str) -> None:
        try:
            import torch  # noqa: PLC0415 - a CPU install answers without torch
        except ImportError as error:
            raise ModelLoadError(f"{weights} needs torch. Install it with: pip install '.[cuda]'") from error
        self._torch = torch
        self._module = build().to(device)
        self.device = device
        self.weights_sha256 = sha256_of(weights)

    def run(self, inputs: Tensors, *, crowded: bool = False) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        torch = self._torch
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(np.ascontiguousarray(x)).to(self.device) for name, x in inputs.items()}
            return {name: output.float().cpu().numpy() for name, output in self._module(**tensors).items()}


def _use_cuda(device: Device) -> bool:
    cuda = device != "cpu" and _cuda_available()
    if device == "cuda" and not cuda:
        raise ModelLoadError("CHEX_DEVICE is cuda, but torch with CUDA is not available here. Use auto or cpu.")
    return cuda


def _cuda_available() -> bool:
    try:
        import torch  # noqa: PLC0415 - a CPU install answers without torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())
