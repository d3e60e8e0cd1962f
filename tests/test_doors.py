"""The import contracts hold, and each of them bites: a forbidden import makes `make check` fail."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
LINT = Path(sys.executable).parent / "lint-imports"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    for package in ("gateway", "services", "shared"):
        shutil.copytree(REPOSITORY / package, root / package, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    return root


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)


def test_contracts_hold(copy):
    outcome = lint(copy)
    assert outcome.returncode == 0, outcome.stdout
    assert "0 broken" in outcome.stdout


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("shared/labels.py", "import gateway.settings"),
        ("gateway/retrieve.py", "import services.image_index.ranking"),
        ("services/image_index/app.py", "import services.text_classifier.classifier"),
        ("services/text_classifier/app.py", "import gateway.settings"),
        ("services/inference/batching.py", "import services.image_index.encoder"),
        ("services/image_index/ranking.py", "import fastapi"),
        ("services/text_classifier/classifier.py", "import shared.web.app"),
        ("services/image_index/encoder.py", "import torch"),
        ("gateway/app.py", "import pandas"),
    ],
)
def test_forbidden_import_is_caught(copy, module, forbidden):
    source = copy / module
    original = source.read_text()
    source.write_text(original + f"\n{forbidden}\n")
    try:
        outcome = lint(copy)
    finally:
        source.write_text(original)
    assert outcome.returncode != 0
    assert re.search(r"[1-9]\d* broken", outcome.stdout)
