"""Reads the weights out of a network that was pickled whole, without running anything that the file asks for.

Some published weights are such files, and `weights_only` refuses them. Here every class of a network is read as an
empty shell that only keeps its attributes; from those, the tensors are gathered. Any other global is refused.
"""

import collections
import pickle
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from services.image_index.networks.foreign.weights import State
from services.inference.model_files import ModelLoadError

_REBUILDS = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,  # as Python 2 named it, and pickle still does
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,  # noqa: SLF001
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,  # noqa: SLF001
}
_NETWORKS = ("torch.nn.modules.", "torch.nn.backends.", "torchvision.models.", "torchxrayvision.models")


class _Shell:
    dump_patches = False  # torch asks it of a class whose source has changed


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        known = _REBUILDS.get((module_name, global_name))
        if known is not None:
            return known
        if module_name.startswith(_NETWORKS):
            return _Shell
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no part of a network")


def _load(stream: Any, **options: Any) -> Any:
    return _Unpickler(stream, **options).load()


_PICKLE = SimpleNamespace(__name__="shells", Unpickler=_Unpickler, load=_load)


def read_pickled_network(file: Path) -> State:
    """Parameters and buffers by name. Raises ModelLoadError for a file that holds anything but a network."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sources that differ: shells have none
            network = torch.load(file, map_location="cpu", pickle_module=_PICKLE, weights_only=False)
        return _tensors(network)
    except pickle.UnpicklingError as error:
        raise ModelLoadError(f"{file} is refused, for it would run code: {error}.") from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelLoadError(f"{file} holds no network, or is damaged: {error}") from error


def _tensors(shell: Any, prefix: str = "") -> dict[str, torch.Tensor]:
    attributes = vars(shell)
    own = {**attributes["_parameters"], **attributes["_buffers"]}
    found = {prefix + name: tensor.detach() for name, tensor in own.items() if isinstance(tensor, torch.Tensor)}
    for name, child in attributes["_modules"].items():
        found |= _tensors(child, f"{prefix}{name}.")
    return found
