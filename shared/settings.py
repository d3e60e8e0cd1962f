"""Settings that the three processes share. Values come from environment variables with the prefix `CHEX_`.

A settings object is made once, in a `__main__`; everything else is handed one.
"""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_JSON_BYTES = 2 * 2**20
PREFIX = "CHEX_"
MOST_THREADS = 1024
_TOKEN = re.compile(r"[\x21-\x7e]{32,1024}")
_TOKEN_WANTED = "must be 32 or more ASCII characters without spaces, such as `openssl rand -hex 32` gives"  # noqa: S105 - a sentence
Device = Literal["auto", "cpu", "cuda"]


class ServiceSettings(BaseSettings):
    """A variable that is empty counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, allow_inf_nan=False, frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    service_token: SecretStr | None = Field(
        default=None, description="What the services ask of the gateway; of 32 characters or more."
    )
    service_token_file: Path | None = Field(default=None, description="A file that holds it, and counts before it.")
    max_json_bytes: int = Field(default=MAX_JSON_BYTES, ge=1, description="Longer JSON bodies are refused.")
    request_timeout_s: float = Field(default=10.0, gt=0, description="The most that one request may take.")
    max_connections: int = Field(default=2000, ge=1, description="Connections at once; beyond it, 503.")
    shutdown_grace_s: int = Field(default=10, ge=0, description="How long requests in flight may take at shutdown.")

    @field_validator("service_token")
    @classmethod
    def _token_is_long(cls, token: SecretStr | None) -> SecretStr | None:
        return None if token is None else _checked(token.get_secret_value())

    @field_validator("service_token_file")
    @classmethod
    def _file_holds_a_token(cls, file: Path | None) -> Path | None:
        if file is not None:
            _read(file)
        return file

    def token(self) -> SecretStr | None:
        """The token between the gateway and the services, wherever it was set."""
        return self.service_token if self.service_token_file is None else _read(self.service_token_file)


def _read(file: Path) -> SecretStr:
    try:
        return _checked(file.read_text(encoding="ascii").strip())
    except OSError as error:
        raise ValueError(f"must name a file that can be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(_TOKEN_WANTED) from None


def _checked(token: str) -> SecretStr:
    if not _TOKEN.fullmatch(token):
        raise ValueError(_TOKEN_WANTED)
    return SecretStr(token)
