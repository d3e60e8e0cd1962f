"""TorchXRayVision's networks: `xrv:NAME`, with weights where that library keeps them, or `xrv:NAME@FOLDER`.

The library brings what is to be known of its weights: labels, operating points, input size, file. The networks are
torchvision's own, for one channel, and the weights are read without running what their files hold.

Pictures go in as that library normalises them, from -1024 to 1024, and logits come out as its classifier gives them.
Its own `forward` bends their sigmoid further, so that the operating point lies at 0.5; here the operating point is the
label's threshold instead, which calls the same labels present and leaves the probability alone.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torchvision.models import densenet121, resnet50, resnet101

from services.image_index.networks.either import EitherNet
from services.image_index.networks.foreign.described import Foreign
from services.image_index.networks.foreign.pickled import read_pickled_network
from services.image_index.networks.foreign.pooling import map_and_reading
from services.image_index.networks.foreign.weights import fit, read_state
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS, LabelName

# Where a label's logit is found: in the first of these that the weights know any of; of two, in the greater.
_SOURCES: Mapping[LabelName, Sequence[tuple[str, ...]]] = {
    "Atelectasis": [("Atelectasis",)],
    "Cardiomegaly": [("Cardiomegaly",)],
    "Consolidation": [("Consolidation",)],
    "Edema": [("Edema",)],
    "Enlarged Cardiomediastinum": [("Enlarged Cardiomediastinum",)],
    "Fracture": [("Fracture",)],
    "Lung Lesion": [("Lung Lesion",), ("Mass", "Nodule")],
    "Lung Opacity": [("Lung Opacity",), ("Infiltration",)],
    "Pleural Effusion": [("Effusion",)],
    "Pleural Other": [("Pleural_Thickening", "Fibrosis")],
    "Pneumonia": [("Pneumonia",)],
    "Pneumothorax": [("Pneumothorax",)],
}
_NETWORKS = {"densenet121": densenet121, "resnet50": resnet50, "resnet101": resnet101}
_OUTPUTS = 18


def read_xrv(reference: str) -> Foreign:
    """`reference` is what follows `xrv:`. Raises ModelLoadError, and ImportError without the library."""
    name, _, folder = reference.partition("@")
    known, place, version = _library()
    if name not in known:
        names = sorted(each for each in known if each.startswith(tuple(_NETWORKS)))
        raise ModelLoadError(f"TorchXRayVision {version} has no weights {name}. It has {', '.join(names)}.")
    entry = known[name]
    weights = Path(folder or place) / entry["weights_url"].rsplit("/", 1)[-1]
    points = {finding: _known(point) for finding, point in zip(entry["labels"], entry["op_threshs"], strict=True)}
    found = {label: _outputs(label, points) for label in LABELS}
    config = {
        "name": f"xrv:{name}",
        "version": f"torchxrayvision {version}",
        "layout": "xrv",
        "architecture": next((each for each in _NETWORKS if name.startswith(each)), "densenet121"),
        "input_size": entry["input_resolution"],
        "channels": 1,
        "mean": [0.5],
        "std": [1 / 2048],  # (2 · grey - 1) · 1024, grey from 0 to 1
        "labels": list(LABELS),
        "label_support": {label: "real" if outputs else "none" for label, outputs in found.items()},
        "outputs": {label: list(outputs) for label, outputs in found.items()},
    }
    # Above the greater of two operating points, the finding that is likelier is above its own.
    thresholds = {label: max(points[each] or 0.0 for each in outputs) for label, outputs in found.items() if outputs}

    def build() -> nn.Module:
        if not weights.is_file():
            raise ModelLoadError(
                f"{weights} does not exist. It is not downloaded by a service; fetch it once from "
                f"{entry['weights_url']}"
            )
        network = blank(config)
        is_pickled = config["architecture"] == "densenet121"
        state = read_pickled_network(weights) if is_pickled else read_state(weights)
        fit(network, {each: state[each] for each in state if each != "op_threshs"}, weights, f"its weights {name}")
        rows = [[list(entry["labels"]).index(each) for each in found[label]] for label in LABELS]
        return _mapped(network, rows).eval()

    return Foreign(config, thresholds, weights, build)


def _library() -> tuple[Mapping[str, Any], str, str]:
    """What is known of its weights, the folder where it keeps them, its version."""
    with warnings.catch_warnings():  # importing it switches all warnings off
        import torchxrayvision as library  # type: ignore[import-untyped]  # noqa: PLC0415 (optional)
        from torchxrayvision.models import model_urls  # type: ignore[import-untyped]  # noqa: PLC0415
    return model_urls, library.utils.get_cache_dir(), library.__version__


def _known(operating_point: float) -> float | None:
    """None for an output that was trained on nothing: the library gives it no operating point."""
    return None if math.isnan(operating_point) else float(operating_point)


def _outputs(label: LabelName, points: Mapping[str, float | None]) -> tuple[str, ...]:
    for group in _SOURCES.get(label, ()):
        known = tuple(finding for finding in group if points.get(finding) is not None)
        if known:
            return known
    return ()


def blank(config: Mapping[str, Any]) -> nn.Module:
    """As the checkpoint names its weights: torchvision's network for one channel and 18 findings."""
    network = cast("nn.Module", _NETWORKS[config["architecture"]](weights=None, num_classes=_OUTPUTS))
    stem = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    if config["architecture"] == "densenet121":
        cast("nn.Sequential", network.get_submodule("features"))[0] = stem
    else:
        network.conv1 = stem
    return network


def served(network: nn.Module) -> nn.Module:
    """With readings yet to be loaded."""
    return _mapped(network, [[] for _ in LABELS])


@torch.no_grad()
def _mapped(network: nn.Module, rows: Sequence[Sequence[int]]) -> EitherNet:
    """`rows`: for each label its outputs of the 18, at most two. A label without any has logit 0 and an empty map."""
    backbone, reading = cast("tuple[nn.Module, nn.Linear]", map_and_reading(network))  # of ResNet and DenseNet
    mapped = EitherNet(backbone, reading.in_features)
    head_bias = cast("nn.Parameter", mapped.head.bias)
    mapped.head.weight.zero_()
    head_bias.zero_()
    for place, outputs in enumerate(rows):
        for side in (0, 1) if outputs else ():
            row = outputs[min(side, len(outputs) - 1)]
            mapped.head.weight[side * len(LABELS) + place, :, 0, 0] = reading.weight[row]
            head_bias[side * len(LABELS) + place] = reading.bias[row]
    return mapped
