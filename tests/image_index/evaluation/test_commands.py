"""The training commands as a person types them."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.image_index.evaluation.__main__ import cli as evaluation
from services.image_index.examples.phantoms import write_gallery
from services.image_index.training.__main__ import cli as training

pytestmark = pytest.mark.slow

run = CliRunner(env={"COLUMNS": "200"}).invoke


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gallery(tmp_path_factory.mktemp("gallery"), 24, seed=4, size=128)


def test_labels_are_judged_in_figures_and_in_pictures(gallery: Path, tmp_path: Path) -> None:
    plots, report = tmp_path / "plots", tmp_path / "report.json"
    done = run(evaluation, ["evaluate-labels", "--csv", str(gallery), "--json", str(report), "--plots", str(plots)])
    assert done.exit_code == 0, done.output
    content = json.loads(report.read_text(encoding="utf-8"))
    with gallery.open(encoding="utf-8") as stream:
        devices = sum(line["Support Devices"] == "1.0" for line in csv.DictReader(stream))
    assert content["labels"]["Support Devices"]["positives"] == devices
    assert 0.0 <= content["macro"]["auroc"] <= 1.0
    assert sorted(file.name for file in plots.iterdir()) == ["precision_recall.png", "reliability.png", "roc.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in plots.iterdir())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["evaluate-labels", "--csv", "{gallery}", "--uncertain", "maybe"], "ignore, zeros, ones"),
        (["evaluate-labels", "--csv", "{gallery}", "--images-root", "elsewhere"], "24 pictures cannot be read"),
        (["train", "--out", "{out}", "--phantoms", "0"], "nothing to learn from"),
        (["pointing-game", "--boxes", "nowhere"], "No such file"),
    ],
)
def test_a_wrong_option_is_answered_in_words(options: list[str], reason: str, gallery: Path, tmp_path: Path) -> None:
    filled = [option.format(gallery=gallery, out=tmp_path) for option in options]
    done = run(training if options[0] == "train" else evaluation, filled)
    assert done.exit_code == 1
    assert reason in " ".join(done.output.replace("│", " ").split())


def test_readers_judge_by_what_they_saw_alone(gallery: Path, tmp_path: Path) -> None:
    """They are asked about 6 pictures, and say of devices the opposite of the table."""
    with gallery.open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    shown = [line for line in lines if line["Support Devices"] == "1.0"][:2]
    hidden = [line for line in lines if line["Support Devices"] != "1.0"][:4]
    readers, report = tmp_path / "readers.csv", tmp_path / "report.json"
    said = [f"{line['Path']},{int(line in hidden)}\n" for line in shown + hidden]
    readers.write_text("image,Support Devices\n" + "".join(said), encoding="utf-8")
    done = run(evaluation, ["evaluate-labels", "--csv", str(gallery), "--readers", str(readers), "--json", str(report)])
    assert done.exit_code == 0, done.output
    content = json.loads(report.read_text(encoding="utf-8"))
    assert content["macro"]["images"] == 6
    assert set(content["labels"]) == {"Support Devices"}
    assert content["labels"]["Support Devices"]["positives"] == 4


def test_one_parts_patients_can_be_judged_alone(gallery: Path, tmp_path: Path) -> None:
    judged = 0
    for part in ("train", "validation", "test"):
        report = tmp_path / f"{part}.json"
        done = run(evaluation, ["evaluate-labels", "--csv", str(gallery), "--part", part, "--json", str(report)])
        if done.exit_code == 0:
            judged += json.loads(report.read_text(encoding="utf-8"))["macro"]["images"]
        else:
            assert f"no patient of the {part} part" in done.output
    assert judged == 24
