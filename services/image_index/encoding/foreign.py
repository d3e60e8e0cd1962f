"""Models of other people, served as they are: by torch, which only such a model needs."""

from pathlib import Path

from services.image_index.encoding.model_folder import ImageModelFolder, described
from services.inference.model_files import ModelLoadError
from services.inference.session import Session, open_checkpoint
from shared.settings import Device

_PREFIXES = ("xrv:", "timm:", "torchvision:")


def is_foreign(model: str) -> bool:
    """Whether `model` names something other than a model folder: by its kind, or as a checkpoint file."""
    return model.startswith(_PREFIXES) or Path(model).is_file()


def open_foreign(model: str, device: Device) -> tuple[ImageModelFolder, Session]:
    """Raises ModelLoadError."""
    try:
        from services.image_index.networks.foreign.read import read_foreign  # noqa: PLC0415 - serving has no torch
    except ImportError as missing:
        raise ModelLoadError(
            f"{model} needs {missing.name}. Install it with: pip install '.[cuda]'. Or convert the model where it is "
            "installed (python -m services.image_index.training convert), and serve the folder without."
        ) from missing
    foreign = read_foreign(model)
    session = open_checkpoint(foreign.weights, foreign.build, device=device)
    return described(foreign.config, None, foreign.all_thresholds), session
