"""Writes a network as an ONNX graph with half-precision weights."""

import tempfile
import warnings
from pathlib import Path

import torch

from services.image_index.training.network import CentredNet
from services.inference.half import save_half


def write_graph(network: CentredNet, side: int, folder: Path) -> None:
    """`model.onnx` and `model.safetensors`: input `pixels` (batch, 1, side, side), outputs `logits` and `cam`.

    The graph is left unoptimised, so that its weights keep the names that the torch network gives them; ONNX Runtime
    folds the norms when it loads.
    """
    example = torch.zeros(2, 1, side, side)
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
        save_half(full, folder / "model.onnx")
