"""What every file becomes: one grey picture, and what the file said of it."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from shared.errors import PayloadTooLarge
from shared.schemas.images import ImageMetadata

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Limits:
    """What is refused before it is decoded. A 43 × 43 cm detector at 0.1 mm has 18.5 million pixels."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 50_000_000
    max_frames: int = 64
    max_scans: int = 200  # of a progressive JPEG, which walks over the whole picture for each; encoders make about ten

    def check_size(self, rows: int, columns: int) -> None:
        if rows * columns > self.max_pixels:
            raise PayloadTooLarge(
                f"The picture has {rows} × {columns} pixels; at most {self.max_pixels:,} are decoded."
            )

    def check_frames(self, frames: int) -> None:
        if frames > self.max_frames:
            raise PayloadTooLarge(f"The file has {frames} frames; at most {self.max_frames} are accepted.")

    def check_scans(self, scans: int) -> None:
        if scans > self.max_scans:
            raise PayloadTooLarge(f"The JPEG has {scans:,} scans; at most {self.max_scans} are decoded.")


@dataclass(frozen=True)
class Radiograph:
    """`grey` is (rows, columns): air dark (0), bone light (255).

    `patient_id` is the archive's own, to be hashed; `study_date` is kept only where that is configured. `frames` is how
    many the DICOM object has, of which `grey` is the first.
    """

    grey: Grey
    metadata: ImageMetadata = field(default_factory=ImageMetadata)
    patient_id: str | None = field(default=None, repr=False)
    study_date: date | None = field(default=None, repr=False)
    frames: int | None = None
