"""A run that was stopped goes on to the same bytes, and no other run goes on from it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.text_classifier.labelling.journal import Journal
from tests.text_classifier.conftest import WordSession
from tests.text_classifier.labelling.conftest import Ended
from tests.text_classifier.labelling.tables import write

TEXTS = ["No edema.", "Small effusion.", "", "Possible pneumothorax.", "Lungs clear. Heart mild.", "--"]
ROWS = [[str(number), f"{TEXTS[number % 6]} {number // 6 % 3 * 'stable '}".strip()] for number in range(60)]
FAILING = [number + 2 for number in range(60) if number % 6 in {2, 5} and number // 6 % 3 == 0]  # lines
RUNS = 8  # of the model, one for each block of 8 rows


@dataclass(frozen=True)
class Bench:
    label: Callable[..., Ended]
    session: WordSession
    source: Path

    @property
    def table(self) -> Path:
        return self.source.with_name("labels.csv")

    @property
    def rows(self) -> Path:
        return self.source.with_name("labels.csv.partial")

    @property
    def journal(self) -> Path:
        return self.source.with_name("labels.csv.partial.jsonl")

    def run(self, *options: object, column: str = "report", out: Path | None = None) -> Ended:
        return self.label("--csv", self.source, "--text-column", column, "--out", out or self.table, *options)

    def undisturbed(self) -> bytes:
        whole = self.source.with_name("whole.csv")
        self.run(out=whole)
        return whole.read_bytes()

    def stop(self, number: int, *options: object, error: BaseException | None = None) -> Ended:
        """The model raises the error (Ctrl-C unless told otherwise) in its run of this number and in those after."""
        left = number

        def breaks(inputs, *, crowded=False):
            nonlocal left
            left -= 1
            if left <= 0:
                raise error or KeyboardInterrupt
            return WordSession.run(self.session, inputs, crowded=crowded)

        self.session.run = breaks
        try:
            return self.run(*options)
        finally:
            del self.session.run


@pytest.fixture
def bench(label: Callable[..., Ended], word_session: WordSession, tmp_path: Path) -> Bench:
    return Bench(label, word_session, write(tmp_path / "reports.csv", ["id", "report"], ROWS))


@pytest.mark.parametrize("number", range(1, RUNS + 1))
def test_a_run_stopped_anywhere_goes_on_to_the_same_bytes(bench, tmp_path, number):
    stopped = bench.stop(number)
    assert stopped.status == 130
    assert "Stopped. What was labelled stays; the same command goes on from there." in stopped.said
    assert not bench.table.exists()

    ended = bench.run("--report", tmp_path / "report.json")
    assert ended.status == 0
    assert not bench.rows.exists()
    assert not bench.journal.exists()
    assert bench.table.read_bytes() == bench.undisturbed()
    told = json.loads((tmp_path / "report.json").read_text())
    assert [failure["line"] for failure in told["failures"]] == FAILING
    assert (told["rows"], told["labelled"], told["failed"]) == (60, 60 - len(FAILING), len(FAILING))
    assert f"{told['already']} were there already" in ended.said


def test_what_was_done_is_not_done_again(bench):
    bench.stop(5)
    before = len(bench.session.runs)
    bench.run()
    assert len(bench.session.runs) - before < RUNS


@pytest.mark.parametrize(
    "torn", [b'{"bytes": 9', b'{"bytes": 999999, "labelled": 1}\n', b"\x00\x00\x00\n", b"[]\n", b""]
)
def test_what_was_not_written_whole_is_written_again(bench, torn):
    bench.stop(4)
    for file, tail in ((bench.rows, b'half a row,"'), (bench.journal, torn)):
        with file.open("ab") as stream:
            stream.write(tail)
    assert bench.run().status == 0
    assert bench.table.read_bytes() == bench.undisturbed()


@pytest.mark.parametrize("left", ["a journal alone", "an empty table", "an empty journal"])
def test_a_run_that_was_killed_as_it_began_begins_again(bench, left):
    bench.stop(1)
    if left == "a journal alone":
        bench.rows.unlink()
    elif left == "an empty table":
        bench.rows.write_bytes(b"")
    else:
        bench.journal.write_bytes(b"")
    assert bench.run().status == 0
    assert bench.table.read_bytes() == bench.undisturbed()


def test_another_model_does_not_go_on_from_it(bench):
    bench.stop(4)
    before = bench.rows.read_bytes(), bench.journal.read_bytes()
    bench.session.weights_sha256 = "1" * 64
    refused = bench.run()
    assert refused.status == 1
    assert "begun by another run: the model's SHA-256 was 000000000000…, now it is 111111111111…." in refused.said
    assert (bench.rows.read_bytes(), bench.journal.read_bytes()) == before
    assert bench.run("--overwrite").status == 0
    assert b"0" * 64 not in bench.table.read_bytes()
    assert bench.table.read_bytes() == bench.undisturbed()


def test_another_source_or_other_columns_do_not_go_on_from_it(bench):
    bench.stop(4)
    assert "--keep-text was not given, now it is given" in bench.run("--keep-text").said
    assert "the text column was report, now it is id" in bench.run(column="id").said
    write(bench.source, ["id", "report"], [*ROWS, ["60", "No edema."]])
    assert "the source's SHA-256 was " in bench.run().said


def test_a_run_that_replaces_a_table_goes_on_too_and_until_its_end_the_old_one_stays(bench):
    bench.table.write_text("old")
    bench.stop(5, "--overwrite")
    assert bench.table.read_text() == "old"
    before = len(bench.session.runs)
    bench.run("--overwrite")
    assert len(bench.session.runs) - before < RUNS
    assert bench.table.read_bytes() == bench.undisturbed()


def test_a_file_that_is_in_the_way_is_not_written_over(bench):
    bench.rows.write_text("mine")
    refused = bench.run()
    assert (refused.status, "is in the way" in refused.said, bench.rows.read_text()) == (1, True, "mine")
    assert not bench.journal.exists()


def test_two_runs_do_not_write_one_table(bench):
    other = Journal(bench.journal)
    try:
        refused = bench.run()
    finally:
        other.close()
    assert (refused.status, "Another run is writing" in refused.said) == (1, True)
    assert bench.run().status == 0


def test_a_model_that_fails_on_everything_ends_the_run_and_keeps_what_was_labelled(bench):
    ended = bench.stop(4, error=RuntimeError("of a secret"))
    assert ended.status == 1
    assert "text-classifier: The model fails on every text (RuntimeError). What was labelled stays." in ended.said
    assert "secret" not in ended.said
    assert "already" in bench.run().said
    assert bench.table.read_bytes() == bench.undisturbed()


@pytest.mark.parametrize("options", [[], ["--keep-text"]])
def test_a_partial_table_holds_no_word_of_a_text_unless_texts_are_kept_and_its_journal_never(bench, options):
    bench.stop(5, *options)
    assert (b"effusion." in bench.rows.read_bytes()) == bool(options)
    journal = bench.journal.read_text().lower()
    assert not [word for word in ("edema", "effusion", "small", "stable", "possible", "clear") if word in journal]
