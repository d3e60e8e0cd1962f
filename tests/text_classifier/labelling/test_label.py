"""What a table of reports becomes, and what is said of rows and tables that cannot be labelled."""

import json
import os

import pytest

from services.text_classifier.labelling.columns import ADDED
from services.text_classifier.labelling.labeller import NO_WORDS, NOTHING_TO_READ, TOO_LONG
from services.text_classifier.reading.classifier import TextClassifier
from shared.labels import LABELS
from tests.text_classifier.labelling.tables import read, write

REPORTS = [
    ("s1", "No effusion. Possible edema.", "10:00"),
    ("s2", "Heart, lungs clear.", "11:00"),
    ("s3", "Left pneumothorax is present.", "12:00"),
]


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "reports.csv", ["study", "report", "time"], REPORTS)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "labels.csv"


def test_states_are_in_chexperts_coding_beside_their_probabilities(label, source, out):
    assert label("--csv", source, "--text-column", "report", "--out", out).status == 0
    first, second, third = read(out)
    assert {name: first[name] for name in LABELS if first[name]} == {"Pleural Effusion": "0", "Edema": "-1"}
    assert {name: second[name] for name in LABELS if second[name]} == {"No Finding": "1"}
    assert third["Pneumothorax"] == "1"
    assert third["prob_Pneumothorax"].startswith("0.99")
    assert all(len(third[f"prob_{name}"]) == len("0.123456") for name in LABELS)


def test_every_column_is_kept_but_the_text_and_what_the_model_says_comes_behind(label, source, out):
    label("--csv", source, "--text-column", "report", "--out", out)
    rows = read(out)
    assert list(rows[0]) == ["study", "time", *ADDED]
    assert [(row["study"], row["time"]) for row in rows] == [(study, time) for study, _text, time in REPORTS]
    assert {row["text_model"] for row in rows} == {"0" * 64}


def test_the_text_stays_in_its_place_where_it_is_asked_for(label, source, out):
    label("--csv", source, "--text-column", "report", "--out", out, "--keep-text")
    assert list(read(out)[0])[:3] == ["study", "report", "time"]
    assert [row["report"] for row in read(out)] == [text for _study, text, _time in REPORTS]


def test_a_column_that_is_named_as_one_of_labels_is_replaced_and_that_is_said_once(label, tmp_path, out):
    source = write(
        tmp_path / "t.csv",
        ["Edema", "report", "prob_Edema", "pred_Edema"],
        [["1", "Heart clear.", "0.9", "1"], ["1", "Lungs clear.", "0.9", "1"]],
    )
    said = label("--csv", source, "--text-column", "report", "--out", out).said
    assert said.count("Replaced, for labels take their names: Edema, prob_Edema.") == 1
    assert [row["Edema"] for row in read(out)] == ["", ""]
    assert [row["pred_Edema"] for row in read(out)] == ["1", "1"]
    assert list(read(out)[0]) == ["pred_Edema", *ADDED]


def test_a_text_in_a_column_named_as_a_label_is_read_but_cannot_be_kept(label, tmp_path, out):
    source = write(tmp_path / "t.csv", ["Edema"], [["No edema."]])
    refused = label("--csv", source, "--text-column", "Edema", "--out", out, "--keep-text")
    assert (refused.status, "cannot be kept" in refused.said, out.exists()) == (1, True, False)
    label("--csv", source, "--text-column", "Edema", "--out", out)
    assert read(out)[0]["Edema"] == "0"


def bad_rows(tmp_path):
    """Line 2 is good; a row of two lines begins in line 3."""
    rows = [
        ["1", "Secretword edema."],
        ["2", "Small\neffusion."],
        ["3", " "],
        ["4", "--"],
        ["5", "No secretword.", "more"],
        ["6", "secretword " * 2000],
        ["7", "a " * 150],
        ["8", "No edema."],
    ]
    return write(tmp_path / "bad.csv", ["id", "report"], rows)


def test_bad_rows_are_named_by_line_and_reason_without_their_text(label, tmp_path, out, monkeypatch):
    monkeypatch.setenv("CHEX_TEXT_MAX_TOKENS", "800")
    report = tmp_path / "report.json"
    ended = label("--csv", bad_rows(tmp_path), "--text-column", "report", "--out", out, "--report", report)
    told = json.loads(report.read_text())
    assert ended.status == 0
    assert [(failure["line"], failure["reason"]) for failure in told["failures"]] == [
        (5, NO_WORDS),
        (6, NO_WORDS),
        (7, "3 cells, but the header has 2."),
        (8, TOO_LONG),
        (9, "More than 100 tokens, the most that are read as one report."),
    ]
    assert (told["rows"], told["labelled"], told["failed"]) == (8, 3, 5)
    assert told["reasons"][NO_WORDS] == 2
    assert [row["id"] for row in read(out)] == ["1", "2", "8"]
    assert "3 labelled" in ended.said
    assert "5 of 8 rows could not be labelled" in ended.said
    assert "line 5" in ended.said
    assert "secretword" not in (ended.said + report.read_text() + out.read_text()).lower()


def test_the_failures_are_a_table_where_the_reports_name_is_one_of_a_table(label, tmp_path, out):
    report = tmp_path / "report.csv"
    label("--csv", bad_rows(tmp_path), "--text-column", "report", "--out", out, "--report", report)
    assert read(report)[0] == {"line": "5", "reason": NO_WORDS}


def test_strict_makes_a_failure_count(label, tmp_path, out):
    assert label("--csv", bad_rows(tmp_path), "--text-column", "report", "--out", out, "--strict").status == 3
    assert len(read(out)) == 4


def test_where_no_row_can_be_labelled_there_is_no_table_and_the_status_is_1(label, tmp_path, out):
    source = write(tmp_path / "t.csv", ["id", "report"], [["1", ""], ["2", "?"]])
    ended = label("--csv", source, "--text-column", "report", "--out", out)
    assert (ended.status, "was not written" in ended.said) == (1, True)
    assert [file.name for file in tmp_path.glob("labels*")] == []


def test_a_text_of_context_alone_is_a_bad_row(label, tmp_path, out):
    texts = ["HISTORY: Edema, small effusion.", "HISTORY: Edema. IMPRESSION: No effusion."]
    source = write(tmp_path / "t.csv", ["report"], [[text] for text in texts])
    assert NOTHING_TO_READ in label("--csv", source, "--text-column", "report", "--out", out).said
    assert [(row["Edema"], row["Pleural Effusion"]) for row in read(out)] == [("", "0")]


def test_a_text_that_the_model_fails_on_is_a_bad_row_and_its_neighbours_are_labelled(
    label, source, out, word_session, monkeypatch
):
    run = type(word_session)._read

    def fails(self, words, attention):
        if "pneumothorax" in words:
            raise MemoryError
        return run(self, words, attention)

    monkeypatch.setattr(type(word_session), "_read", fails)
    ended = label("--csv", source, "--text-column", "report", "--out", out)
    assert "The model failed on this text (MemoryError)." in ended.said
    assert [row["study"] for row in read(out)] == ["s1", "s2"]


def test_a_text_in_another_language_is_labelled_marked_and_counted(label, tmp_path, out):
    spanish = "No se observa derrame pleural ni neumotórax. Silueta cardíaca de tamaño normal."
    source = write(tmp_path / "t.csv", ["report"], [["No edema."], [spanish]])
    ended = label("--csv", source, "--text-column", "report", "--out", out)
    assert "1 of the texts, or passages in them, seem not to be in English" in ended.said
    assert ["not_english" in row["text_warnings"] for row in read(out)] == [False, True]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(label, tmp_path, out, word_session):
    ended = label("--csv", bad_rows(tmp_path), "--text-column", "report", "--out", out, "--dry-run")
    assert ended.status == 0
    assert "Dry run, nothing was written: of 8 rows 4 would be labelled, 4 would fail." in ended.said
    assert word_session.runs == []
    assert [file.name for file in tmp_path.glob("labels*")] == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id,text\n1,Clear.\n", "has no column 'report'; it has: id, text."),
        (b"", "has no column 'report'; it has: none."),
        (b"report,id,id\nClear.,1,2\n", "line 1: the columns id are there more than once."),
        (b"report\n", "holds no line below its header."),
        (b"report\nClear.\nCoeur \xe9largi.\n", "line 3, byte 7 of it (0xE9): not UTF-8, which is needed."),
        ("report\nClear.\n".encode("utf-16"), "line 1, byte 1 of it (0xFF): not UTF-8, which is needed."),
    ],
)
def test_a_table_that_cannot_be_labelled_is_named_with_what_is_wrong(label, tmp_path, out, content, says):
    source = tmp_path / "t.csv"
    source.write_bytes(content)
    ended = label("--csv", source, "--text-column", "report", "--out", out)
    assert (ended.status, says in ended.said) == (1, True), ended.said
    assert f"text-classifier: {source}" in ended.said
    assert [file.name for file in tmp_path.glob("labels*")] == []


def test_a_byte_order_mark_line_ends_and_quotes_of_a_table_do_no_harm(label, tmp_path, out):
    source = tmp_path / "t.csv"
    odd = 'a "b",\r\nc\rd\n€'
    source.write_bytes(
        '\ufeffreport,note\r\n"No\r\nedema.","{}"\r\n\r\nEdema.,x\r\n'.format(odd.replace('"', '""')).encode()
    )
    assert label("--csv", source, "--text-column", "report", "--out", out).status == 0
    assert [(row["note"], row["Edema"]) for row in read(out)] == [(odd, "0"), ("x", "1")]
    assert next(iter(read(out)[0])) == "note"


def test_a_cell_of_any_length_leaves_the_other_rows(label, tmp_path, out):
    source = write(tmp_path / "t.csv", ["report"], [["edema " * 100_000], ["No edema."]])
    ended = label("--csv", source, "--text-column", "report", "--out", out)
    assert (ended.status, "Longer than 20,000 characters" in ended.said, len(read(out))) == (0, True, 1)


def test_a_table_that_is_there_is_replaced_only_where_that_is_asked_for(label, source, out):
    out.write_text("mine")
    refused = label("--csv", source, "--text-column", "report", "--out", out)
    assert (refused.status, "exists already" in refused.said, out.read_text()) == (1, True, "mine")
    assert label("--csv", source, "--text-column", "report", "--out", out, "--overwrite").status == 0
    assert len(read(out)) == 3


def test_no_table_is_written_over_another(label, source, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(source)
    before = source.read_bytes()
    for out, report in (
        (source, "r.csv"),
        (link, "r.csv"),
        (tmp_path / "o.csv", source),
        (tmp_path / "o.csv", "o.csv"),
    ):
        ended = label(
            "--csv", source, "--text-column", "report", "--out", out, "--report", tmp_path / report, "--overwrite"
        )
        assert (ended.status, source.read_bytes()) == (1, before), (out, report)


def test_a_source_that_can_be_read_only_once_is_refused(label, tmp_path, out):
    os.mkfifo(tmp_path / "pipe")
    ended = label("--csv", tmp_path / "pipe", "--text-column", "report", "--out", out)
    assert (ended.status, "has to be read more than once" in ended.said) == (1, True)
    ended = label("--csv", tmp_path / "none.csv", "--text-column", "report", "--out", out)
    assert (ended.status, f"text-classifier: {tmp_path / 'none.csv'}: No such file" in ended.said) == (1, True)


def test_a_folder_is_no_table_to_be_replaced(label, source, tmp_path):
    ended = label("--csv", source, "--text-column", "report", "--out", tmp_path, "--overwrite")
    assert (ended.status, f"{tmp_path} is a folder." in ended.said) == (1, True)


def test_a_folder_that_is_missing_is_named_before_anything_is_read(label, source, tmp_path):
    ended = label("--csv", source, "--text-column", "report", "--out", tmp_path / "nowhere" / "labels.csv")
    assert (ended.status, f"there is no folder {tmp_path / 'nowhere'}" in ended.said) == (1, True)


@pytest.mark.slow
def test_the_bundled_models_labels_are_those_of_each_text_alone(tmp_path, out, monkeypatch, bundled):
    from services.text_classifier.labelling.run import Collection, Labelling, label
    from services.text_classifier.settings import TextClassifierSettings

    monkeypatch.setattr(TextClassifier, "open", lambda *_args, **_options: bundled)
    texts = ["Mild cardiomegaly. No effusion.", "Possible pneumonia.", "No acute disease.", "Small left apical nodule."]
    source = write(tmp_path / "t.csv", ["report"], [[text] for text in texts])
    label(TextClassifierSettings(), Collection(source, "report", out), Labelling())
    for text, row in zip(texts, read(out), strict=True):
        (alone,) = bundled.classify([bundled.read(text)])
        for name, result in alone.labels.items():
            assert float(row[f"prob_{name}"]) == pytest.approx(result.probability, abs=2e-6)
            assert row[name] == {"present": "1", "absent": "0", "uncertain": "-1", "not_mentioned": ""}[result.state]
        assert row["text_model"] == bundled.info.weights_sha256
