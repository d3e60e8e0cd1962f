"""A gateway that is killed while it answers has written down whatever it has answered."""

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gateway.guard.audit.folder import KEY_FILE
from gateway.guard.audit.verify import verify
from tests.e2e.conftest import System

pytestmark = pytest.mark.e2e

ROUNDS = 3


def wait_until_alive(system: System) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{system.url}/healthz", timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(system.log_of("gateway"))


def test_no_line_of_an_answer_is_lost_when_the_gateway_is_killed(tmp_path):
    """The services are not there: that they cannot be reached is an answer like others."""
    system, answered = System(tmp_path), []
    for _ in range(ROUNDS):
        system.start("gateway")
        wait_until_alive(system)
        stop = threading.Event()

        def ask(stop=stop) -> None:
            with httpx.Client(base_url=system.url, timeout=10) as client:
                while not stop.is_set():
                    try:
                        answered.append(client.delete("/v1/images/one").headers["x-request-id"])
                    except httpx.TransportError:
                        return

        with ThreadPoolExecutor(16) as pool:
            callers = [pool.submit(ask) for _ in range(16)]
            enough, deadline = len(answered) + 40, time.monotonic() + 30
            while len(answered) < enough and time.monotonic() < deadline:
                time.sleep(0.01)
            system.stop("gateway", sign=signal.SIGKILL)
            stop.set()
            for caller in callers:
                caller.result(20)
    system.start("gateway")
    wait_until_alive(system)
    system.stop("gateway")

    audit = tmp_path / "gateway" / "audit"
    lines = [json.loads(line) for file in sorted(audit.glob("*.ndjson")) for line in file.read_bytes().splitlines()]
    written = {line["entity"][0]["what"]["identifier"]["value"] for line in lines}
    assert len(answered) >= 40 * ROUNDS
    assert set(answered) - written == set()
    assert verify(audit, (audit / KEY_FILE).read_bytes()).head.count == len(lines)
