"""What the files of an image model folder say, apart from the weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from services.inference.model_files import ModelLoadError, read_json_object
from shared.labels import LABELS, LabelName
from shared.schemas.numbers import Probability

INTENDED_USE = (
    "Finding chest radiographs with similar findings, for research, teaching and quality work. Not a medical device: "
    "its labels are no diagnosis."
)


UNKNOWN = "none"  # support of a label that the model has learned from nothing
_UNPROVEN = ("phantom", UNKNOWN)  # supports that say: no picture of a patient taught this label


class _Config(BaseModel):
    name: str
    version: str = "unversioned"
    architecture: str = "unstated"
    input_size: Annotated[int, Field(ge=16, le=4096)]
    channels: Annotated[int, Field(ge=1, le=3)] = 1
    mean: list[float]
    std: list[Annotated[float, Field(gt=0)]]
    labels: list[LabelName]
    label_support: dict[LabelName, str] = Field(default_factory=dict)
    intended_use: str = INTENDED_USE


class _Platt(BaseModel):
    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True)
class ImageModelFolder:
    """Vectors are in the order of LABELS; `outputs` (14,) says where in the model's outputs each label is.

    A label that is not `known` is never called present: its threshold is 1, which no probability reaches.
    """

    name: str
    version: str
    input_size: int
    channels: int
    mean: NDArray[np.float32]  # (C,)
    std: NDArray[np.float32]  # (C,)
    outputs: NDArray[np.intp]
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    label_support: dict[LabelName, str]
    intended_use: str
    architecture: str = "unstated"

    @property
    def known(self) -> NDArray[np.bool_]:
        """(14,), by the order of LABELS."""
        return _known(self.label_support)

    @property
    def proven(self) -> NDArray[np.bool_]:
        """(14,), by the order of LABELS: False where the model has learned the label from no picture of a patient.

        A model that does not say what a label rests on is not doubted.
        """
        return np.array([self.label_support.get(name) not in _UNPROVEN for name in LABELS])

    @property
    def calibrated(self) -> bool:
        """Whether probabilities are more than the sigmoid of the model's own logits."""
        return bool((self.slopes != 1).any() or (self.intercepts != 0).any())


def read_model_folder(folder: Path) -> ImageModelFolder:
    """Raises ModelLoadError, saying which file is missing or wrong."""
    try:
        return described(
            _read(folder / "config.json"), _read(folder / "calibration.json"), _read(folder / "thresholds.json")
        )
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ModelLoadError(f"The image model folder {folder} is not complete or not valid: {wrong}.") from error
    except KeyError as error:
        raise ModelLoadError(f"The image model folder {folder} is not complete: {error} is missing.") from error
    except ValueError as error:
        raise ModelLoadError(f"The image model folder {folder} is not complete or not valid: {error}") from error


def described(
    configuration: Mapping[str, Any],
    calibration: Mapping[str, Any] | None,
    thresholds: Mapping[Any, Any],
) -> ImageModelFolder:
    """The contents of the three files. Without calibration, a probability is the sigmoid of the logit.

    Raises ValueError or KeyError for what is missing or not valid.
    """
    config = _Config.model_validate(configuration)
    scales = {name: _Platt.model_validate({} if calibration is None else calibration[name]) for name in LABELS}
    limits = {name: _Threshold(value=thresholds[name]).value for name in LABELS}
    return ImageModelFolder(
        name=config.name,
        version=config.version,
        input_size=config.input_size,
        channels=config.channels,
        mean=_per_channel(config.mean, config.channels),
        std=_per_channel(config.std, config.channels),
        outputs=np.array([config.labels.index(name) for name in LABELS]),
        slopes=np.array([scales[name].slope for name in LABELS]),
        intercepts=np.array([scales[name].intercept for name in LABELS]),
        thresholds=np.where(_known(config.label_support), [limits[name] for name in LABELS], 1.0),
        label_support=config.label_support,
        intended_use=config.intended_use,
        architecture=config.architecture,
    )


class _Threshold(BaseModel):
    value: Probability


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ModelLoadError(
            f"{file} is missing: an image model folder holds config, calibration and thresholds (JSON)."
        )
    return read_json_object(file)


def _known(label_support: Mapping[LabelName, str]) -> NDArray[np.bool_]:
    return np.array([label_support.get(name) != UNKNOWN for name in LABELS])


def _per_channel(values: list[float], channels: int) -> NDArray[np.float32]:
    if len(values) not in (1, channels):
        raise ValueError(f"mean and std must have 1 or {channels} values")
    return np.broadcast_to(np.array(values, dtype=np.float32), channels)
