"""Settings of the text classifier, from environment variables with the prefix `CHEX_`."""

from pathlib import Path

from pydantic import Field

from shared.settings import MOST_THREADS, Device, ServiceSettings

BUNDLED_MODEL = Path(__file__).parent / "weights"


class TextClassifierSettings(ServiceSettings):
    text_model: Path = Field(default=BUNDLED_MODEL, description="Model folder, or a Hugging Face checkpoint's folder.")
    text_port: int = Field(default=8001, ge=0, le=65535)
    device: Device = "auto"
    threads: int = Field(
        default=0, ge=0, le=MOST_THREADS, description="CPU threads for one batch; 0 is one for each core."
    )
    text_max_queue: int = Field(default=512, ge=1, description="Impressions that may wait; beyond it, 429.")
    text_max_tokens: int = Field(
        default=80_000,
        ge=8,
        description="Tokens that the model may have to read for one request, and eight times what it may for one "
        "impression; beyond it, 422. The bundled model reads 11,000 a second on two cores, a larger one far fewer.",
    )
    request_timeout_s: float = Field(default=30.0, gt=0, description="The most that one request may take.")

    @property
    def most_tokens_of_one(self) -> int:
        """Of one impression: while others are read it has one core, and the last one ends alone."""
        return self.text_max_tokens // 8
