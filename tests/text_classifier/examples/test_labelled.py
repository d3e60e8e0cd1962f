import numpy as np
import pytest

from services.text_classifier.examples.labelled import UNKNOWN, deduplicated, is_unlabelled, part_of, read_csv
from shared.labels import LABELS, State

STATES = list(State)


def write(tmp_path, text: str):
    file = tmp_path / "reports.csv"
    file.write_text(text)
    return file


def test_chexpert_codes_become_states(tmp_path) -> None:
    file = write(tmp_path, "impression,Edema,Fracture,Pneumonia,Pneumothorax,No Finding\nA.,1.0,0,-1.0,,?\n")
    (example,) = read_csv(file, "impression")
    read = {label: example.states[i] for i, label in enumerate(LABELS)}
    assert [STATES[read[label]] for label in ("Edema", "Fracture", "Pneumonia", "Pneumothorax")] == [
        "present",
        "absent",
        "uncertain",
        "not_mentioned",
    ]
    assert read["No Finding"] == UNKNOWN  # a question mark
    assert read["Atelectasis"] == UNKNOWN  # no column


def test_a_csv_without_label_columns_is_unlabelled(tmp_path) -> None:
    examples = read_csv(write(tmp_path, 'text\n"Small effusion, left."\n\n""\n'), "text")
    assert [example.text for example in examples] == ["Small effusion, left."]
    assert is_unlabelled(examples)


@pytest.mark.parametrize(
    ("content", "message"),
    [("impression,Edema\nA.,yes\n", r"row 2, Edema: 'yes'"), ("report\nA.\n", "no column 'impression'")],
)
def test_a_wrong_csv_says_where_it_is_wrong(tmp_path, content, message) -> None:
    with pytest.raises(ValueError, match=message):
        read_csv(write(tmp_path, content), "impression")


def test_a_patient_is_on_one_side_of_the_split_for_ever(tmp_path) -> None:
    rows = "".join(f"Report {i}.,p{i % 40}\n" for i in range(400))
    examples = read_csv(write(tmp_path, f"impression,patient\n{rows}"), "impression", "patient")
    sides: dict[str, set[str]] = {}
    for example in examples:
        sides.setdefault(example.group, set()).add(part_of(example.group))
    assert all(len(parts) == 1 for parts in sides.values())
    assert [part_of(f"p{i}") for i in range(3)] == ["validation", "validation", "train"]


def test_the_split_is_about_80_10_10() -> None:
    parts = [part_of(str(i)) for i in range(5000)]
    assert [parts.count(p) / 5000 for p in ("train", "validation", "test")] == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_what_thousands_of_reports_say_is_kept_twice(tmp_path) -> None:
    examples = read_csv(
        write(tmp_path, "impression\n" + "No  acute disease.\nno acute disease.\n" * 5 + "Edema.\n"), "impression"
    )
    assert [example.text for example in deduplicated(examples)] == ["No  acute disease.", "no acute disease.", "Edema."]
    assert np.all(examples[0].states == UNKNOWN)
