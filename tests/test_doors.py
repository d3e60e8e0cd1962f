"""The import contracts hold, and each of them bites: a forbidden import makes `make check` fail."""

import json
import re
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

MOST_IMPORTS_IN_A_CHAIN = 12
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
        ("shared/schemas/text.py", "import shared.web.app"),
        ("gateway/retrieve.py", "import services.image_index.ranking.rank"),
        ("gateway/retrieve.py", "import fastapi"),
        ("gateway/answers.py", "import gateway.routes.images"),
        ("gateway/parts.py", "import gateway.guard.lane"),
        ("gateway/upstream/services.py", "import starlette"),
        ("gateway/app.py", "import pandas"),
        ("services/inference/batching.py", "import services.image_index.encoding.encoder"),
        ("services/inference/session.py", "import safetensors"),
        ("services/workbench/half.py", "import services.text_classifier.network"),
        ("services/text_classifier/app.py", "import gateway.settings"),
        ("services/text_classifier/app.py", "import services.text_classifier.rules.labeler"),
        ("services/text_classifier/labelling/labeller.py", "import services.text_classifier.lanes"),
        ("services/text_classifier/labelling/labeller.py", "import services.text_classifier.rules.labeler"),
        ("services/text_classifier/labelling/labeller.py", "import pandas"),
        ("services/text_classifier/labelling/run.py", "import shared.web.app"),
        ("services/text_classifier/reading/classifier.py", "import services.text_classifier.labelling.run"),
        ("services/text_classifier/reading/classifier.py", "import shared.web.app"),
        ("services/text_classifier/reading/scorer.py", "import services.text_classifier.lanes"),
        ("services/text_classifier/reading/scorer.py", "import torch"),
        ("services/text_classifier/reading/sections.py", "import services.text_classifier.rules.context"),
        ("services/image_index/app.py", "import services.text_classifier.reading.classifier"),
        ("services/image_index/app.py", "import services.image_index.evaluation.labels"),
        ("services/image_index/app.py", "import services.workbench.half"),
        ("services/image_index/app.py", "import services.image_index.store.embedded.store"),
        ("services/image_index/index.py", "import services.image_index.store.embedded.store"),
        ("services/image_index/index.py", "import starlette"),
        ("services/image_index/ingest/run.py", "import services.image_index.index"),
        ("services/image_index/ranking/rank.py", "import fastapi"),
        ("services/image_index/ranking/rank.py", "import services.image_index.pictures.limits"),
        ("services/image_index/pictures/read.py", "import services.image_index.store.contract"),
        ("services/image_index/encoding/encoder.py", "import torch"),
        ("services/image_index/encoding/encoder.py", "import services.image_index.store.contract"),
        ("services/image_index/examples/phantoms/canvas.py", "import torch"),
        ("services/image_index/evaluation/labels.py", "import services.image_index.training.train"),
        ("services/image_index/evaluation/calibration/compare.py", "import sklearn"),
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


def test_a_room_without_a_place_in_the_contracts_is_caught(copy):
    for room in ("gateway/attic.py", "shared/attic.py", "services/attic.py", "services/image_index/attic.py"):
        (copy / room).write_text("")
        try:
            assert lint(copy).returncode != 0, room
        finally:
            (copy / room).unlink()


def test_no_import_goes_in_a_circle_and_no_chain_is_long(copy):
    program = (
        "import grimp, json\n"
        "graph = grimp.build_graph('gateway', 'services', 'shared')\n"
        "print(json.dumps({name: sorted(graph.find_modules_directly_imported_by(name)) for name in graph.modules}))"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=copy, capture_output=True, text=True, check=True).stdout
    imports = json.loads(said)
    order = list(TopologicalSorter(imports).static_order())  # raises CycleError
    chains: dict[str, list[str]] = {}
    for name in order:
        below = max((chains[imported] for imported in imports[name]), key=len, default=[])
        chains[name] = [name, *below]
    longest = max(chains.values(), key=len)
    assert len(longest) <= MOST_IMPORTS_IN_A_CHAIN, longest
