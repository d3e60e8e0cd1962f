"""The service as a process of its own: started, killed, refused, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.labels import LABELS
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes
from tests.repository import REPOSITORY

READY_WITHIN_S = 120
pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    def __init__(self, model: Path, data_dir: Path) -> None:
        self.port = free_port()
        self.log = data_dir.with_suffix(".log")
        self.environment = {
            **os.environ,
            "CHEX_IMAGE_MODEL": str(model),
            "CHEX_DATA_DIR": str(data_dir),
            "CHEX_INDEX_PORT": str(self.port),
            "CHEX_DEVICE": "cpu",
        }

    def popen(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "services.image_index", "serve"]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log)

    @contextmanager
    def running(self) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
        with (
            self.popen() as process,
            httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as client,
        ):
            try:
                self._wait(client, process)
                yield client, process
            finally:
                process.kill()

    def _wait(self, client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            assert process.poll() is None, self.log.read_text()
            try:
                if client.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"not ready within {READY_WITHIN_S} s")


@pytest.fixture
def service(tiny_model: Path, tmp_path: Path) -> Service:
    return Service(tiny_model, tmp_path / "data")


def put_until_killed(client: httpx.Client, prefix: str, acknowledged: list[str]) -> None:
    number = 0
    while True:
        image_id = f"{prefix}.{number}"
        picture = png_bytes(picture_of(LABELS[number % 14], brightness=100 + number % 150), image_id)
        try:
            if client.put(f"/v1/images/{image_id}", content=picture).status_code == 201:
                acknowledged.append(image_id)
        except httpx.TransportError:
            return
        number += 1


def test_kill_9_while_images_are_put_loses_none_that_was_acknowledged(service: Service) -> None:
    acknowledged: list[str] = []
    for round_number in range(2):
        with service.running() as (client, process):
            workers = [
                threading.Thread(target=put_until_killed, args=(client, f"{round_number}.{worker}", acknowledged))
                for worker in range(4)
            ]
            for worker in workers:
                worker.start()
            while len(acknowledged) < 40 * (round_number + 1):
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            for worker in workers:
                worker.join()
    with service.running() as (client, _process):
        lost = [image_id for image_id in acknowledged if client.get(f"/v1/images/{image_id}").status_code != 200]
        assert lost == []
        assert client.get("/v1/index").json()["size"] >= len(acknowledged) >= 80


def labels_of(number: int, issued: str) -> dict[str, Any]:
    """States that tell which report it was."""
    states = {name: "present" if (number >> place) % 2 else "absent" for place, name in enumerate(LABELS)}
    probabilities = {name: 0.9 if state == "present" else 0.1 for name, state in states.items()}
    return {"states": states, "probabilities": probabilities, "text_model_sha256": "b" * 64, "issued": issued}


def put_with_reports_until_killed(client: httpx.Client, worker: str, acknowledged: dict[str, Any]) -> None:
    """Of each image, notes the report that was acknowledged last."""
    number = 0
    while True:
        number += 1
        image_id, study = f"{worker}.{number}", f"1.{worker}.{number}"
        picture = png_bytes(picture_of(LABELS[number % 14], brightness=100 + number % 150), image_id)
        own = labels_of(number, "2026-03-01T00:00:00Z")
        later = labels_of(number + 1, "2026-03-02T00:00:00Z")
        form = {
            "file": ("x.png", picture),
            "metadata": (None, json.dumps({"study_instance_uid": study})),
            "report": (None, json.dumps(own)),
        }
        try:
            assert client.put(f"/v1/images/{image_id}", files=form).status_code == 201
            acknowledged[image_id] = own["states"]
            assert client.put(f"/v1/studies/{study}/report", json=later).status_code == 201
            acknowledged[image_id] = later["states"]
        except httpx.TransportError:
            return


def test_kill_9_while_reports_and_images_are_put_loses_none_and_leaves_no_half_evidence(service: Service) -> None:
    acknowledged: dict[str, Any] = {}
    for round_number in range(2):
        with service.running() as (client, process):
            workers = [
                threading.Thread(
                    target=put_with_reports_until_killed, args=(client, f"{round_number + 1}.{worker}", acknowledged)
                )
                for worker in range(4)
            ]
            for worker in workers:
                worker.start()
            while len(acknowledged) < 30 * (round_number + 1):
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            for worker in workers:
                worker.join()
    with service.running() as (client, _process):
        found: dict[str, Any] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = client.get("/v1/images", params={"cursor": cursor} if cursor else {}).json()
            found |= {record["image_id"]: record["report"] for record in page["images"]}
            cursor = page["next_cursor"]

    assert set(acknowledged) <= set(found)
    for image_id, report in found.items():
        number = int(image_id.rpartition(".")[2])
        first, later = (labels_of(n, "")["states"] for n in (number, number + 1))
        assert report["states"] == (later if report["of"] == "study" else first)  # an image never came without its own
        assert acknowledged.get(image_id) in (None, first) or report["states"] == later
    assert len(acknowledged) >= 60


def test_one_process_owns_an_index_and_a_stop_is_clean(service: Service) -> None:
    with service.running() as (client, process):
        assert client.post("/v1/images", content=to_bytes(made_dicom())).status_code == 201
        other = subprocess.run(
            [sys.executable, "-m", "services.image_index", "ingest", "--images-root", "tests"],
            cwd=REPOSITORY,
            env=service.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert other.returncode == 1
        assert "open in another process" in other.stderr
        assert "Traceback" not in other.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(READY_WITHIN_S) in (0, -signal.SIGTERM)
    log = service.log.read_text()
    assert "Traceback" not in log
    for secret in ("Doe", "MRN-0042", "1.2.826"):
        assert secret not in log


def test_a_model_that_is_not_there_is_one_clear_sentence(service: Service, tmp_path: Path) -> None:
    service.environment["CHEX_IMAGE_MODEL"] = str(tmp_path / "no-model")
    with service.popen() as process:
        assert process.wait(READY_WITHIN_S) == 1
    assert "config.json is missing" in service.log.read_text()
    assert "Traceback" not in service.log.read_text()
