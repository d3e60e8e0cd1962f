"""Settings of the gateway, from environment variables with the prefix `CHEX_`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, StringConstraints, field_validator

from gateway.links import Links
from shared.settings import ServiceSettings

MEBIBYTE = 1024 * 1024


class GatewaySettings(ServiceSettings):
    """`request_timeout_s` is the budget of one request over all the calls that it takes; uploads have their own."""

    gateway_port: int = Field(default=8000, ge=0, le=65535)
    gateway_dir: Path = Field(
        default=Path("data/gateway"), description="What the gateway itself keeps lies below it, for its owner alone."
    )
    root_path: Annotated[str, StringConstraints(pattern=r"^(/[\w.~-]+)*$")] = Field(
        default="", description="Prefix under which a proxy serves the gateway, such as `/chex`."
    )
    public_url: HttpUrl | None = Field(
        default=None,
        description="Where callers reach the gateway, such as `https://chex.example.org/chex`: links begin with it. "
        "Without it they are paths.",
    )
    text_url: HttpUrl = Field(default=HttpUrl("http://127.0.0.1:8001"), description="The text classifier.")
    index_url: HttpUrl = Field(default=HttpUrl("http://127.0.0.1:8002"), description="The image index.")
    classify_timeout_s: float = Field(default=8.0, gt=0, description="The most that one call for labels may take.")
    long_request_timeout_s: float = Field(
        default=30.0, gt=0, description="The most that a question of more than 32 KiB may take."
    )
    search_timeout_s: float = Field(
        default=8.0, gt=0, description="The most that one other call to the index may take."
    )
    upload_timeout_s: float = Field(default=60.0, gt=0, description="The most that one image may take, sending it too.")
    readiness_timeout_s: float = Field(default=1.0, gt=0, description="How long `/readyz` waits for a service.")
    max_upload_bytes: int = Field(
        default=65 * MEBIBYTE, ge=1, description="Longer bodies are refused: an image, and what a form holds beside it."
    )
    max_at_work: int = Field(default=32, ge=1, description="Questions at work at once, and other reads beside them.")
    max_waiting: int = Field(default=64, ge=0, description="How many of each may wait for a place; beyond it, 429.")
    max_uploads: int = Field(default=8, ge=1, description="Images on their way at once; four times as many may wait.")
    wado_rs_url: HttpUrl | None = Field(
        default=None, description="Root of the archive's DICOMweb service, such as `https://pacs.example/dicom-web`."
    )
    viewer_url: str | None = Field(
        default=None,
        description="Template, such as `https://pacs.example/viewer?StudyInstanceUIDs={study_instance_uid}`.",
    )

    @field_validator("viewer_url")
    @classmethod
    def _viewer_url_is_a_template(cls, viewer_url: str | None) -> str | None:
        if viewer_url is None:
            return None
        try:
            HttpUrl(viewer_url.format(study_instance_uid="1.2", series_instance_uid="1.2", sop_instance_uid="1.2"))
        except (ValueError, LookupError, AttributeError):
            raise ValueError(
                "must be an http(s) URL; it may hold {study_instance_uid}, {series_instance_uid} and {sop_instance_uid}"
            ) from None
        return viewer_url

    @field_validator("public_url", "wado_rs_url")
    @classmethod
    def _can_be_added_to(cls, url: HttpUrl | None) -> HttpUrl | None:
        if url is not None and (url.query is not None or url.fragment is not None):
            raise ValueError("must end with a path, not with ?… or #…: links are made by adding to it")
        return url

    def links(self, root_path: str) -> Links:
        """The links of images, for a request that came in under `root_path`."""
        return Links(
            root=root_path if self.public_url is None else str(self.public_url).rstrip("/"),
            wado_rs_url=None if self.wado_rs_url is None else str(self.wado_rs_url).rstrip("/"),
            viewer_url=self.viewer_url,
        )
