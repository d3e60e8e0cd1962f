"""Checkpoints on disk, whatever a training run puts into them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


def save_checkpoint(file: Path, content: Mapping[str, Any]) -> None:
    """Written beside and renamed, so that a kill leaves the old one or the new one."""
    partial = file.with_suffix(".partial")
    torch.save(dict(content), partial)
    partial.replace(file)


def load_checkpoint(file: Path) -> dict[str, Any]:
    """Tensors come to the CPU, and nothing in the file is run."""
    content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return content
