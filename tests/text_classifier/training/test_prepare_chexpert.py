"""The command, as its user sees it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from services.text_classifier.training.__main__ import SERVICE, cli
from shared.commands import run
from tests.text_classifier.examples.chexpert.made_up import (
    chexpert_folder,
    labelled,
    place,
    plus_table,
    read,
    report,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | int | None]:
    """Of 40 patients with three images each, and one of them without a report. The status, or the sentence."""
    places = [place(patient, study=study) for patient in range(40) for study in (1, 2, 3)]
    chexpert_folder(tmp_path / "small", [labelled(path) for path in places])
    plus_table(tmp_path, [report(path) for path in places[1:]])
    monkeypatch.setenv("COLUMNS", "200")

    def start(*options: str, plus: str = "plus.csv") -> str | int | None:
        given = ["--plus", tmp_path / plus, "--chexpert", tmp_path / "small", "--out", tmp_path / "out", *options]
        monkeypatch.setattr(sys, "argv", ["training", "prepare-chexpert", *map(str, given)])
        with pytest.raises(SystemExit) as ended:
            run(cli, SERVICE)
        return ended.value.code

    return start


def test_it_says_how_many_images_went_where_and_what_did_not_join(prepare, tmp_path, capsys):
    assert prepare() == 0
    told = capsys.readouterr()
    counts = [len(read(tmp_path / "out" / f"{part}.csv")) for part in ("train", "val", "test")]
    assert sum(counts) == 119
    assert f"119 images: {counts[0]} train of" in told.out
    assert "In CheXpert's tables, and not in plus.csv." in told.out
    assert f"{place(0)}.jpg" in told.out
    assert not told.err


def test_the_originals_split_warns_of_the_patients_on_both_sides(prepare, capsys):
    assert prepare("--split", "original") == 0
    warning = " ".join(capsys.readouterr().err.split())
    assert "Warning: split by image, so patients stand in training and test alike:" in warning


def test_what_its_user_can_mend_is_one_sentence(prepare, tmp_path):
    prepare()
    assert "--overwrite" in str(prepare())
    assert str(prepare(plus="absent.csv")) == f"text-classifier: {tmp_path / 'absent.csv'}: No such file or directory."
    (tmp_path / "small" / "valid.csv").unlink()
    assert "valid.csv: No such file" in str(prepare("--overwrite"))
