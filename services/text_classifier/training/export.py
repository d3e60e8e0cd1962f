"""Writes a network as a folder that the service loads, and checks that the folder answers as the network does."""

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from services.inference.session import GRAPH, open_session
from services.text_classifier.network import SigmoidNetwork, build_torch
from services.text_classifier.reading.model_folder import Calibration, ModelFolder, Outputs, read_model_folder
from services.text_classifier.reading.tokens import ReportTokenizer, read_tokenizer
from services.workbench.half import save_half
from services.workbench.json_file import write_json
from shared.labels import LABELS, LabelName, State

TOLERANCE = 1e-4
INTENDED_USE = (
    "Finding the observations that the impression of a chest X-ray report states, in order to search for similar "
    "images. Not for diagnosis, and not for text of other kinds or languages."
)


@dataclass(frozen=True)
class Description:
    """What goes into the folder beside the weights. `labels` is the order of the outputs."""

    name: str
    version: str
    window: int
    outputs: Outputs = "states"
    labels: Sequence[LabelName] = LABELS
    thresholds: Mapping[LabelName, float] = field(default_factory=dict)
    calibration: Mapping[LabelName, Calibration] = field(default_factory=dict)
    label_support: Mapping[LabelName, str] = field(default_factory=dict)
    intended_use: str = INTENDED_USE
    training: Mapping[str, Any] = field(default_factory=dict)


class ExportError(Exception):
    """The exported model does not answer as the network does."""


def export_network(network: nn.Module, tokenizer: Tokenizer, description: Description, out: Path) -> float:
    """Write the folder; returns the greatest difference between the two engines' outputs, at most TOLERANCE.

    Raises ExportError where they differ by more. Both run the weights as they were stored, in half precision.
    """
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / GRAPH
        _write_graph(network.eval(), graph)
        save_half(graph, out / GRAPH)
    write_json(out / "thresholds.json", {str(label): value for label, value in description.thresholds.items()})
    write_json(out / "calibration.json", {name: asdict(fit) for name, fit in description.calibration.items()})
    write_json(out / "config.json", _config(network, description))
    difference = _greatest_difference(out, ReportTokenizer(tokenizer), description.window)
    if difference > TOLERANCE:
        raise ExportError(f"The outputs of ONNX Runtime and torch differ by {difference:.2g} (allowed: {TOLERANCE}).")
    return difference


def export_checkpoint(source: Path, out: Path) -> float:
    """The same for any folder that the service can load: a torch checkpoint gains an ONNX graph. Returns likewise."""
    folder = read_model_folder(source)
    return export_network(build_torch(source), read_tokenizer(source), _description_of(folder), out)


def _description_of(folder: ModelFolder) -> Description:
    labels = [label for _, label in sorted(zip(folder.order, LABELS, strict=True))]
    return Description(
        name=folder.name,
        version=folder.version,
        window=folder.window,
        outputs=folder.outputs,
        labels=labels,
        thresholds=folder.thresholds,
        calibration=folder.calibration,
        label_support=folder.label_support,
        intended_use=folder.intended_use,
        training={"exported_from": folder.path.resolve().name},
    )


def _config(network: nn.Module, description: Description) -> dict[str, Any]:
    sigmoid = isinstance(network, SigmoidNetwork)
    encoder: Any = network.classifier if sigmoid else network.encoder
    settings = json.loads(encoder.config.to_json_string(use_diff=False))
    for volatile in ("_name_or_path", "transformers_version", "dtype"):
        settings.pop(volatile, None)
    return {
        "name": description.name,
        "version": description.version,
        "architecture": f"{settings['model_type']}-{'sigmoid' if sigmoid else 'label-attention'}",
        "outputs": description.outputs,
        "window": description.window,
        "states": list(State),
        "labels": list(description.labels),
        "label_support": dict(description.label_support),
        "intended_use": description.intended_use,
        "training": dict(description.training),
        "encoder": settings,
    }


def _write_graph(network: nn.Module, target: Path) -> None:
    """Not optimized by the exporter, which would rename the weights: ONNX Runtime optimizes as it loads."""
    example = torch.ones((2, 9), dtype=torch.long)
    mask = example.clone()
    mask[1, 5:] = 0
    axes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with torch.no_grad():
        outputs = list(network(example, mask))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes of the exporter about its own insides
        torch.onnx.export(
            network,
            (),
            target,
            kwargs={"input_ids": example, "attention_mask": mask},
            input_names=["input_ids", "attention_mask"],
            output_names=outputs,
            dynamic_shapes={"input_ids": axes, "attention_mask": axes},
            dynamo=True,
            optimize=False,
            external_data=False,
            verbose=False,
        )


def _greatest_difference(folder: Path, tokenizer: ReportTokenizer, window: int) -> float:
    """Over batches of several sizes and lengths, padded and not, of the folder in ONNX Runtime against it in torch."""
    network = build_torch(folder)
    session = open_session(folder, device="cpu")
    rng = np.random.default_rng(0)
    worst = 0.0
    for batch, length in ((1, 3), (2, 17), (5, 40), (2, window)):
        ids = rng.integers(0, tokenizer.size, (batch, length))
        mask = np.ones_like(ids)
        mask[-1, max(2, length // 2) :] = 0
        answers = session.run({"input_ids": ids, "attention_mask": mask})
        with torch.inference_mode():
            expected = network(torch.from_numpy(ids), torch.from_numpy(mask))
        worst = max(worst, *(float(np.abs(answers[name] - expected[name].numpy()).max()) for name in answers))
    return worst
