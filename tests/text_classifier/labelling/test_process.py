"""The command as a process of its own, with the bundled model: killed, interrupted, and run as the README says."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.labels import LABELS
from tests.repository import REPOSITORY
from tests.text_classifier.labelling.tables import read, write

pytestmark = pytest.mark.slow

ROWS = 2400  # ten blocks
FINDINGS = ("edema", "effusion", "pneumothorax", "cardiomegaly", "consolidation", "nodule", "atelectasis")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CHEX_DEVICE": "cpu"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    texts = (f"{('No', 'Small', 'Possible')[n % 3]} {FINDINGS[n % 7]}. {'Stable. ' * (n % 5)}" for n in range(ROWS))
    return write(tmp_path / "reports.csv", ["id", "report"], [[str(n), text] for n, text in enumerate(texts)])


def command(source: Path, out: Path) -> list[str]:
    options = ["--csv", str(source), "--text-column", "report", "--out", str(out)]
    return [sys.executable, "-m", "services.text_classifier", "label", *options]


def start(source: Path, out: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(source, out), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_a_block(out: Path, process: "subprocess.Popen[str]") -> None:
    """Until the process has noted one more in its journal, or has ended."""
    journal = out.with_name(f"{out.name}.partial.jsonl")

    def noted() -> int:
        return journal.read_bytes().count(b"\n") if journal.exists() else 2  # which run it is, and the header

    before = noted()
    deadline = time.monotonic() + 120
    while noted() <= before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def test_a_run_that_is_killed_again_and_again_ends_with_the_bytes_of_an_undisturbed_one(source, tmp_path):
    out, whole = tmp_path / "labels.csv", tmp_path / "whole.csv"
    killed = 0
    for _ in range(3):
        with start(source, out) as process:
            wait_for_a_block(out, process)
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        assert not out.exists()
    assert killed == 3
    went_on = subprocess.run(command(source, out), env=ENVIRONMENT, capture_output=True, text=True, check=True)
    subprocess.run(command(source, whole), env=ENVIRONMENT, capture_output=True, check=True)

    already = int(re.search(r"(\d+) were there already", went_on.stdout)[1])
    assert 3 * 256 <= already < ROWS
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["labels.csv", "reports.csv", "whole.csv"]


def test_ctrl_c_ends_a_run_with_130_and_the_next_one_goes_on(source, tmp_path):
    out = tmp_path / "labels.csv"
    with start(source, out) as process:
        wait_for_a_block(out, process)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    assert "Stopped. What was labelled stays; the same command goes on from there." in said
    went_on = subprocess.run(command(source, out), env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert " 0 were there already" not in went_on.stdout
    assert len(read(out)) == ROWS


def test_the_readmes_example_does_what_it_says(tmp_path):
    readme = (REPOSITORY / "services/text_classifier/README.md").read_text()
    section = re.search(r"^## A table of reports becomes one of labels$(.*?)^## ", readme, re.MULTILINE | re.DOTALL)[1]
    example = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-euc", example], cwd=tmp_path, env={**ENVIRONMENT, "PATH": path}, capture_output=True, check=True
    )
    first, second = read(tmp_path / "labels.csv")
    assert (first["study"], first["Cardiomegaly"], first["Pneumothorax"]) == ("s1", "1", "0")
    assert (second["study"], second["Pneumonia"]) == ("s2", "-1")
    assert {f"prob_{label}" for label in LABELS} < set(first)
