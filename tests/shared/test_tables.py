from pathlib import Path

import pytest

from shared.tables import TableUnusable, open_table, read_whole, repeated


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"image\na.png\nb\xe9.png\n", r"t\.csv, line 3, byte 2 of it \(0xE9\): not UTF-8"),
        ("image\na.png\n".encode("utf-16"), r"t\.csv, line 1, byte 1 of it \(0xFF\): not UTF-8"),
        (b'image\n"' + b"x" * 200_000 + b'"\n', r"t\.csv, line 2: field larger than"),
        (b"", r"t\.csv lacks the columns image"),
        (b"picture\na.png\n", r"t\.csv lacks the columns image"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_place(tmp_path: Path, content: bytes, says: str):
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(TableUnusable, match=says):
        read_whole(file, "image")


def test_rows_shorter_or_longer_than_the_header_are_filled_and_cut(tmp_path: Path):
    file = tmp_path / "t.csv"
    file.write_text("\ufeffimage,age\na.png\n\nb.png,3,more\n", encoding="utf-8")
    assert read_whole(file).rows == [{"image": "a.png", "age": ""}, {"image": "b.png", "age": "3"}]


def test_cells_may_be_longer_where_that_is_asked_for_and_only_there(tmp_path: Path):
    file = tmp_path / "t.csv"
    file.write_text("image\n" + "x" * 200_000 + "\n")
    with open_table(file, longest_cell=200_000) as lines:
        assert [len(cells[0]) for cells in lines] == [5, 200_000]
    with pytest.raises(TableUnusable, match="larger than"):
        read_whole(file)


def test_columns_without_a_name_are_no_repetition():
    assert repeated(["", "b", "a", "", "b", "a", "c"]) == ["a", "b"]


def test_how_far_a_table_is_read_is_told_in_bytes(tmp_path: Path):
    file = tmp_path / "t.csv"
    file.write_text("image\n" + "é.png\n" * 5000, encoding="utf-8-sig")
    told: list[int] = []
    with open_table(file, on_bytes=told.append) as lines:
        assert sum(1 for _cells in lines) == 5001
    assert told == sorted(told)
    assert told[0] < told[-1] == file.stat().st_size
