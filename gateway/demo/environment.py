"""Under which ports and folders the demonstration runs."""

import hashlib
import os
import socket
import sys
from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings

ROOT = Path(".demo")
PORTS = ("gateway_port", "text_port", "index_port")
_EVERY_ADDRESS = {"0.0.0.0", "::", ""}  # noqa: S104 - to listen on, not to call


class DemoSettings(ServiceSettings):
    gateway_port: int = Field(default=8000, ge=1, le=65535)
    text_port: int = Field(default=8001, ge=1, le=65535)
    index_port: int = Field(default=8002, ge=1, le=65535)

    @property
    def address(self) -> str:
        """Where this machine reaches what listens on `host`."""
        host = "127.0.0.1" if self.host in _EVERY_ADDRESS else self.host
        return f"[{host}]" if ":" in host else host

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.gateway_port}"


def environment_for(settings: DemoSettings, gallery: Path) -> dict[str, str]:
    """What the caller set, else ports and addresses that fit, and a data folder for this gallery alone."""
    environment = {**os.environ}
    for name in PORTS:
        environment[_variable(name)] = str(getattr(settings, name))
    environment.setdefault("CHEX_TEXT_URL", f"http://{settings.address}:{settings.text_port}")
    environment.setdefault("CHEX_INDEX_URL", f"http://{settings.address}:{settings.index_port}")
    environment.setdefault("CHEX_DATA_DIR", str(ROOT / "index" / name_of(gallery)))
    environment.setdefault("CHEX_GATEWAY_DIR", str(ROOT / "gateway"))
    return environment


def name_of(gallery: Path) -> str:
    """The folder's last name, and what tells it from others of the same last name."""
    whole = gallery.resolve()
    return f"{whole.name}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:8]}"


def refuse_taken_ports(settings: DemoSettings) -> None:
    for name in PORTS:
        port = getattr(settings, name)
        try:
            with socket.create_connection((settings.address.strip("[]"), port), timeout=1):
                pass
        except OSError:
            continue
        sys.exit(f"Port {port} is in use. Stop what listens there (another demo?), or set {_variable(name)}.")


def _variable(name: str) -> str:
    return f"CHEX_{name.upper()}"
