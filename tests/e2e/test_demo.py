import json
import os
import pty
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.demo.environment import name_of
from gateway.demo.system import MODULES
from services.image_index.examples.phantoms.gallery import write_gallery
from tests.repository import REPOSITORY

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def apart(tmp_path_factory, system):
    """Ports and settings of its own, in a working directory with a gallery of 12 phantoms."""
    folder = tmp_path_factory.mktemp("demo")
    write_gallery(folder / "gallery", count=12, seed=3, size=256)
    return type(system)(folder)


def environment_of(apart) -> dict[str, str]:
    """Nothing of the caller's but the ports; a PATH without curl or anything else."""
    set_here = {name: value for name, value in apart.environment.items() if not name.startswith("CHEX_")}
    ports = {name: value for name, value in apart.environment.items() if name.endswith("_PORT")}
    return set_here | ports | {"PATH": "/nowhere", "COLUMNS": "80"}


def demo(apart, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.demo", *arguments],
        cwd=apart.folder,
        env=environment_of(apart) | {"PYTHONPATH": f"{REPOSITORY}:{apart.environment['PYTHONPATH']}"} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listening(apart) -> list[int]:
    found = []
    for port in apart.ports.values():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


def wait_until(fact, within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def staying(apart) -> Iterator[subprocess.Popen[str]]:
    """`make run`, up."""
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.demo", "--stay", "--data", "gallery"],
        cwd=apart.folder,
        env=environment_of(apart) | {"PYTHONPATH": f"{REPOSITORY}:{apart.environment['PYTHONPATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            for line in process.stdout:
                if line.startswith("Running at"):
                    break
            assert process.poll() is None
            yield process
        finally:
            process.kill()


def process_of(part: str, demo_pid: int) -> int:
    """The process that runs a part, among the children of a demo."""
    for child in Path(f"/proc/{demo_pid}/task/{demo_pid}/children").read_text().split():
        if MODULES[part][0] in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
            return int(child)
    raise AssertionError(part)


def test_demo_indexes_a_folder_answers_says_how_many_there_were_and_leaves_nothing_running(apart):
    finished = demo(apart, "--data", "gallery", "--impression", "Large right pleural effusion.")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "The index holds 12" in finished.stdout
    table = (apart.folder / "gallery" / "labels.csv").read_text().splitlines()
    column = table[0].split(",").index("Pleural Effusion")
    to_find = sum(line.split(",")[column] == "1.0" for line in table[1:])
    assert f"{to_find} of the 12 images show Pleural Effusion by the gallery's own table; " in finished.stdout
    answer = json.loads((apart.folder / ".demo" / "answer.json").read_bytes())
    assert len(answer["results"][0]["hits"]) == 5
    assert "12 labelled" in finished.stdout + finished.stderr
    labels = (apart.folder / ".demo" / f"{name_of(apart.folder / 'gallery')}.labels.csv").read_text()
    assert "impression" not in labels.splitlines()[0].split(",")
    assert listening(apart) == []


def test_an_impression_and_a_folder_are_taken_from_the_environment_as_they_are(apart):
    odd = apart.folder / 'it\'s "odd" $(touch ran)'
    shutil.copytree(apart.folder / "gallery", odd)
    (odd / "labels.csv").unlink()
    impression = 'It\'s a $(touch ran) `touch ran` "large" effusion; [red] & more.'
    finished = demo(apart, DEMO_DATA=str(odd), DEMO_IMPRESSION=impression)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (command,) = [line for line in finished.stdout.splitlines() if line.startswith("$ curl ")]
    assert json.loads(shlex.split(command)[-1]) == {"impression": impression, "k": 5}
    assert "own table" not in finished.stdout  # there is none
    assert not list(apart.folder.rglob("ran"))


def test_a_part_that_dies_while_it_runs_is_named_with_its_last_words_and_ends_the_rest(apart):
    with staying(apart) as process:
        second = demo(apart, "--data", "gallery")
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith("Another demo is running in this folder.")

        os.kill(process_of("image-index", process.pid), signal.SIGKILL)
        _said, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith("The image-index was ended by SIGKILL. Its last words, from .demo/logs/image-index.jsonl:")
    assert '"event": "request"' in errors
    wait_until(lambda: listening(apart) == [])


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)]
)
def test_nothing_outlives_the_demo_however_it_ends(apart, sign, status):
    with staying(apart) as process:
        parts = [process_of(part, process.pid) for part in MODULES]
        process.send_signal(sign)
        _said, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (status, "")
    wait_until(lambda: not any(Path(f"/proc/{part}").exists() for part in parts))


def test_a_closed_terminal_ends_the_demo_though_nobody_tells_it(apart):
    """`make`, as the terminal's only program, keeps the hangup to itself."""
    terminal, inside = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.demo", "--stay", "--data", "gallery"],
        cwd=apart.folder,
        env=environment_of(apart) | {"PYTHONPATH": f"{REPOSITORY}:{apart.environment['PYTHONPATH']}"},
        stdout=inside,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            os.close(inside)
            shown = b""
            while b"Running at" not in shown:
                shown += os.read(terminal, 65536)
            os.close(terminal)
            process.wait(30)
        finally:
            process.kill()
    wait_until(lambda: listening(apart) == [])


def test_a_part_that_cannot_start_is_named_with_what_it_says(apart):
    finished = demo(apart, "--data", "gallery", CHEX_MAX_AT_WORK="0")
    assert finished.returncode == 1
    assert "The gateway ended with status 1." in finished.stderr
    assert "CHEX_MAX_AT_WORK" in finished.stderr
    assert listening(apart) == []


def test_a_text_model_that_is_not_there_ends_the_demo_before_any_part_starts(apart):
    finished = demo(apart, "--data", "gallery", CHEX_TEXT_MODEL="/nowhere")
    assert finished.returncode == 1
    assert "/nowhere/config.json is missing" in finished.stderr
    assert listening(apart) == []


def test_demo_says_which_port_is_taken(apart, system):
    finished = demo(apart, "--data", "gallery", CHEX_GATEWAY_PORT=str(system.ports["gateway"]))
    assert finished.returncode == 1
    assert f"Port {system.ports['gateway']} is in use" in finished.stderr
    assert "CHEX_GATEWAY_PORT" in finished.stderr


@pytest.mark.parametrize(
    ("data", "variables", "says"),
    [
        ("nowhere", {}, "nowhere is no folder"),
        ("two", {}, "two holds 2 CSV files, none named labels.csv"),
        ("gallery", {"CHEX_GATEWAY_PORT": "abc"}, "demo: CHEX_GATEWAY_PORT must be a whole number from 1 to 65535."),
        ("gallery", {"CHEX_DEVICE": "gpu"}, "image-index: CHEX_DEVICE must be auto, cpu or cuda."),
        ("gallery", {"CHEX_DATA_DIR": "/dev/null"}, "The data folder /dev/null cannot be written to"),
    ],
)
def test_demo_says_in_one_sentence_what_is_wrong(apart, data, variables, says):
    (apart.folder / "two").mkdir(exist_ok=True)
    for name in ("a.csv", "b.csv"):
        (apart.folder / "two" / name).touch()
    finished = demo(apart, "--data", data, **variables)
    assert finished.returncode == 1
    assert says in finished.stderr
    assert "Traceback" not in finished.stderr


def test_two_galleries_of_one_name_have_an_index_each(tmp_path):
    names = [name_of(tmp_path / parent / "images") for parent in ("a", "b")]
    assert names[0] != names[1]
    assert all(name.startswith("images-") for name in names)
    assert name_of(tmp_path / "a" / ".." / "a" / "images") == names[0]


def test_the_procfile_starts_what_the_demo_starts():
    lines = (REPOSITORY / "Procfile").read_text().splitlines()
    assert {line.split(": ")[1] for line in lines} == {" ".join(["python -m", *module]) for module in MODULES.values()}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["demo", "run"])
def test_make_hands_on_any_text_unread(tmp_path, target):
    """A stand-in for the environment's Python prints what it is given."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nprintenv DEMO_DATA DEMO_IMPRESSION\n")
    python.chmod(0o755)
    (tmp_path / ".installed").touch()
    os.utime(tmp_path / ".installed", (2**32, 2**32))
    odd = 'it\'s $(touch ran) `touch ran` $(shell touch ran) ${HOME} $5 "q" \\ # ; & é'
    made = subprocess.run(
        ["make", "--silent", "-C", REPOSITORY, target, f"VENV={tmp_path}", f"DATA={odd} folder", f"IMPRESSION={odd}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.splitlines()[-2:] == [f"{odd} folder", odd]
    assert not (REPOSITORY / "ran").exists()
