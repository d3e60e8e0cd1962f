"""Clients that send again, under one Idempotency-Key, until they are answered, while what they send to is killed."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.conftest import System, running
from tests.e2e.faults.load import pictures

pytestmark = pytest.mark.e2e

CLIENTS = 3
KILLED = ("gateway", "image-index", "gateway")
UNTIL_S = 120.0


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(System(tmp_path_factory.mktemp("mortal"))) as system:
        yield system


def sent(system: System, key: str, picture: bytes) -> httpx.Response:
    headers = {"Content-Type": "image/png", "Idempotency-Key": key}
    return httpx.post(f"{system.url}/v1/images", content=picture, headers=headers, timeout=30)


def sent_until_answered(system: System, key: str, picture: bytes) -> httpx.Response:
    ends = time.monotonic() + UNTIL_S
    while time.monotonic() < ends:
        try:
            response = sent(system, key, picture)
        except httpx.TransportError:
            response = None
        if response is not None and response.is_success:
            return response
        assert response is None or response.status_code in {409, 429, 503, 504}, response.text
        time.sleep(0.1)
    raise TimeoutError


def test_each_object_is_there_once_and_each_answer_comes_again(mortal):
    waiting, turn, over = enumerate(pictures()), threading.Lock(), False
    answers: dict[str, tuple[bytes, httpx.Response]] = {}

    def write_on(_client: int) -> None:
        while not over:
            with turn:
                number, picture = next(waiting)
            key = f"object-{number}"
            answers[key] = (picture, sent_until_answered(mortal, key, picture))

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(write_on, client) for client in range(CLIENTS)]
        try:
            for part in KILLED:
                so_far, ends = len(answers), time.monotonic() + UNTIL_S
                while len(answers) < so_far + CLIENTS and time.monotonic() < ends:
                    time.sleep(0.01)
                mortal.stop(part, sign=signal.SIGKILL)
                mortal.start(part)
        finally:
            over = True
        for client in clients:
            client.result(UNTIL_S + 30)
    mortal.wait_ready()

    ids = [response.json()["image_id"] for _, response in answers.values()]
    assert len(ids) >= CLIENTS * len(KILLED)
    assert len(set(ids)) == len(ids)
    assert httpx.get(f"{mortal.url}/v1/index").json()["size"] == len(ids)
    for key, (picture, first) in answers.items():
        again = sent(mortal, key, picture)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotency-replayed"] == "true"
