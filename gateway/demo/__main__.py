"""`python -m gateway.demo`: index a gallery, start the three processes, send one impression, print what comes back."""

import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import httpx
import typer
from filelock import FileLock, Timeout

from gateway.demo.environment import ROOT, DemoSettings, environment_for, name_of, refuse_taken_ports
from gateway.demo.gallery import IMPRESSION, PHANTOMS, SEED, SIDE, phantoms, reported_of, stated_in, table_of
from gateway.demo.show import console, show
from gateway.demo.system import LOOK_EVERY_S, System, tethered
from shared.commands import run
from shared.environment import read_environment
from shared.schemas.retrieve import RetrieveResponse
from shared.schemas.text import EXAMPLE_IMPRESSION

LOGS = ROOT / "logs"
STDOUT = 1
ANSWER = ROOT / "answer.json"
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def main(
    data: Annotated[
        str, typer.Option(envvar="DEMO_DATA", help="Folder with images and, at best, a CSV; phantoms if left out.")
    ] = "",
    impression: Annotated[str, typer.Option(envvar="DEMO_IMPRESSION", help="The impression to send.")] = "",
    stay: Annotated[bool, typer.Option("--stay", help="Stay up after the answer, until Ctrl-C.")] = False,
) -> None:
    """Index a gallery, start the three processes, send one impression and print what comes back."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))  # so that what was started is stopped
    settings = read_environment(DemoSettings, "demo")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a folder's name may hold bytes that are no text
    if any("\ud800" <= character <= "\udfff" for character in impression):
        sys.exit("The impression is not in UTF-8, which is needed.")
    if data and not Path(data).is_dir():
        sys.exit(f"{data} is no folder: DATA takes one that holds images.")
    ROOT.mkdir(exist_ok=True)
    try:
        with FileLock(ROOT / "demo.lock", timeout=0):
            demonstrate(settings, Path(data) if data else None, impression or EXAMPLE_IMPRESSION, stay=stay)
    except Timeout:
        sys.exit("Another demo is running in this folder. Stop it first (Ctrl-C there), or send requests to that one.")


def demonstrate(settings: DemoSettings, data: Path | None, impression: str, *, stay: bool) -> None:
    refuse_taken_ports(settings)
    gallery = data or phantoms()
    environment = environment_for(settings, gallery)
    if data is None:
        draw(gallery, environment)
    table = table_of(gallery)
    fill_index(gallery, table, environment)
    if table is not None:
        read_reports(gallery, table, environment)
    with System(environment, LOGS) as system:
        with console.status("Starting the gateway and the two services"):
            system.wait_until_ready(settings.url)
        answer = ask(impression, settings.url)
        show(answer, stated_in(table) if table else {})
        console.print(f"The whole answer: {ANSWER}    Logs: {LOGS}")
        if stay:
            stay_up(system, settings.url)


def stay_up(system: System, url: str) -> None:
    """Until Ctrl-C, or until one of the three ends, or the terminal is closed: not every shell tells."""
    on_terminal = os.isatty(STDOUT)
    try:
        console.print(f"Running at {url} (OpenAPI page: {url}/docs). Ctrl-C stops it.", soft_wrap=True)
        while os.isatty(STDOUT) == on_terminal:
            system.end_with_any()
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        console.print("Stopping.")
    else:
        sys.exit(128 + signal.SIGHUP)


def draw(gallery: Path, environment: Mapping[str, str]) -> None:
    complete = gallery / "complete"
    if not complete.exists():
        how = ["--count", str(PHANTOMS), "--size", str(SIDE), "--seed", str(SEED)]
        call(["services.image_index", "phantoms", "--out", str(gallery), *how], environment)
        complete.touch()


def fill_index(gallery: Path, table: Path | None, environment: Mapping[str, str]) -> None:
    described_by = ["--csv", str(table)] if table else []
    try:
        # The gallery's links are its owner's, who is the one that asks.
        call(
            ["services.image_index", "ingest", "--images-root", str(gallery), *described_by, "--follow-links"],
            environment,
        )
    except SystemExit:
        index = Path(environment["CHEX_DATA_DIR"])
        if index.is_relative_to(ROOT):
            console.print(f"({index} is this demo's own: where it no longer fits, delete it, and it is made again.)")
        raise


def read_reports(gallery: Path, table: Path, environment: Mapping[str, str]) -> None:
    """What the table's impressions say becomes evidence of its pictures."""
    pictures = reported_of(table)
    if pictures is None:
        return
    labels = str(ROOT / f"{name_of(gallery)}.labels.csv")
    text = ["--csv", str(table), "--text-column", IMPRESSION]
    call(["services.text_classifier", "label", *text, "--out", labels, "--overwrite"], environment)
    call(["services.image_index", "import-report-labels", labels, "--image-column", pictures], environment)


def call(module: list[str], environment: Mapping[str, str]) -> None:
    """Runs one command of ours to its end; ends this process where it fails."""
    console.print(f"$ {shlex.join(['python', '-m', *module])}", style="dim", soft_wrap=True)
    with subprocess.Popen(tethered(module), env=environment, stdin=subprocess.PIPE) as process:  # noqa: S603
        status = process.wait()
    if status:
        sys.exit(status if status > 0 else 128 - status)


def ask(impression: str, url: str) -> RetrieveResponse:
    """Sends the impression, as the printed curl command does; the answer is kept in ANSWER."""
    body = json.dumps({"impression": impression, "k": 5}, ensure_ascii=False)
    command = ["curl", f"{url}/v1/retrieve", "-H", "Content-Type: application/json", "-d", body]
    console.print(f"$ {shlex.join(command)}", soft_wrap=True)
    with httpx.Client(timeout=60, trust_env=False) as client:
        response = client.post(
            f"{url}/v1/retrieve", content=body.encode(), headers={"Content-Type": "application/json"}
        )
    ANSWER.write_bytes(response.content)
    if not response.is_success:
        sys.exit(f"The gateway refused: {response.text}")
    return RetrieveResponse.model_validate_json(response.content)


if __name__ == "__main__":
    run(lambda: typer.run(main), "demo")
