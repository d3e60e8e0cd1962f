"""Which model a setting names."""

from pathlib import Path

from services.image_index.networks.foreign.described import Foreign
from services.inference.model_files import ModelLoadError

_EXTRAS = {"torchxrayvision": "xrv", "timm": "timm"}


def read_foreign(model: str) -> Foreign:
    """`model`: `xrv:…`, `timm:…`, `torchvision:NAME@FILE`, or a checkpoint file of the original project.

    Raises ModelLoadError.
    """
    kind, separator, reference = model.partition(":")
    try:
        return _read(kind if separator else "", reference, model)
    except ImportError as missing:
        extra = _EXTRAS.get(missing.name or "", "cuda")
        raise ModelLoadError(f"{model} needs {missing.name}. Install it with: pip install '.[{extra}]'") from missing


def _read(kind: str, reference: str, model: str) -> Foreign:
    match kind:
        case "xrv":
            from services.image_index.networks.foreign.xrv import read_xrv  # noqa: PLC0415 (an optional package)

            return read_xrv(reference)
        case "timm":
            from services.image_index.networks.foreign.timm_files import read_timm  # noqa: PLC0415 (likewise)

            return read_timm(reference)
        case "torchvision":
            from services.image_index.networks.foreign.torchvision_files import read_torchvision  # noqa: PLC0415

            name, separator, file = reference.partition("@")
            if not separator:
                raise ModelLoadError(f"{model} has no weights that know the 14 labels. Write torchvision:NAME@FILE.")
            return read_torchvision(name, Path(file))
        case _:
            from services.image_index.networks.foreign.original import read_original  # noqa: PLC0415 (needs torch)

            return read_original(Path(model))
