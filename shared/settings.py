"""Settings that the three processes share. Values come from environment variables with the prefix `CHEX_`.

A settings object is made once, in a `__main__`; everything else is handed one.
"""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_JSON_BYTES = 2 * 2**20
PREFIX = "CHEX_"
MOST_THREADS = 1024
Device = Literal["auto", "cpu", "cuda"]


class ServiceSettings(BaseSettings):
    """A variable that is empty counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, allow_inf_nan=False, frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_json_bytes: int = Field(default=MAX_JSON_BYTES, ge=1, description="Longer JSON bodies are refused.")
    request_timeout_s: float = Field(default=10.0, gt=0, description="The most that one request may take.")
    max_connections: int = Field(default=2000, ge=1, description="Connections at once; beyond it, 503.")
    shutdown_grace_s: int = Field(default=10, ge=0, description="How long requests in flight may take at shutdown.")
