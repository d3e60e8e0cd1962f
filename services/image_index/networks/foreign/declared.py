"""What a JSON file beside foreign weights declares of them, over what is usual for such a network.

`config.json` in their folder, or the weights file's name with the ending `.json`. The layout is that of timm's folders
on the Hugging Face hub, or flat: input_size, channels, mean, std, labels, label_support.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.inference.model_files import ModelLoadError, read_json_object
from shared.labels import LABELS

UNSTATED = "unstated"  # support of a label by a model that does not say what it learned from


@dataclass(frozen=True)
class Declared:
    input_size: int
    channels: int
    mean: Sequence[float]
    std: Sequence[float]
    labels: Sequence[str] = LABELS  # in the order of the outputs
    label_support: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(LABELS, UNSTATED))
    model_args: Mapping[str, Any] = field(default_factory=dict)  # for the library that builds the network

    @property
    def config(self) -> dict[str, Any]:
        """The entries of a model folder's config.json."""
        return {name: value if isinstance(value, int) else _plain(value) for name, value in vars(self).items()}


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)


def read_json_beside(weights: Path) -> dict[str, Any]:
    """Empty where there is none."""
    for file in (weights.with_suffix(".json"), weights.parent / "config.json"):
        if file.is_file():
            return read_json_object(file)
    return {}


def read_declared(weights: Path, usual: Declared) -> Declared:
    """Raises ModelLoadError where labels are declared that are not the 14."""
    content = read_json_beside(weights)
    nested = content.get("pretrained_cfg", {})
    said = {**nested, **{name: value for name, value in content.items() if name != "pretrained_cfg"}}
    size = said.get("input_size")
    if isinstance(size, Sequence):  # timm: channels, height, width
        said["channels"], said["input_size"] = size[0], size[-1]
    if "label_names" in said:
        said["labels"] = said["label_names"]
    chosen = {name: said[name] for name in vars(usual) if said.get(name)}
    declared = replace(usual, **chosen)
    if sorted(declared.labels) != sorted(LABELS):
        raise ModelLoadError(f"The labels declared beside {weights} are not the 14 of CheXpert: {declared.labels}.")
    return declared
