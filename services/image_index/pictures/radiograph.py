"""What every file becomes: one grey picture, and what the file said of it."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from shared.schemas.images import ImageMetadata

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Radiograph:
    """`grey` is (rows, columns): air dark (0), bone light (255).

    `patient_id` and the accession's number and issuer are the archive's own, to be hashed; `study_date` is kept only
    where that is configured. `frames` is how many the DICOM object has, of which `grey` is the first. `burned_in`: the
    file says that its pixels hold text. `other_body_part` is what in its header says that it shows no chest.
    """

    grey: Grey
    metadata: ImageMetadata = field(default_factory=ImageMetadata)
    patient_id: str | None = field(default=None, repr=False)
    accession_number: str | None = field(default=None, repr=False)
    accession_issuer: str | None = field(default=None, repr=False)
    study_date: date | None = field(default=None, repr=False)
    frames: int | None = None
    burned_in: bool = False
    other_body_part: str | None = None
