"""What is drawn is read, by the library and the models in its package."""

import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.image_index.pictures.burned_in.identifying import identifying
from services.image_index.pictures.burned_in.reader import TextReader
from services.image_index.pictures.radiograph import Grey
from shared.errors import InferenceFailed
from tests.image_index.pictures.burned_in.written import MARKERS, NAME, needs_reader, phantom, written

pytestmark = [needs_reader, pytest.mark.slow]


@pytest.fixture(scope="module")
def read() -> TextReader:
    return TextReader()


def test_the_models_are_loaded_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)

    assert TextReader()(phantom()) is not None


@pytest.mark.parametrize(
    "grey",
    [
        written(phantom(), NAME),
        written(phantom(), NAME, paper=255, ink=0),
        written(phantom(), NAME, top=0.5, paper=90, ink=255),
        written(phantom(320), NAME, height=0.03),
        written(phantom(2048), NAME, height=0.016),
        written(phantom(), "DOB 04/05/1960"),
        written(phantom(), *MARKERS, "0012345"),
    ],
    ids=["white", "on white", "on anatomy", "small picture", "large picture", "birth", "markers and id"],
)
def test_what_could_name_a_patient_is_found_where_it_stands(read: TextReader, grey: Grey) -> None:
    assert identifying(read(grey))


@pytest.mark.parametrize("text", [NAME, "0047113", "DOB 04/05/1960"])
@pytest.mark.parametrize("is_mirrored", [False, True], ids=["", "mirrored"])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_text_is_read_whichever_way_it_runs_and_mirrored(
    read: TextReader, quarters: int, is_mirrored: bool, text: str
) -> None:
    grey = written(phantom(), text, height=0.03, top=0.3)
    (found,) = identifying(read(np.rot90(grey[:, ::-1] if is_mirrored else grey, quarters)))

    assert found.text.replace(" ", "") == text.replace(" ", "")


def test_a_region_is_where_the_text_stands_when_it_is_turned(read: TextReader) -> None:
    (found,) = identifying(read(np.rot90(written(phantom(), NAME, top=0.3)[:, ::-1])))  # mirrored, reading upwards

    assert found.region.top < 0.04
    assert 0.25 < found.region.left < 0.33
    assert 0.33 < found.region.right < 0.40


def test_markers_name_nobody_when_they_are_turned_or_mirrored(read: TextReader) -> None:
    grey = written(phantom(), *MARKERS)

    for turned in (np.rot90(grey, 1), np.rot90(grey, 2), grey[:, ::-1]):
        assert identifying(read(turned)) == []


def test_the_region_holds_the_text(read: TextReader) -> None:
    (found,) = identifying(read(written(phantom(), NAME, top=0.3)))

    assert found.region.left < 0.04
    assert 0.25 < found.region.top < 0.33
    assert 0.33 < found.region.bottom < 0.40


def test_markers_are_read_and_name_nobody(read: TextReader) -> None:
    lines = read(written(phantom(), *MARKERS))

    assert {"AP PORTABLE", "14:35"} <= {line.text for line in lines}
    assert identifying(lines) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 4000), (4000, 2), (16, 16)])
def test_a_picture_of_any_shape_is_read(read: TextReader, shape: tuple[int, int]) -> None:
    assert identifying(read(np.full(shape, 90, dtype=np.uint8))) == []


def test_pictures_are_read_side_by_side(read: TextReader) -> None:
    texts = ["ROSENBAUM", "KOWALSKI", "NAKAMURA", "OKAFOR"] * 2
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(read, [written(phantom(), text) for text in texts]))

    assert [[line.text for line in identifying(lines)] for lines in found] == [[text] for text in texts]


def test_nothing_that_is_read_is_printed_or_logged(
    read: TextReader, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    assert identifying(TextReader()(written(phantom(), NAME)))

    assert "ROSENBAUM" not in caplog.text + "".join(capfd.readouterr())


def test_a_failure_of_the_library_says_nothing_of_the_picture(
    monkeypatch: pytest.MonkeyPatch, read: TextReader
) -> None:
    def fails(_picture: object) -> object:
        raise ValueError(NAME)

    monkeypatch.setattr(read, "_ocr", fails)

    with pytest.raises(InferenceFailed) as failure:
        read(phantom())
    assert "ROSENBAUM" not in failure.value.detail
    assert failure.value.__cause__ is None
