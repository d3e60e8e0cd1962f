"""What each extra of pyproject.toml installs is what its process needs: no less, and nothing of another's."""

import ast
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.image_index.evaluation.calibration.reported_gallery import write_index
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

OURS = "chexretriever"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
OWN_PACKAGES = {"gateway", "services", "shared"}
NOT_SERVING = {"training", "evaluation", "examples", "rules", "networks"}

ROOMS = {"text": "services.text_classifier", "index": "services.image_index"}
OPENERS = {"text": "reading.classifier:TextClassifier.open", "index": "parts:open_model"}

HIDES = """
import sys
from importlib.machinery import PathFinder

class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else super().find_spec(name, path, target)

sys.meta_path[:] = [Installed if finder is PathFinder else finder for finder in sys.meta_path]
"""
OPENS = """
from pathlib import Path
from pkgutil import resolve_name
import {room}.__main__, {room}.app, shared.web.serve
print(resolve_name("{room}.{opener}")(Path({folder!r}), device="cpu").info.engine)
"""


def asked_for(*extras: str) -> set[str]:
    """The distributions that the project itself names, in its dependencies and the extras; those include each other."""
    lines = [Requirement(line) for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    included = [extra for line in lines if line.name == OURS for extra in line.extras]
    named = {canonicalize_name(line.name) for line in lines if line.name != OURS}
    always = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    return always | named | (asked_for(*included) if included else set())


def installed_with(*extras: str) -> set[str]:
    """All distributions that pip installs for the extras, as far as they are installed here."""
    found: set[str] = set()
    waiting = [(name, "") for name in asked_for(*extras)]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        for line in map(Requirement, requires):
            if line.marker is None or line.marker.evaluate({"extra": extra}):
                wanted = {(canonicalize_name(line.name), part) for part in ("", *line.extras)}
                waiting += wanted - seen
                seen |= wanted
    return found


@cache
def distributions() -> dict[str, set[str]]:
    """By top-level module."""
    return {
        module: {canonicalize_name(name) for name in names}
        for module, names in metadata.packages_distributions().items()
    }


def imported_in(place: str, apart_from: set[str]) -> set[str]:
    """The distributions that the code in this folder imports, wherever in a file, but for folders of these names."""
    modules: set[str] = set()
    for file in (REPOSITORY / place).rglob("*.py"):
        if not apart_from.isdisjoint(file.relative_to(REPOSITORY).parts):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add((node.module or "").partition(".")[0])
    others = modules - OWN_PACKAGES - sys.stdlib_module_names
    return {min(distributions().get(module, {module})) for module in others}


@pytest.mark.parametrize(
    ("place", "apart_from", "extras"),
    [
        ("shared", set(), ["traces"]),
        ("gateway", set(), ["gateway"]),
        ("services/text_classifier", NOT_SERVING, ["text", "cuda"]),
        ("services/text_classifier", set(), ["train"]),
        ("services/image_index", NOT_SERVING, ["index", "ocr", "ray"]),
        ("services/image_index", set(), ["train", "ocr", "timm", "xrv", "ray"]),
        ("services/inference", set(), ["train"]),
    ],
)
def test_what_the_code_imports_is_named_and_not_had_by_chance(place, apart_from, extras):
    assert imported_in(place, apart_from) - asked_for(*extras) == set()


@pytest.mark.parametrize(
    ("extra", "strangers"),
    [
        ("gateway", {"numpy", "onnxruntime", "pillow", "pydicom", "pylibjpeg", "python-gdcm", "tokenizers", "torch"}),
        ("text", {"httpcore", "pillow", "pydicom", "pylibjpeg", "python-gdcm", "python-multipart", "torch"}),
        ("index", {"opencv-python-headless", "rapidocr", "tokenizers", "torch"}),
        ("serve", {"onnx", "opencv-python-headless", "pandas", "scikit-learn", "torch", "transformers"}),
    ],
)
def test_an_extra_brings_nothing_that_its_process_has_no_use_for(extra, strangers):
    assert installed_with(extra) & strangers == set()


def test_serving_all_three_takes_what_each_of_them_takes():
    assert asked_for("serve") == asked_for("gateway") | asked_for("text") | asked_for("index")


@pytest.mark.parametrize(
    ("extra", "found_by_libraries"),
    [
        ("gateway", {"sniffio", "uvloop"}),
        ("text", {"uvloop"}),
        ("index", {"pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "python-gdcm", "python-multipart", "uvloop"}),
    ],
)
def test_what_libraries_look_for_at_run_time_is_asked_for(extra, found_by_libraries):
    assert found_by_libraries <= asked_for(extra)


def run_with(extras: list[str], program: str) -> str:
    """What the program prints where nothing but the extras is installed."""
    there = installed_with(*extras)
    hidden = {module for module, names in distributions().items() if not names & there} - OWN_PACKAGES
    done = subprocess.run(
        [sys.executable, "-c", f"HIDDEN = {hidden!r}\n{HIDES}\n{program}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_gateway_and_demo_load_with_the_gateways_extra_alone():
    run_with(["gateway"], "import gateway.__main__, gateway.demo.__main__")


@pytest.mark.parametrize("extra", ROOMS)
def test_service_loads_and_opens_its_model_with_its_extra_alone(extra):
    program = OPENS.format(room=ROOMS[extra], opener=OPENERS[extra], folder=str(weights(extra)))
    assert run_with([extra], program) == "onnxruntime"


@pytest.mark.parametrize("extra", ROOMS)
def test_with_the_extra_for_cuda_the_model_opens_in_torch(extra, tmp_path):
    folder = shutil.copytree(weights(extra), tmp_path / "model", ignore=shutil.ignore_patterns("*.onnx"))
    program = OPENS.format(room=ROOMS[extra], opener=OPENERS[extra], folder=str(folder))
    assert run_with([extra, "cuda"], program) == "torch"


def test_a_site_learns_from_its_reports_with_the_indexs_extra_alone(tmp_path):
    write_index(tmp_path, images=250)
    program = f"""
import runpy, sys
sys.argv = ["evaluation", "calibrate", "--dry-run", "--data-dir", {str(tmp_path)!r}]
runpy.run_module("services.image_index.evaluation", run_name="__main__")
"""
    assert run_with(["index"], program).endswith("Nothing was written.")


def test_what_judging_needs_beyond_serving_is_named():
    with pytest.raises(AssertionError, match=r"this needs \w+, which serving does not"):
        run_with(["index"], "import services.image_index.evaluation.__main__")


POLICY = """
from services.image_index.parts import open_text_check
from services.image_index.pictures.burned_in.reader import ReaderMissing
from services.image_index.settings import ImageIndexSettings
try:
    print(open_text_check(ImageIndexSettings(burned_in={asked!r})).policy)
except ReaderMissing as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("extras", "asked", "in_force"),
    [
        (["index"], None, "allow"),
        (["index"], "allow", "allow"),
        (["index", "ocr"], None, "refuse"),
        (["index", "ocr"], "mask", "mask"),
        (["index", "ocr"], "allow", "allow"),
    ],
)
def test_burned_in_text_is_refused_where_the_extra_that_reads_it_is_installed(extras, asked, in_force, monkeypatch):
    monkeypatch.delenv("CHEX_BURNED_IN", raising=False)
    if "ocr" in extras:
        pytest.importorskip("rapidocr", reason="the extra ocr, which reads text in pictures, is not installed")
    assert run_with(extras, POLICY.format(asked=asked)) == in_force


@pytest.mark.parametrize("asked", ["refuse", "mask"])
def test_a_policy_that_cannot_be_kept_without_the_extra_is_refused_with_its_name(asked):
    said = run_with(["index"], POLICY.format(asked=asked))
    assert f"CHEX_BURNED_IN={asked}" in said
    assert "pip install '.[ocr]'" in said


def weights(extra: str) -> Path:
    return REPOSITORY / ROOMS[extra].replace(".", "/") / "weights"
