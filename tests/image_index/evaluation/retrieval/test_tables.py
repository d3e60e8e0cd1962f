import numpy as np
import pytest
from typer.testing import CliRunner

from services.image_index.evaluation.__main__ import cli
from services.image_index.evaluation.retrieval import honest, tables, tables_of_reports
from services.image_index.evaluation.retrieval.promises import promises
from services.image_index.evaluation.retrieval.scorers import scorers
from services.image_index.evaluation.retrieval.simulate import simulate
from services.image_index.ranking.prior import shipped_prior

SECTIONS = ("simulated", "reports", "phantoms", "promises")


@pytest.fixture(scope="module")
def made():
    return simulate(shipped_prior(), 120, 0.8, seed=4)


def test_judging_some_queries_gives_their_figures_among_all(made):
    scorer = scorers(made, shipped_prior(), ["cosine"])["cosine"]
    asked = np.array([7, 3, 100, 3])
    np.testing.assert_array_equal(
        honest.judge(made, scorer, 5, asked).figures, honest.judge(made, scorer, 5).figures[asked]
    )


def test_the_calibration_error_is_the_mean_distance_of_the_bins(made):
    for kept in promises(made, shipped_prior(), 5).values():
        hits = [one["hits"] for one in kept["bins"]]
        off = [abs(one["promised"] - one["found"]) for one in kept["bins"]]
        assert kept["ece"] == pytest.approx(np.average(off, weights=hits))
        assert max(hits) - min(hits) <= 1


def test_only_what_is_marked_is_replaced():
    text = "a\n<!-- one -->\nold\n<!-- end -->\nb\n<!-- two -->\nkept\n<!-- end -->\n"
    replaced = tables.put_in_place(text, "one", [r"new \1"])
    assert replaced == text.replace("old", r"new \1")
    assert tables.put_in_place(replaced, "one", ["old"]) == text
    with pytest.raises(ValueError, match="three"):
        tables.put_in_place(text, "three", [])


def test_the_summary_counts_what_the_default_wins_and_names_where_it_falls_short():
    rng = np.random.default_rng(0)
    good, bad = 0.5 + rng.normal(0, 0.01, (9, 5)), 0.2 + rng.normal(0, 0.01, (9, 5))
    short = good.copy()
    short[:, 2] *= 0.9
    said = tables._summary(
        [
            ("one", {"binary_cosine": bad, "label_set_posterior": good, "cosine": good}),
            ("other", {"binary_cosine": bad, "label_set_posterior": short, "cosine": good}),
        ],
        9,
    )
    assert "in 10 of 10 figures" in said
    assert "within 3 % of the best in 9." in said
    assert "mAP at other: `cosine` +11.1 %" in said


def test_a_table_of_galleries_holds_their_means(made):
    galleries = [made, simulate(shipped_prior(), 80, 0.8, seed=5)]
    row = next(line for line in tables.judged_galleries(galleries, shipped_prior()) if line.startswith("| cosine"))
    recalls = [
        honest.judge(one, scorers(one, shipped_prior(), ["cosine"])["cosine"], 5).means["recall"] for one in galleries
    ]
    assert row.split("|")[2].split()[0] == f"{np.mean(recalls):.3f}"


def test_halves_hold_all_images_of_half_of_the_patients(made):
    first, second = tables.halves(made, 2)
    for half in (first, second):
        mine = set(half.patients.tolist())
        assert len(mine) == len(set(made.patients.tolist())) // 2
        assert len(half) == sum(patient in mine for patient in made.patients.tolist())
    assert first.paths != second.paths


def test_the_tables_are_measured_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "AUROCS", (0.8,))
    monkeypatch.setattr(tables, "CALIBRATIONS", ("calibrated",))
    monkeypatch.setattr(tables, "IMAGES", 60)
    monkeypatch.setattr(tables, "QUERIES", 20)
    monkeypatch.setattr(tables, "PROMISING", 60)
    for name, small in {"AUROCS": (0.8,), "READERS": (0.95,), "IMAGES": 60, "QUERIES": 20}.items():
        monkeypatch.setattr(tables_of_reports, name, small)
    readme = tmp_path / "README.md"
    readme.write_text("".join(f"## {name}\n<!-- {name} -->\n<!-- end -->\n" for name in SECTIONS))
    arguments = ["retrieval-tables", "--galleries", "2", "--phantoms", "4", "--phantom-galleries", "2"]
    arguments += ["--readme", str(readme)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    text = readme.read_text()
    assert text.count("**label_set_posterior**") == 2
    assert text.count("Over 2 galleries a line") == 2
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith(("| 0.8, p", "| 0.8, 0"))] == [
        "| 0.8, pictures",
        "| 0.8, 0.95, reports",
        "| 0.8, 0.95, both",
        "| 0.8, 0.95, both, half of the patients have reports",
    ]
    assert "| phantoms, prior of every second of its reports |" in text


def test_the_readme_has_a_place_for_every_table():
    from services.image_index.evaluation.retrieval.tables_command import README

    for section in (*SECTIONS, "nih"):
        tables.put_in_place(README.read_text(encoding="utf-8"), section, [])
