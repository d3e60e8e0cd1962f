"""What a site's own reports told of its encoder, as it is kept beside the index."""

from datetime import UTC
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, FiniteFloat, ValidationError, model_validator

from services.image_index.ranking.trust import Fit
from shared.labels import LABELS, LabelName
from shared.private_folder import write_private
from shared.schemas.system import FitDescription

FILE_NAME = "fit.json"

_Slope = Annotated[FiniteFloat, Field(ge=0)]
_Rate = Annotated[FiniteFloat, Field(gt=0, lt=1)]


class FitUnusable(ValueError):
    """The file is no fit; the message says what to do."""


class SiteFit(BaseModel):
    """`rates`, how often the site's reports state each label; `text_models`, how many of the images' reports each one
    read, by the SHA-256 of its weights.
    """

    version: Literal[1] = 1
    weights_sha256: str  # of the encoder whose log-odds the slopes are for
    prior_sha256: str  # with which it was judged
    text_models: dict[str, int]
    images: int
    patients: int
    made: AwareDatetime
    slopes: dict[LabelName, _Slope]
    intercepts: dict[LabelName, FiniteFloat]
    rates: dict[LabelName, _Rate]
    reports: _Slope = 1.0  # how far a report is believed

    @model_validator(mode="after")
    def _all_labels(self) -> "SiteFit":
        if any(set(one) != set(LABELS) for one in (self.slopes, self.intercepts, self.rates)):
            raise ValueError("not of the 14 labels")
        return self

    @property
    def fit(self) -> Fit:
        slopes, intercepts, rates = (
            tuple(one[name] for name in LABELS) for one in (self.slopes, self.intercepts, self.rates)
        )
        return Fit(slopes, intercepts, rates, self.reports)

    @property
    def described(self) -> FitDescription:
        return FitDescription(
            images=self.images,
            patients=self.patients,
            made=self.made.astimezone(UTC),
            silent=[name for name in LABELS if self.slopes[name] == 0],
        )


def write_fit(folder: Path, fit: SiteFit) -> Path:
    """Whole or not at all."""
    file = folder / FILE_NAME
    write_private(file, fit.model_dump_json(indent=2).encode() + b"\n")
    return file


def read_fit(folder: Path) -> SiteFit | None:
    """None where there is none. Raises FitUnusable."""
    file = folder / FILE_NAME
    if not file.exists():
        return None
    try:
        return SiteFit.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise FitUnusable(
            f"The fit {file} is damaged, or of another version of this program. Make it again (python -m "
            "services.image_index.evaluation calibrate), or delete it: then the ranking is the default one."
        ) from error
