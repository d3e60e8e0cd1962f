"""Reads weights that others saved, as data: what is in a file is never run."""

import pickle
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from services.inference.model_files import ModelLoadError

State = Mapping[str, torch.Tensor]

_SHOWN = 3


def read_state(file: Path) -> State:
    """The named tensors of a safetensors file, or of a torch file that holds nothing else. Raises ModelLoadError."""
    if not file.is_file():
        raise ModelLoadError(f"The weights file {file} does not exist.")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelLoadError(
            f"{file} holds code or whole objects beside tensors, and is not run. Save the weights alone: "
            "torch.save(model.state_dict(), FILE)."
        ) from error
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise ModelLoadError(f"{file} is no weights file, or is damaged: {error}") from error
    if not isinstance(content, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in content.values()):
        raise ModelLoadError(f"{file} holds no state dict, that is, tensors by name and nothing else.")
    return content


def fit(network: nn.Module, state: State, file: Path, what: str) -> None:
    """Load `state` into `network`. Raises ModelLoadError that names what is missing, unknown or of another shape."""
    expected = network.state_dict()
    missing = [name for name in expected if name not in state and not name.endswith("num_batches_tracked")]
    unknown = [name for name in state if name not in expected]
    shapes = [
        f"{name} is {tuple(state[name].shape)} and should be {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    faults = [
        f"{kind}: {_some(names)}"
        for kind, names in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        if names
    ]
    if faults:
        raise ModelLoadError(f"{file} does not hold the weights of {what}; {'; '.join(faults)}.")
    network.load_state_dict(state, strict=False)


def _some(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
