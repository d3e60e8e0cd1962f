"""The real processes over real sockets: services asked without the gateway, and gateways that would be open to all."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.repository import REPOSITORY

pytestmark = pytest.mark.e2e

TOKEN = "t" * 40


def environment(**variables: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CHEX_")}
    return clean | variables


def ended(*module: str, **variables: str) -> tuple[int, str]:
    run = [sys.executable, "-m", *module]
    done = subprocess.run(
        run, cwd=REPOSITORY, env=environment(**variables), capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stderr


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def serving(log: Path, *module: str, port: int, **variables: str) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=REPOSITORY,
            env=environment(**variables),
            stdout=written,
            stderr=written,
        )
        try:
            deadline = time.monotonic() + 60
            while True:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                try:
                    httpx.get(f"{url}/healthz")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.parametrize("module", [("services.text_classifier", "serve"), ("services.image_index", "serve")])
def test_service_that_others_reach_refuses_to_start_without_a_token(module, tmp_path):
    status, said = ended(*module, CHEX_HOST="0.0.0.0", CHEX_DATA_DIR=str(tmp_path))
    assert status == 1
    assert "CHEX_SERVICE_TOKEN" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])
def test_gateway_that_others_reach_refuses_to_start_without_a_key(host, tmp_path):
    status, said = ended("gateway", CHEX_HOST=host, CHEX_GATEWAY_DIR=str(tmp_path / "none"))
    assert status == 1
    assert "python -m gateway keys create" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("token", ["short", "with space " * 5, "ü" * 40])
def test_token_that_could_be_guessed_is_refused_and_not_repeated(token):
    status, said = ended("gateway", CHEX_SERVICE_TOKEN=token)
    assert status == 1
    assert said.startswith("gateway: CHEX_SERVICE_TOKEN must be")
    assert token not in said


def test_service_answers_the_gateway_alone_and_the_gateway_asks_for_keys(tmp_path):
    text, gateway = free_port(), free_port()
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    shared = {"CHEX_SERVICE_TOKEN_FILE": str(file), "CHEX_TEXT_PORT": str(text), "CHEX_GATEWAY_PORT": str(gateway)}
    shared |= {"CHEX_TEXT_URL": f"http://127.0.0.1:{text}", "CHEX_GATEWAY_DIR": str(tmp_path / "gateway")}
    service_log, gateway_log = tmp_path / "service.log", tmp_path / "gateway.log"
    create = ["gateway", "keys", "create", "--right", "retrieve", "--name"]
    with (
        serving(service_log, "services.text_classifier", "serve", port=text, **shared) as service,
        serving(gateway_log, "gateway", port=gateway, CHEX_HOST="127.0.0.1", **shared) as url,
    ):
        question = {"impressions": ["Mild edema."]}
        for authorization in (None, "Bearer x", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}"):
            headers = {} if authorization is None else {"Authorization": authorization}
            assert httpx.post(f"{service}/v1/classify", json=question, headers=headers).status_code == 401
            assert httpx.get(f"{service}/metrics", headers=headers).status_code == 401
        assert httpx.get(f"{service}/readyz").status_code == 200
        assert httpx.post(f"{url}/v1/classify", json=question).status_code == 200  # no key yet: this machine may

        name = "line\u2028break"
        assert ended(*create, name, **shared)[0] == 1
        made = subprocess.run(
            [sys.executable, "-m", *create, "a name\\n{}"],
            cwd=REPOSITORY,
            env=environment(**shared),
            stdout=subprocess.PIPE,
            check=True,
        )
        key = made.stdout.decode().strip()
        time.sleep(1)
        assert httpx.post(f"{url}/v1/classify", json=question).status_code == 401
        headers = {"Authorization": f"Bearer {key}", "X-Request-ID": "a\tb"}
        answered = httpx.post(f"{url}/v1/classify", json=question, headers=headers)
        assert answered.status_code == 200
        assert re.fullmatch(r"[0-9a-f]{32}", answered.headers["x-request-id"])
        lines = (
            "GET /v1/models HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {key}",
            "Authorization: Bearer x",
        )
        smuggled = "\r\n".join((*lines, "", ""))
        with socket.create_connection(("127.0.0.1", gateway)) as connection:
            connection.sendall(smuggled.encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
    logs = service_log.read_text() + gateway_log.read_text()
    assert all(line.startswith("{") for line in logs.splitlines())
    secret = key.rpartition("_")[2]
    assert not [word for word in (TOKEN, key, secret, "a\\tb") if word in logs]
