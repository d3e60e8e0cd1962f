"""A model folder with one output in place of another: everything else in it stays bit for bit."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from services.image_index.training.refit import Features, Reading
from services.inference.model_files import read_json_object
from services.workbench.json_file import write_json
from services.workbench.platt import Platt
from shared.labels import LabelName

_WEIGHTS, _GRAPH = "model.safetensors", "model.onnx"
_HEAD = re.compile(r"network\.(members\.\d+\.)?head\.weight")

Weights = dict[str, NDArray[Any]]


def read_weights(folder: Path) -> Weights:
    return dict(load_file(folder / _WEIGHTS))


def with_reading(weights: Weights, row: int, reading: Reading, mean_maps: Features) -> tuple[Weights, Reading]:
    """The weights with output `row` as `reading` says, and the reading as it is after their rounding.

    `mean_maps` (F, h, w): of usual pictures, less which the output's map is shown.
    """
    changed = {name: array.copy() for name, array in weights.items()}
    heads = sorted(filter(_HEAD.fullmatch, weights), key=lambda name: (len(name), name))  # by the members' numbers
    start, rounded = 0, []
    for name in heads:
        head = changed[name]  # (14, F of this member, 1, 1)
        end = start + head.shape[1]
        head[row, :, 0, 0] = reading.weights[start:end] * len(heads)  # the members' mean is the answer
        changed[name.replace("head.weight", "head.bias")][row] = reading.bias
        rounded.append(head[row, :, 0, 0].astype(np.float64) / len(heads))
        start = end
    kept = Reading(np.concatenate(rounded), float(np.float32(reading.bias)))
    usual = np.tensordot(kept.weights, mean_maps, axes=1)  # (h, w)
    changed["usual"][0, row] = usual - usual.mean()
    return changed, kept


def write_refitted(
    source: Path,
    out: Path,
    label: LabelName,
    weights: Weights,
    calibrated: tuple[Platt, float],
    *,
    version: str,
    taught_by: Mapping[str, Any],
) -> None:
    """`calibrated`: Platt scaling and threshold. `taught_by`: what the label was learned from."""
    platt, threshold = calibrated
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / _GRAPH, out / _GRAPH)
    save_file(weights, out / _WEIGHTS)
    (out / _WEIGHTS).chmod(0o644)
    config = read_json_object(source / "config.json")
    config["version"] = version
    config["label_support"][label] = "real"
    config["refitted"] = {**config.get("refitted", {}), label: dict(taught_by)}
    write_json(out / "config.json", config)
    write_json(out / "calibration.json", {**read_json_object(source / "calibration.json"), label: asdict(platt)})
    write_json(out / "thresholds.json", {**read_json_object(source / "thresholds.json"), label: threshold})
