"""What the READMEs tell a reader to type works as it is written, and the answer has the form that they show."""

import json
import re
import shutil
import subprocess
from io import BytesIO
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes
from tests.repository import REPOSITORY

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(None in {shutil.which("bash"), shutil.which("curl")}, reason="bash or curl is not installed"),
]

ANYTHING = "…"
PORT_IN_READMES = "http://127.0.0.1:8000"
CURL = """set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body --write-out '%{stderr}%{http_code} ' "$@"; }
"""


def blocks_of(readme: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def curl_lines_of(readme: Path) -> list[str]:
    """A line that ends with a backslash goes on in the next."""
    lines = chain.from_iterable(re.split(r"(?<!\\)\n", block) for block in blocks_of(readme, "console"))
    return [line for line in lines if line.startswith("curl ")]


READMES = [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("services/**/README.md"))]
COMMANDS = [command for readme in READMES for command in curl_lines_of(readme)]
TRACED = next(command for command in COMMANDS if "/v1/retrieve" in command)
(TRACED_ANSWER,) = map(json.loads, blocks_of(READMES[0], "json"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, phantom_pngs) -> Path:
    """A working directory with the files that the READMEs name: two radiographs, one of them DICOM with its header."""
    folder = tmp_path_factory.mktemp("reader")
    picture, other = phantom_pngs["Cardiomegaly"]
    (folder / "chest.png").write_bytes(picture)
    pixels = np.asarray(Image.open(BytesIO(other)))
    (folder / "image.dcm").write_bytes(to_bytes(made_dicom(pixels, bits=8)))
    return folder


@pytest.fixture(scope="module")
def typed(system, folder):
    """Types a line; afterwards the index is as it was."""
    indexed: set[str] = set()

    def type_in(command: str) -> subprocess.CompletedProcess[bytes]:
        script = CURL + command.replace(PORT_IN_READMES, system.url)
        done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, timeout=60, check=False)
        indexed.update(re.findall(rb'^\{"image_id":"([^"]+)"', done.stdout))
        return done

    yield type_in
    for image_id in indexed:
        url = f"{system.url}/v1/images/{image_id.decode()}"
        subprocess.run(["curl", "--silent", "--fail", "-X", "DELETE", url], check=True)


@pytest.fixture(scope="module")
def outcomes(typed):
    """Of all lines, in the order in which a reader comes to them; the one traced is asked again, of a filled index."""
    return {command: typed(command) for command in [*COMMANDS, TRACED]}


@pytest.mark.parametrize("command", COMMANDS)
def test_curl_line_works_as_written(outcomes, command):
    outcome = outcomes[command]
    statuses = outcome.stderr.decode().split()
    assert outcome.returncode == 0, (outcome.stdout, outcome.stderr)
    assert statuses, "no request was made"
    assert all(re.fullmatch(r"2\d\d", status) for status in statuses), outcome.stderr


def test_the_answer_has_every_key_of_the_one_that_is_shown(outcomes):
    assert missing(TRACED_ANSWER, json.loads(outcomes[TRACED].stdout)) == []


def missing(shown: object, real: object, path: str = "") -> list[str]:
    """The paths that are shown and not real. An entry of a list is real if any entry of the real list has its form."""
    if isinstance(shown, dict):
        if not isinstance(real, dict):
            return [path]
        keys = [key for key in shown if key != ANYTHING]
        absent = [f"{path}.{key}" for key in keys if key not in real]
        return absent + [gap for key in keys if key in real for gap in missing(shown[key], real[key], f"{path}.{key}")]
    if isinstance(shown, list):
        if not isinstance(real, list):
            return [path]
        forms = [entry for entry in shown if isinstance(entry, dict | list)]
        return [
            gap for form in forms for gap in min((missing(form, r, f"{path}[]") for r in real), key=len, default=[path])
        ]
    return []
