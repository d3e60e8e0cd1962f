"""The original project's fine-tuned ResNet-50 (`best_resnet_finetuned.pt`).

A state dict of `encoder.*`, torchvision's ResNet-50 without its last layer, and of `classifier.*`, 2048 to 14 outputs
in the order of LABELS. It reads 224 x 224 pixels as three equal channels, mean and standard deviation 0.5.
"""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from torch import nn
from torchvision.models import resnet50

from services.image_index.networks.foreign.described import Foreign
from services.image_index.networks.foreign.weights import fit, read_state
from services.image_index.networks.label_net import reading_first
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS


def read_original(file: Path) -> Foreign:
    config = {
        "name": f"original-resnet50:{file.name}",
        "layout": "original",
        "architecture": "resnet50",
        "input_size": 224,
        "channels": 3,
        "mean": [0.5],
        "std": [0.5],
        "labels": list(LABELS),
        "label_support": dict.fromkeys(LABELS, "real"),
    }

    def build() -> nn.Module:
        state = read_state(file)
        if "average" in state or not any(name.startswith("encoder.") for name in state):
            raise ModelLoadError(
                f"{file} is no checkpoint of the original project (encoder.*, classifier.*). A checkpoint of this "
                "project's training is served after `export`; weights of other networks by timm: or torchvision:."
            )
        network = blank(config)
        fit(network, state, file, "the original project's ResNet-50")
        return served(network).eval()

    return Foreign(config, {}, file, build)


def blank(_config: Mapping[str, Any]) -> nn.Module:
    """As the checkpoint names its weights."""
    encoder = nn.Sequential(*list(resnet50(weights=None).children())[:-1])
    return nn.Sequential(OrderedDict(encoder=encoder, classifier=nn.Linear(2048, len(LABELS))))


def served(network: nn.Module) -> nn.Module:
    encoder = cast("nn.Sequential", network.get_submodule("encoder"))
    return reading_first(encoder[:-1], cast("nn.Linear", network.get_submodule("classifier")))
