"""Settings of the gateway, from environment variables with the prefix `CHEX_`."""

from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from gateway.links import Links
from shared.settings import ServiceSettings

MEBIBYTE = 1024 * 1024
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class GatewaySettings(ServiceSettings):
    """`request_timeout_s` is the budget of one request over all the calls that it takes; uploads have their own."""

    gateway_port: int = Field(default=8000, ge=0, le=65535)
    gateway_dir: Path = Field(
        default=Path("data/gateway"), description="What the gateway itself keeps lies below it, for its owner alone."
    )
    auth: Literal["on", "off"] = Field(
        default="on", description="`off`: whoever reaches the gateway may do everything, from wherever."
    )
    oidc_issuer: str | None = Field(
        default=None, description="Whose bearer tokens are taken: the `iss` of them, to the letter."
    )
    oidc_audience: str | None = Field(default=None, validate_default=True, description="The `aud` of tokens for us.")
    oidc_jwks_url: str | None = Field(
        default=None, description="Where the issuer's public keys are; else its discovery document says it."
    )
    oidc_algorithms: Annotated[tuple[Algorithm, ...], NoDecode] = Field(
        default=("RS256", "PS256", "ES256"), description="How tokens may be signed, with commas between."
    )
    oidc_right_prefix: str = Field(
        default="", description="Before the rights in a token's `scope` or `scp`, such as `chex:`."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins whose pages may call, such as `https://viewer.example`, with commas between."
    )
    audit_key: SecretStr | None = Field(
        default=None, min_length=16, description="Key of the audit's chain; made once and kept beside it, if not set."
    )
    audit_key_file: Path | None = Field(default=None, description="A file that holds it instead.")
    audit_max_bytes: int = Field(default=64 * MEBIBYTE, ge=4096, description="A file of the audit ends past so many.")
    audit_keep_days: int | None = Field(
        default=None, ge=1, description="Older files of the audit are removed; none are, if not set."
    )
    idempotency_hours: float = Field(
        default=24, gt=0, description="So long is the answer kept that a repeated `Idempotency-Key` gets again."
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

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _comes_unchanged(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url is not None and not (
            parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE))
        ):
            raise ValueError(
                "must begin with https:// (or be on this machine): who changes it on its way forges tokens"
            )
        return url

    @field_validator("oidc_audience")
    @classmethod
    def _has_an_audience(cls, audience: str | None, info: ValidationInfo) -> str | None:
        if audience is None and info.data.get("oidc_issuer") is not None:
            raise ValueError("must be set where CHEX_OIDC_ISSUER is: else a token for any other service is taken")
        return audience

    @field_validator("oidc_algorithms", mode="before")
    @classmethod
    def _are_algorithms(cls, written: object) -> object:
        names = _listed(written)
        if not names or not set(names) <= set(get_args(Algorithm)):
            raise ValueError(f"must be some of {', '.join(get_args(Algorithm))}, with commas between")
        return names

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _are_origins(cls, written: object) -> object:
        origins = _listed(written)
        for parts in map(urlsplit, origins):
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query or parts.fragment:
                raise ValueError("must be origins such as https://viewer.example, with commas between")
        return origins

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

    def configured_audit_key(self) -> bytes | None:
        """Raises OSError where the file cannot be read."""
        if self.audit_key_file is not None:
            return self.audit_key_file.read_bytes().strip()
        return None if self.audit_key is None else self.audit_key.get_secret_value().encode()

    def links(self, root_path: str) -> Links:
        """The links of images, for a request that came in under `root_path`."""
        return Links(
            root=root_path if self.public_url is None else str(self.public_url).rstrip("/"),
            wado_rs_url=None if self.wado_rs_url is None else str(self.wado_rs_url).rstrip("/"),
            viewer_url=self.viewer_url,
        )


def _listed(written: object) -> tuple[str, ...]:
    if isinstance(written, str):
        return tuple(part.strip() for part in written.split(",") if part.strip())
    return tuple(written) if isinstance(written, tuple | list) else ()
