"""The three real processes over real HTTP, in an environment where the training libraries cannot be imported."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from tests.repository import REPOSITORY

COMMANDS = {
    "text-classifier": ["-m", "services.text_classifier", "serve"],
    "image-index": ["-m", "services.image_index", "serve"],
    "gateway": ["-m", "gateway"],
}
PORT_VARIABLES = {
    "text-classifier": "CHEX_TEXT_PORT",
    "image-index": "CHEX_INDEX_PORT",
    "gateway": "CHEX_GATEWAY_PORT",
}
NO_TRAINING_LIBRARIES = """
import sys
class Absent:
    names = {"torch", "torchvision", "transformers", "pandas", "matplotlib", "sklearn", "scipy", "onnx", "safetensors"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class System:
    """Processes by part, started, stopped and killed one by one; `log_of` is what each has printed.

    `more` is set in the environment of one part beside what all have; `before` comes before its command.
    """

    folder: Path
    more: dict[str, dict[str, str]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=lambda: {part: free_port() for part in COMMANDS})
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['gateway']}"

    @property
    def environment(self) -> dict[str, str]:
        site = self.folder / "site"
        site.mkdir(exist_ok=True)
        (site / "sitecustomize.py").write_text(NO_TRAINING_LIBRARIES)
        return {
            **os.environ,
            **{PORT_VARIABLES[part]: str(port) for part, port in self.ports.items()},
            "CHEX_TEXT_URL": f"http://127.0.0.1:{self.ports['text-classifier']}",
            "CHEX_INDEX_URL": f"http://127.0.0.1:{self.ports['image-index']}",
            "CHEX_DATA_DIR": str(self.folder / "data"),
            "CHEX_GATEWAY_DIR": str(self.folder / "gateway"),
            "PYTHONPATH": str(site),
        }

    def log_of(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text(errors="replace")

    def start(self, *parts: str) -> None:
        for part in parts or COMMANDS:
            with (self.folder / f"{part}.log").open("ab") as log:
                self.processes[part] = subprocess.Popen(
                    [*self.before.get(part, ()), sys.executable, *COMMANDS[part]],
                    cwd=REPOSITORY,
                    env=self.environment | self.more.get(part, {}),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )

    def wait_ready(self, within_s: float = 60) -> None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for part, process in self.processes.items():
                assert process.poll() is None, f"{part} stopped:\n{self.log_of(part)[-2000:]}"
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready within {within_s} s: {httpx.get(self.url + '/readyz').text}")

    def stop(self, *parts: str, sign: int = signal.SIGTERM) -> None:
        stopping = [self.processes.pop(part) for part in (parts or tuple(self.processes))]
        for process in stopping:
            process.send_signal(sign)
        for process in stopping:
            process.wait(20)


SomeSystem = TypeVar("SomeSystem", bound=System)


@contextmanager
def running(system: SomeSystem) -> Iterator[SomeSystem]:
    """All of it is ready inside, and stopped at the end."""
    system.start()
    try:
        system.wait_ready()
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(System(tmp_path_factory.mktemp("system"))) as system:
        yield system


@pytest.fixture
def client(system: System) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=system.url, timeout=30) as client:
        yield client
