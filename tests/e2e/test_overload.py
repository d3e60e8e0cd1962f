"""The real system under more than it can do: everybody is answered, and afterwards it is as before."""

import json
import socket
import ssl
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.e2e

QUESTION = {"impression": "Mild cardiomegaly and left pleural effusion. No pneumothorax."}
CLIENTS = 150


def raw_question() -> bytes:
    body = json.dumps(QUESTION).encode()
    head = f"POST /v1/retrieve HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def resident_mb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS:"))


def test_burst_is_answered_or_refused_to_the_last_one_and_then_all_is_as_before(system, client):
    statuses: Counter[int] = Counter()
    tls = ssl.create_default_context()  # made once: making it takes longer than asking
    until = time.monotonic() + 5

    def ask_on(_number: int) -> None:
        with httpx.Client(base_url=system.url, timeout=30, verify=tls) as asking:
            while time.monotonic() < until:
                response = asking.post("/v1/retrieve", json=QUESTION)
                statuses[response.status_code] += 1
                if response.status_code != 200:
                    assert response.headers["content-type"] == "application/problem+json"
                    assert int(response.headers["retry-after"]) >= 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask_on, range(CLIENTS)))
    assert set(statuses) <= {200, 429, 503}
    assert statuses[200] > 20
    assert statuses[429] > 0
    time.sleep(1)
    assert client.post("/v1/retrieve", json=QUESTION).status_code == 200


def test_callers_that_hang_up_at_any_moment_leave_nothing_behind(system, client):
    """As httpcore's pool was emptied, place by place, by calls that were given up while they began."""
    port = system.ports["gateway"]

    def ask_and_hang_up(number: int) -> None:
        for turn in range(25):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(raw_question())
                time.sleep(0.0004 * ((number + turn) % 20))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask_and_hang_up, range(16)))
    time.sleep(1)
    for _ in range(5):
        assert client.post("/v1/retrieve", json=QUESTION).status_code == 200
    metrics = client.get("/metrics").text
    assert 'chex_requests_at_work{lane="questions"} 0.0' in metrics
    assert 'chex_requests_waiting{lane="questions"} 0.0' in metrics


def test_gateway_stays_small_whatever_the_bodies(system, client):
    bodies = [
        b'{"labels": [' + b'"x",' * 400_000 + b'"x"]}',
        b"{" + b",".join(b'"k%d": 1' % number for number in range(120_000)) + b"}",
        b"[" * 2_000_000,
        b'{"impression": "' + b"a" * 2_000_000 + b'"}',
    ]
    headers = {"Content-Type": "application/json"}
    for body in bodies * 5:
        response = client.post("/v1/search", content=body, headers=headers)
        assert response.status_code in {413, 422}
        assert len(response.content) < 10_000
    assert resident_mb(system.processes["gateway"].pid) < 300
