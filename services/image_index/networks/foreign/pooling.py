"""Where a convolutional network of torchvision pools its map."""

from torch import nn
from torchvision.models import DenseNet


def map_and_reading(network: nn.Module) -> tuple[nn.Module, nn.Linear] | None:
    """Of a torchvision network: what comes before the mean over the map, and the linear layer behind it.

    None where more than that lies behind the map.
    """
    children = dict(network.named_children())
    if "layer4" in children and isinstance(reading := children.get("fc"), nn.Linear):
        return nn.Sequential(*list(children.values())[:-2]), reading
    *before, last = _layers(children.get("classifier"))
    if "features" not in children or not isinstance(last, nn.Linear):
        return None
    if not all(isinstance(layer, nn.Dropout) for layer in before):
        return None
    rest = [nn.ReLU()] if isinstance(network, DenseNet) else []  # which DenseNet applies outside of its features
    return nn.Sequential(children["features"], *rest), last


def _layers(head: nn.Module | None) -> list[nn.Module | None]:
    return list(head) if isinstance(head, nn.Sequential) else [head]
