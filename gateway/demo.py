"""The whole system on one machine, from a gallery to an answer: what `make demo` and `make run` call."""

import csv
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Column, Table

from shared.labels import State
from shared.schemas.retrieve import RetrieveResponse
from shared.schemas.text import EXAMPLE_IMPRESSION

ROOT = Path(".demo")
PORTS = {"CHEX_GATEWAY_PORT": 8000, "CHEX_TEXT_PORT": 8001, "CHEX_INDEX_PORT": 8002}
PHANTOMS = 200
READY_WITHIN_S = 90
STOPPED_WITHIN_S = 20

console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)


def main(
    data: Annotated[str, typer.Option(help="Folder with images and one CSV; phantoms if left out.")] = "",
    impression: Annotated[str, typer.Option(help="The impression to send.")] = "",
    stay: Annotated[bool, typer.Option("--stay", help="Stay up after the answer, until Ctrl-C.")] = False,
) -> None:
    """Index a gallery, start the three processes, send one impression and print what comes back."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is stopped
    environment = demo_environment(data)
    refuse_taken_ports(environment)
    gallery = Path(data) if data else make_phantoms()
    index_gallery(gallery, environment)
    with running_system(environment, ROOT / "log.jsonl"):
        answer_file = ask(impression or EXAMPLE_IMPRESSION, environment)
        show(RetrieveResponse.model_validate_json(answer_file.read_bytes()), findings_of(gallery))
        console.print(f"The whole answer: {answer_file}    Logs: {ROOT / 'log.jsonl'}")
        if stay:
            url = f"http://127.0.0.1:{environment['CHEX_GATEWAY_PORT']}"
            console.print(f"Running at {url} (OpenAPI page: {url}/docs). Ctrl-C stops it.")
            wait_for_interrupt()


def demo_environment(data: str) -> dict[str, str]:
    """The processes' environment: what the caller set, else the default ports and a data folder for this gallery."""
    environment = {**os.environ}
    for variable, port in PORTS.items():
        environment.setdefault(variable, str(port))
    environment.setdefault("CHEX_TEXT_URL", f"http://127.0.0.1:{environment['CHEX_TEXT_PORT']}")
    environment.setdefault("CHEX_INDEX_URL", f"http://127.0.0.1:{environment['CHEX_INDEX_PORT']}")
    name = Path(data).resolve().name if data else "phantoms"
    environment.setdefault("CHEX_DATA_DIR", str(ROOT / "index" / name))
    # Procfile and subcommands say `python`: it must be the one that runs this.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    return environment


def refuse_taken_ports(environment: dict[str, str]) -> None:
    for variable in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(environment[variable]))) == 0:
                sys.exit(f"Port {environment[variable]} is in use. Stop what listens there, or set {variable}.")


def make_phantoms() -> Path:
    gallery = ROOT / "phantoms"
    if not (gallery / "complete").exists():
        run(f"python -m services.image_index phantoms --out {gallery} --count {PHANTOMS} --seed 1", {**os.environ})
        (gallery / "complete").touch()
    return gallery


def table_of(gallery: Path) -> Path:
    """The gallery's one CSV that describes its images (`labels.csv` where there are several)."""
    tables = sorted(gallery.glob("*.csv"))
    preferred = [table for table in tables if table.name == "labels.csv"] or tables
    if len(preferred) != 1:
        sys.exit(f"{gallery} must hold labels.csv, or exactly one CSV. It holds {len(tables)}.")
    return preferred[0]


def index_gallery(gallery: Path, environment: dict[str, str]) -> None:
    command = f"python -m services.image_index ingest --csv {shlex.quote(str(table_of(gallery)))}"
    run(f"{command} --images-root {shlex.quote(str(gallery))}", environment)


def run(command: str, environment: dict[str, str]) -> None:
    console.print(f"[dim]$ {command}[/dim]")
    arguments = [sys.executable, *shlex.split(command)[1:]]
    finished = subprocess.run(arguments, env=environment, check=False)  # noqa: S603 - commands are written above
    if finished.returncode:
        sys.exit(finished.returncode)


@contextmanager
def running_system(environment: dict[str, str], log: Path) -> Iterator[None]:
    """The three processes of the Procfile, ready; stopped on the way out, whatever happens."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "honcho", "--no-colour", "start", "--no-prefix"]
    with log.open("wb") as stream:
        system = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        wait_until_ready(system, environment, log)
        yield
    finally:
        system.send_signal(signal.SIGTERM)
        try:
            system.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(system.pid, signal.SIGKILL)


def wait_until_ready(system: subprocess.Popen[bytes], environment: dict[str, str], log: Path) -> None:
    url = f"http://127.0.0.1:{environment['CHEX_GATEWAY_PORT']}/readyz"
    with console.status("Starting the gateway and the two services"):
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if system.poll() is not None:
                sys.exit(f"A process stopped while starting. Its last words, from {log}:\n{tail(log)}")
            try:
                if httpx.get(url, timeout=2).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    sys.exit(f"Not ready within {READY_WITHIN_S} s. The last words, from {log}:\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def ask(impression: str, environment: dict[str, str]) -> Path:
    """Send the impression as a developer would, with curl; returns the file with the JSON answer."""
    answer = ROOT / "answer.json"
    body = json.dumps({"impression": impression, "k": 5})
    url = f"http://127.0.0.1:{environment['CHEX_GATEWAY_PORT']}/v1/retrieve"
    command = ["curl", "--fail-with-body", "-sS", url, "-H", "Content-Type: application/json", "-d", body]
    console.print(f"$ {shlex.join(command)}", soft_wrap=True)
    finished = subprocess.run([*command, "-o", str(answer)], check=False)  # noqa: S603
    if finished.returncode:
        sys.exit(f"The gateway refused: {answer.read_text() if answer.exists() else 'no answer'}")
    return answer


def findings_of(gallery: Path) -> dict[str, str]:
    """What the gallery's own table says of each image, by the last part of its image ID, for the printed table only."""
    with table_of(gallery).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    findings: dict[str, str] = {}
    for row in rows:
        path = Path(row.get("Path") or row.get("image") or row.get("Image Index") or "")
        said = row.get("findings") or row.get("Finding Labels")
        if said is None:
            said = "|".join(name for name, value in row.items() if value in {"1", "1.0"})
        findings[":".join(path.with_suffix("").parts)] = said.replace("|", ", ")
    return findings


def show(answer: RetrieveResponse, findings: dict[str, str]) -> None:
    result = answer.results[0]
    labels = Table("label", "state", "probability", title="What the impression says")
    for name, label in result.labels.items():
        if label.state is not State.NOT_MENTIONED:
            labels.add_row(name, label.state, f"{label.probability:.3f}")
    console.print(labels)
    hits = Table(
        "rank",
        Column("image", no_wrap=True),
        "score",
        "matched",
        "missed",
        "extra",
        "the gallery's own table",
        title="Most similar",
    )
    for hit in result.hits:
        lists = (", ".join(names) for names in (hit.matched, hit.missed, hit.extra))
        hits.add_row(str(hit.rank), hit.image_id, f"{hit.score:.4f}", *lists, findings.get(hit.image_id, ""))
    console.print(hits)
    if result.reason:
        console.print(result.reason)
    console.print(f"{answer.timings_ms['total']:.0f} ms in the gateway, over {answer.index.size} images.")


def wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("Stopping.")


if __name__ == "__main__":
    typer.run(main)
