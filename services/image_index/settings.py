"""Settings of the image index, from environment variables with the prefix `CHEX_`."""

import os
from pathlib import Path

from pydantic import Field, SecretStr

from services.image_index.pictures.limits import Limits
from shared.schemas.system import BurnedInPolicy
from shared.settings import MOST_THREADS, Device, ServiceSettings

MIN_FREE_BYTES = 32 * 2**20
BUNDLED_MODEL = Path(__file__).parent / "weights"


class ImageIndexSettings(ServiceSettings):
    index_port: int = Field(default=8002, ge=0, le=65535)
    image_model: str | Path = Field(
        default=BUNDLED_MODEL,
        description="Model folder; or, where torch is installed, a checkpoint of the original project, or xrv:NAME, "
        "timm:NAME@FILE, timm:FOLDER, timm:hf-hub:OWNER/NAME, torchvision:NAME@FILE.",
    )
    prior: Path | None = Field(
        default=None, description="How often which findings are reported together (fit-prior); else the shipped counts."
    )
    data_dir: Path = Field(default=Path("data"), description="The index and the patient key lie below it.")
    patient_key: SecretStr | None = Field(
        default=None, description="Key that patient IDs are hashed with; a random one is kept in data_dir if not given."
    )
    keep_study_date: bool = Field(default=False, description="Whether the study date of a DICOM file is kept.")
    forget_after_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Images and reports that were received more than so many days ago are forgotten: looked for at the "
        "start, and every hour. Without it, nothing is.",
    )
    min_free_bytes: int = Field(
        default=MIN_FREE_BYTES,
        ge=0,
        description="With less free on the disk of data_dir, images are refused with 503 and searches go on.",
    )
    device: Device = "auto"
    threads: int = Field(
        default=0, ge=0, le=MOST_THREADS, description="CPU threads for one batch; 0 is one for each core."
    )
    upload_timeout_s: float = Field(default=60.0, gt=0, description="The most that a request with an image may take.")

    image_max_batch: int = Field(default=16, ge=1, description="Images in one run of the encoder.")
    image_max_queue: int = Field(default=128, ge=1, description="Images that may wait for the encoder; beyond it, 429.")
    decode_threads: int = Field(
        default=min(8, os.cpu_count() or 1), ge=1, le=MOST_THREADS, description="Files decoded at once."
    )
    decode_max_queue: int = Field(default=64, ge=1, description="Files that may wait to be decoded; beyond it, 429.")

    chest_threshold: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A picture that scores less is refused as no chest radiograph; 0 takes every picture.",
    )

    burned_in: BurnedInPolicy | None = Field(
        default=None,
        description="What becomes of a picture with text in it that could name the patient: refuse, mask or allow. "
        "Where it is not set, refuse with the extra that reads text (ocr) installed, else allow.",
    )

    image_max_bytes: int = Field(default=64 * 2**20, ge=1, description="Longest file that is read.")
    image_max_pixels: int = Field(default=50_000_000, ge=1, description="Largest picture that is decoded.")
    image_max_frames: int = Field(default=64, ge=1, description="Most frames of a DICOM object; the first one is read.")

    @property
    def limits(self) -> Limits:
        return Limits(
            self.image_max_bytes,
            self.image_max_pixels,
            self.image_max_frames,
            burned_in_annotation=self.burned_in == "mask",
        )

    @property
    def index_folder(self) -> Path:
        return self.data_dir / "image-index"
