import time

import pytest

from services.image_index.pictures.burned_in.identifying import identifying
from tests.image_index.pictures.burned_in.written import line


@pytest.mark.parametrize(
    "text",
    [
        "L", "R", "LT", "AP PORTABLE", "Semi-erect", "SEMI UPRIGHT", "Right lateral decubitus", "14:35", "5:30 AM",
        "0730 HRS", "JFC", "R HB 14:20", "L MJ KS", "LDMD", "DO NOT USE", "110 kV 2.5 mAs", "SID 180 cm", "72 IN",
        "EI 1532", "30°", "POST INTUBATION", "ICU BED 12", "左", "立位", "#2", "1 OF 2",
        "NO 2", "L1435", "R-0910", "110/2.5", "12.5",
    ],
)  # fmt: skip
def test_what_a_radiographer_puts_beside_a_picture_names_nobody(text: str) -> None:
    assert identifying([line(text)]) == []


@pytest.mark.parametrize(
    "text", ["Uprght", "P0RTABLE", "PORTABIE", "APPORTABLE", "PORTABLEAP", "LPORTABLE", "SEMIERECT"]
)
def test_a_marker_that_was_misread_or_read_together_is_one(text: str) -> None:
    assert identifying([line(text)]) == []


@pytest.mark.parametrize(
    "text",
    [
        "ROSENBAUM^TILDA", "Rosenbaum, T", "TILDA ROSENBAUM", "T. ROSENBAUM", "ROSENBAUM", "LI^WU", "LI, WU", "KIM LEE",
        "MÜLLER", "WRIGHT", "PARKER", "WARD", "AP PORTABLE ROSENBAUM", "张伟", "田中太郎", "ИВАНОВ", "ST ELSE HOSPITAL",
    ],
)  # fmt: skip
def test_a_name_counts_in_whatever_way_it_is_written(text: str) -> None:
    assert identifying([line(text)]) == [line(text)]


@pytest.mark.parametrize(
    "text",
    [
        "0012345", "ID 4711", "MRN 22", "123-45-6789", "ACC# 88123", "PATIENT X", "DOB", "DOB04.05.1960", "04/05/60",
        "4 MAY 1960", "1960-05-04", "MAY 4, 1960", "19600504", "52.704.119", "731/20466", "31-20466", "Q52704",
        "52704Q", "L-52704", "ID Q5270", "PID 5270", "Nr. 5270", "No: 5270", "#5270", "# QX5270",
    ],
)  # fmt: skip
def test_numbers_and_dates_of_a_patient_count(text: str) -> None:
    assert identifying([line(text)]) == [line(text)]


def test_what_a_reader_is_not_sure_of_does_not_count() -> None:
    """Ribs and wires are read as text, too."""
    assert identifying([line("ROSENBAUM^TILDA", 0.5), line("KOHL", 0.7), line("中川", 0.7)]) == []


def test_what_stands_beside_a_name_and_is_no_marker_goes_with_it() -> None:
    name, rest, side = line("ROSENBAUM"), line("LI", 0.5), line("L")

    assert identifying([side, rest, line("AP PORTABLE")]) == []
    assert identifying([side, name, rest, line("AP PORTABLE")]) == [name, rest]


@pytest.mark.parametrize("text", ["PORTABLE" * 2000, "PORT" * 49, "LRAPPA" * 33, "1 " * 99, "A," * 99, "L" * 200])
def test_a_long_line_is_judged_at_once(text: str) -> None:
    started = time.perf_counter()
    identifying([line(text)])

    assert time.perf_counter() - started < 0.5


def test_a_line_does_not_show_its_text_where_it_is_printed() -> None:
    assert "ROSENBAUM" not in repr([line("ROSENBAUM")])
