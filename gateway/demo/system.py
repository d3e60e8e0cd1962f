"""The three processes: started, watched, and stopped with the one that started them, however it ends."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx

from gateway.demo.tethered import STOPPED_WITHIN_S

MODULES = {  # as in the Procfile, but a process of our own can be named when it ends
    "text-classifier": ["services.text_classifier", "serve"],
    "image-index": ["services.image_index", "serve"],
    "gateway": ["gateway"],
}
READY_WITHIN_S = 90
LOOK_EVERY_S = 0.1
_LAST_LINES = 15

Process = subprocess.Popen[bytes]


def tethered(arguments: Sequence[str]) -> list[str]:
    """The command that runs a module of ours so that it ends when the pipe at its stdin is closed."""
    return [sys.executable, "-m", "gateway.demo.tethered", *arguments]


class System:
    """Context: the processes run inside it. Each writes its log to `logs`."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._processes: dict[str, Process] = {}

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for part, arguments in MODULES.items():
                self._processes[part] = self._start(part, arguments)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop()

    def wait_until_ready(self, url: str) -> None:
        """Ends this process where one of the three has ended, or they take too long."""
        deadline = time.monotonic() + READY_WITHIN_S
        with httpx.Client(timeout=2, trust_env=False) as client:  # a proxy is for the outside
            while not _ready(client, url):
                self.end_with_any()
                if time.monotonic() > deadline:
                    sys.exit(f"Not ready within {READY_WITHIN_S} s. The logs are in {self._logs}.")
                time.sleep(LOOK_EVERY_S)

    def end_with_any(self) -> None:
        """Ends this process where one of the three has ended."""
        for part, process in self._processes.items():
            status = process.poll()
            if status is not None:
                log = self._log_of(part)
                sys.exit(f"The {part} {_how(status)}. Its last words, from {log}:\n{_tail(log)}")

    def _start(self, part: str, arguments: Sequence[str]) -> Process:
        with self._log_of(part).open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - a module of ours
                tethered(arguments),
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # a terminal's Ctrl-C reaches this process alone, which stops them in its own time
            )

    def _stop(self) -> None:
        for process in self._processes.values():
            if process.stdin is not None:
                process.stdin.close()
        deadline = time.monotonic() + STOPPED_WITHIN_S
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log_of(self, part: str) -> Path:
        return self._logs / f"{part}.jsonl"


def _ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False


def _how(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
