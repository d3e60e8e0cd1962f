"""A text model on disk: what its files say about it, apart from the weights.

Two layouts are read. Our own: `config.json` with `"architecture": "bert-label-attention"`, `tokenizer.json`,
`thresholds.json`, `calibration.json`. And the original project's: a Hugging Face folder of a
BertForSequenceClassification with 14 sigmoid outputs, where thresholds and calibration are optional.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from services.inference.model_files import ModelLoadError, read_json_object
from shared.labels import LABELS, LabelName

Outputs = Literal["states", "sigmoid"]
_OUTPUTS: Mapping[str, Outputs] = {"states": "states", "sigmoid": "sigmoid"}
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of the log-odds that a label is present: `sigmoid(slope * log_odds + intercept)`."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True)
class ModelFolder:
    """`window` is the most tokens that one run of the model takes, special tokens included.

    `order` gives, for each label in the order of `LABELS`, its position in the model's outputs.
    """

    path: Path
    name: str
    version: str
    outputs: Outputs
    window: int
    order: tuple[int, ...]
    thresholds: Mapping[LabelName, float]
    calibration: Mapping[LabelName, Calibration]
    label_support: Mapping[LabelName, str]
    intended_use: str


def read_model_folder(path: Path) -> ModelFolder:
    """Raises ModelLoadError, saying which file is missing or wrong."""
    config = _read_json(path / "config.json", required=True)
    thresholds = _read_json(path / "thresholds.json")
    calibration = _read_json(path / "calibration.json")
    ours = "outputs" in config
    try:
        return ModelFolder(
            path=path,
            name=config.get("name") or path.resolve().name,
            version=str(config.get("version", "unversioned")),
            outputs=_OUTPUTS[config["outputs"]] if ours else _sigmoid_outputs(config, path),
            window=int(config.get("window") or min(config.get("max_position_embeddings", 512), 512)),
            order=_order(config),
            thresholds={label: float(thresholds.get(label, DEFAULT_THRESHOLD)) for label in LABELS},
            calibration={label: Calibration(**calibration.get(label, {})) for label in LABELS},
            label_support=config.get("label_support", {}),
            intended_use=config.get("intended_use", "As the card of the checkpoint says."),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # values of another kind than ours
        raise ModelLoadError(f"The configuration in {path} cannot be read: {error}") from error


def _read_json(file: Path, *, required: bool = False) -> dict[str, Any]:
    if not file.is_file():
        if required:
            raise ModelLoadError(f"{file} is missing: a model folder holds config.json, a tokenizer and weights.")
        return {}
    return read_json_object(file)


def _sigmoid_outputs(config: Mapping[str, Any], path: Path) -> Outputs:
    architectures = config.get("architectures") or []
    outputs = len(config.get("id2label", {})) or config.get("num_labels")
    if not any(name.endswith("ForSequenceClassification") for name in architectures) or outputs != len(LABELS):
        raise ModelLoadError(
            f"{path} is neither a folder written by this project's training nor a sequence classifier with "
            f"{len(LABELS)} outputs (architectures {architectures}, outputs {outputs})."
        )
    return "sigmoid"


def _order(config: Mapping[str, Any]) -> tuple[int, ...]:
    """Where the outputs carry the labels' names, by name; without names (`LABEL_0`, ...) in the order of `LABELS`."""
    named = config.get("labels") or [name for _, name in sorted(config.get("id2label", {}).items(), key=_position)]
    if set(named) == set(LABELS):
        return tuple(named.index(label) for label in LABELS)
    return tuple(range(len(LABELS)))


def _position(item: tuple[str, str]) -> int:
    return int(item[0])
