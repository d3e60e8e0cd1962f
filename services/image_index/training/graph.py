"""Writes a network as an ONNX graph."""

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from torch import nn

from services.workbench.half import save_full, save_half


def write_graph(network: nn.Module, side: int, folder: Path, *, channels: int = 1, half: bool = True) -> None:
    """`model.onnx` and `model.safetensors`: input `pixels` (batch, C, side, side), outputs `logits` and `cam`.

    With `half`, weights are stored in half precision. The graph is left unoptimised, so that its weights keep the names
    that the torch network gives them; ONNX Runtime folds the norms when it loads. Raises ValueError for a network that
    can only be traced for one batch size.
    """
    example = torch.zeros(2, channels, side, side)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter warns of its own internals
            torch.onnx.export(
                network.eval(),
                (example,),
                str(full),
                input_names=["pixels"],
                output_names=["logits", "cam"],
                dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}},
                dynamo=True,
                optimize=False,
                verbose=False,
            )
        if not _takes_any_batch(full):
            raise ValueError("the network does something that fixes the number of pictures in a batch")
        (save_half if half else save_full)(full, folder / "model.onnx")


def _takes_any_batch(graph: Path) -> bool:
    """The exporter can take the example's batch size for the only one, and says nothing."""
    first = onnx.load(graph, load_external_data=False).graph.input[0].type.tensor_type.shape.dim[0]
    return bool(first.HasField("dim_param"))
