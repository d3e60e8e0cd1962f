"""Reports beside judged pictures: matched by path, left out by patient, and worth what they say."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from services.image_index.evaluation.__main__ import cli
from services.image_index.evaluation.retrieval.predictions import read_predictions, write_predictions
from services.image_index.evaluation.retrieval.reader import of_a_share, simulated_reports
from services.image_index.evaluation.retrieval.report_labels import with_reports
from services.image_index.evaluation.retrieval.simulate import simulate
from services.image_index.ranking.prior import shipped_prior
from shared.labels import LABELS

PRIOR = shipped_prior()


@pytest.fixture
def simulated(tmp_path):
    """Pictures of an encoder that hardly sees anything, and a table of labels that a reader without fault gave them."""
    predictions = simulate(PRIOR, 200, 0.6, seed=2)
    write_predictions(tmp_path / "T.csv", predictions)
    with (tmp_path / "L.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path_to_image", *LABELS, *(f"prob_{label}" for label in LABELS), "text_model"])
        for path, truth in zip(predictions.paths, predictions.truth.tolist(), strict=True):
            writer.writerow(
                [path, *(1 if one else "" for one in truth), *(0.98 * one + 0.01 for one in truth), "a" * 64]
            )
    return tmp_path / "T.csv", tmp_path / "L.csv"


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.mark.parametrize("protocol", ["original", "honest"])
def test_reports_tell_what_pictures_hardly_show(simulated, tmp_path, protocol):
    table, labels = simulated
    options = ("--ranking", "label_set_posterior", "--protocol", protocol, "--json", tmp_path / "out.json")
    result = run("evaluate-retrieval", "--predictions", table, "--report-labels", labels, *options)
    assert result.exit_code == 0, result.output
    assert "200 of 200 images have a report" in result.output

    judged = json.loads((tmp_path / "out.json").read_text())
    both, pictures = (
        judged["rankings"][name] for name in ("label_set_posterior", "label_set_posterior, pictures alone")
    )
    reports = judged["rankings"]["label_set_posterior, reports alone"]
    assert both["precision"] > 0.9 * judged["ceiling"]["precision"] > 2 * pictures["precision"]
    assert reports["precision"] > 0.9 * judged["ceiling"]["precision"]


def test_only_a_share_of_the_patients_has_reports(simulated):
    table, labels = simulated
    predictions = read_predictions(table)
    half = with_reports(predictions, labels, PRIOR, share=0.5).predictions
    again = with_reports(predictions, labels, PRIOR, share=0.5).predictions
    reported = half.known.reported

    np.testing.assert_array_equal(half.reports, again.reports)
    assert 0.4 < reported.mean() < 0.6
    with_report, without = (set(half.patients[which].tolist()) for which in (reported, ~reported))
    assert with_report.isdisjoint(without)


def test_rows_are_matched_by_their_paths_and_what_is_left_over_is_told(simulated, tmp_path):
    table, labels = simulated
    lines = labels.read_text().splitlines()
    other = lines[1].replace("simulated/", "elsewhere/")
    broken = lines[2].rsplit(",", 1)[0] + ",no hash"
    (tmp_path / "some.csv").write_text("\n".join([lines[0], other, broken, *lines[:2:-1]]) + "\n")
    matched = with_reports(read_predictions(table), tmp_path / "some.csv", PRIOR)

    assert (matched.reported, matched.unknown, matched.faulty) == (198, 1, 1)
    assert matched.reason == "line 3: text_model is no SHA-256 in 64 hex digits."
    assert matched.predictions.known.reported.tolist() == [False, False, *[True] * 198]


def test_a_table_of_other_images_is_refused(simulated, tmp_path):
    table, labels = simulated
    (tmp_path / "other.csv").write_text(labels.read_text().replace("simulated/", "elsewhere/"))
    result = run("evaluate-retrieval", "--predictions", table, "--report-labels", tmp_path / "other.csv")
    assert result.exit_code == 1
    assert "holds no report of any of the images" in result.output


def test_a_share_of_no_reports_is_refused(simulated):
    table, _ = simulated
    result = run("evaluate-retrieval", "--predictions", table, "--report-share", 0.5)
    assert result.exit_code == 2
    assert "goes with --report-labels" in result.output


def test_a_simulated_reader_errs_as_often_as_is_asked():
    truth = simulate(PRIOR, 4000, 0.7, seed=3).truth
    for accuracy in (0.9, 1.0):
        evidence = simulated_reports(truth, accuracy, PRIOR.base_rates, np.random.default_rng(1))
        stated = evidence > 0
        found, right = stated[truth == 1].mean(), (truth == 1)[stated].mean()
        doubts = 0.05 if accuracy < 1 else 0
        assert found == pytest.approx(accuracy * (1 - doubts), abs=0.02)
        assert right == pytest.approx(accuracy, abs=0.02)


def test_reports_are_left_out_patient_by_patient():
    reports = np.ones((6, 14), dtype=np.float16)
    kept = of_a_share(reports, np.array(["a", "a", "b", "b", "c", "d"]), 0.5, np.random.default_rng(0))
    there = ~np.isnan(kept).any(axis=1)
    assert there[0] == there[1]
    assert there[2] == there[3]
    assert len({"aabbcd"[place] for place in np.flatnonzero(there)}) == 2
