import json

import pytest
from typer.testing import CliRunner

from services.image_index.evaluation.__main__ import cli
from services.image_index.evaluation.retrieval.predictions import read_predictions
from services.image_index.examples.phantoms import write_gallery


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], env={"COLUMNS": "200", "TERM": "dumb"})


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "predictions.csv"
    assert run("simulate", "--out", out, "--images", 80, "--auroc", 0.8).exit_code == 0
    return out


@pytest.mark.parametrize("protocol", ["original", "honest"])
def test_a_table_of_predictions_is_judged_and_written_down(predictions, tmp_path, protocol):
    out = tmp_path / "report.json"
    result = run("evaluate-retrieval", "--predictions", predictions, "--protocol", protocol, "--json", out)
    assert result.exit_code == 0, result.output
    assert "label_set_posterior" in result.output
    report = json.loads(out.read_text())
    assert report["default_ranking"] in report["rankings"]
    assert {"recall", "precision", "map", "iou", "ndcg"} <= set(report["rankings"]["binary_cosine"])


def test_curves_are_drawn(predictions, tmp_path):
    result = run("evaluate-retrieval", "--predictions", predictions, "--ranking", "cosine", "--plots", tmp_path)
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "recall_at_k.png",
        "precision_recall.png",
        "reliability.png",
    }


def test_a_prior_of_ones_own_serves_the_judging(predictions, tmp_path):
    prior, out = tmp_path / "prior.csv", tmp_path / "report.json"
    assert run("fit-prior", "--csv", predictions, "--out", prior).exit_code == 0
    result = run("evaluate-retrieval", "--predictions", predictions, "--prior", prior, "--json", out)
    assert result.exit_code == 0, result.output


def test_pictures_are_labelled_for_the_judging(tmp_path):
    write_gallery(tmp_path / "phantoms", 3, seed=0, size=96)
    out = tmp_path / "predictions.csv"
    result = run("predict", "--csv", tmp_path / "phantoms" / "labels.csv", "--out", out)
    assert result.exit_code == 0, result.output
    assert len(read_predictions(out)) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate-retrieval"], "either"),
        (["evaluate-retrieval", "--predictions", "nowhere.csv"], "nowhere.csv"),
        (["evaluate-retrieval", "--predictions", "nowhere.csv", "--ranking", "magic"], "magic"),
        (["show", "Edema.", "--out", "x.png", "--url", "http://127.0.0.1:9"], "does not answer"),
    ],
)
def test_what_a_user_can_mend_is_said_in_one_line(arguments, said):
    result = run(*arguments)
    assert result.exit_code in {1, 2}
    assert said in result.output
    assert "Traceback" not in result.output
