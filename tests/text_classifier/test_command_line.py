import json
import re

import pytest
from typer.testing import CliRunner

from services.inference.model_files import ModelLoadError
from services.text_classifier.__main__ import main
from services.text_classifier.evaluation.__main__ import cli as evaluation
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL
from services.text_classifier.training.__main__ import cli as training
from shared.labels import LABELS

pytest.importorskip("torch")


@pytest.fixture
def labelled(tmp_path):
    file = tmp_path / "labelled.csv"
    others = ",".join("?" for _ in LABELS[2:])
    rows = [
        f"Atelectasis.,1,,{others}",
        f"No atelectasis. Mild cardiomegaly.,0,1,{others}",
        f"Clear lungs.,,?,{others}",
    ]
    file.write_text("\n".join(["report," + ",".join(LABELS), *rows]))
    return file


def test_evaluate_writes_the_figures_of_each_state_as_json(labelled, tmp_path) -> None:
    out, plots = tmp_path / "figures.json", tmp_path / "plots"
    command = [
        "evaluate",
        "--model",
        "rules",
        "--csv",
        labelled,
        "--text-column",
        "report",
        "--json",
        out,
        "--plots",
        plots,
    ]
    result = CliRunner().invoke(evaluation, [str(part) for part in command])
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    for state in ("present", "absent", "uncertain"):
        assert set(figures[state]) == {"micro", "macro", "labels"}
        assert set(figures[state]["labels"]) == set(LABELS)
    assert figures["present"]["micro"]["f1"] == figures["present"]["macro"]["f1"] == 1
    assert figures["absent"]["labels"]["Atelectasis"]["support"] == 1
    assert figures["present"]["labels"]["Edema"]["f1"] is None
    assert {file.name for file in plots.iterdir()} == {"reliability.png", "roc.png", "precision_recall.png"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["evaluate", "--model", "rules", "--csv", "absent.csv"], "absent.csv"),
        (["train", "--out", "nowhere", "--base", "minilm"], "Nothing to train on"),
        (["export", "--checkpoint", "nowhere", "--out", "out"], "config.json is missing"),
    ],
)
def test_what_the_caller_can_mend_is_one_sentence(tmp_path, monkeypatch, command, message) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(evaluation if command[0] == "evaluate" else training, command)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


def test_serving_a_missing_model_says_so(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("CHEX_TEXT_MODEL", str(tmp_path / "absent"))
    monkeypatch.setattr("sys.argv", ["text_classifier", "serve"])
    with pytest.raises(SystemExit, match=r"^text-classifier: .*absent/config\.json is missing"):
        main()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"impression,Edema\n\xe9dema,1\n", r"reports\.csv, line 2, byte 1 of it \(0xE9\): not UTF-8"),
        (b"", r"reports\.csv: No columns"),
        (b"impression\na\nb,1,2\n", r"reports\.csv: Error tokenizing"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path, monkeypatch, content, says) -> None:
    (tmp_path / "reports.csv").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(evaluation, ["evaluate", "--model", "rules", "--csv", "reports.csv"])
    assert (result.exit_code, re.search(says, result.output) is not None) == (1, True)


@pytest.mark.parametrize("file", ["config.json", "calibration.json", "thresholds.json", "tokenizer.json"])
@pytest.mark.parametrize("content", ["[1]", "3", "{", '{"Edema": null, "outputs": null}'])
def test_a_damaged_model_folder_is_a_load_error(tmp_path, file, content) -> None:
    for part in BUNDLED_MODEL.iterdir():
        (tmp_path / part.name).symlink_to(part)
    (tmp_path / file).unlink()
    (tmp_path / file).write_text(content)
    with pytest.raises(ModelLoadError):
        TextClassifier.open(tmp_path, device="cpu")
