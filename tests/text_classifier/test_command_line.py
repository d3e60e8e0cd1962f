import json

import pytest
from typer.testing import CliRunner

from services.text_classifier.__main__ import cli
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
    result = CliRunner().invoke(cli, [str(part) for part in command])
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
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


def test_serving_a_missing_model_says_so(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("CHEX_TEXT_MODEL", str(tmp_path / "absent"))
    result = CliRunner().invoke(cli, ["serve"])
    assert result.exit_code == 1
    assert "config.json is missing" in result.output
