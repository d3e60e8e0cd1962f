"""The network of a converted folder, without its weights."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from services.image_index.networks.foreign import original, torchvision_files, xrv


def structure(config: Mapping[str, Any]) -> nn.Module:
    """As `config.json` says it was converted. Raises ValueError for a layout that is not known."""
    match config["layout"]:
        case "original":
            return original.served(original.blank(config))
        case "xrv":
            return xrv.served(xrv.blank(config))
        case "torchvision":
            return torchvision_files.served(torchvision_files.blank(config))
        case "timm":
            from services.image_index.networks.foreign import timm_files  # noqa: PLC0415 (an optional package)

            return timm_files.served(timm_files.blank(config))
        case other:
            raise ValueError(f"{other} is no layout of a converted model")
