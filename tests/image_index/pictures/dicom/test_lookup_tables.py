"""Lookup tables as archives send them: empty, cut short, wider or narrower than their descriptors say."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from tests.image_index.pictures.dicom.encodings import EXPECTED, implicit, stored
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.filterwarnings("ignore")
CURVE = np.rint(4095 * np.linspace(0, 1, 4096) ** 2)  # what a table does, and no window
CURVED = (stored() / 4095) ** 2 * 255
RAMP = np.arange(4096)


def item(descriptor: list[int] | None, words: np.ndarray | None, *, as_bytes: bool = True) -> Dataset:
    table = Dataset()
    if descriptor is not None:
        table.add_new("LUTDescriptor", "US", descriptor)
    if words is not None:
        words = np.asarray(words).astype("<u2")
        table.add_new("LUTData", "OW" if as_bytes else "US", words.tobytes() if as_bytes else [int(w) for w in words])
    return table


def grey_with(**elements: object) -> np.ndarray:
    data = to_bytes(made_dicom(**elements))
    check_header(data, Limits())
    return read_radiograph(data).grey.astype(float)


NO_TABLES = {
    "nothing": Dataset,
    "empty elements": lambda: item([], np.array([], dtype=np.uint16)),
    "no data": lambda: item([4096, 0, 12], None),
    "empty data": lambda: item([4096, 0, 12], np.array([])),
    "no descriptor": lambda: item(None, CURVE),
    "a descriptor of two": lambda: item([4096, 0], CURVE),
    "a descriptor of one": lambda: item([4096], CURVE),
    "cut short below the picture's values": lambda: item([4096, 0, 12], CURVE[:300]),
    "one entry over and over": lambda: item([4096, 0, 12], np.zeros(4096)),
}


@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("name", NO_TABLES)
def test_an_item_that_is_no_table_leaves_the_window(name: str, sequence: str) -> None:
    assert np.abs(grey_with(**{sequence: [NO_TABLES[name]()]}) - EXPECTED).max() <= 1


def test_no_table_leaves_the_rescaling() -> None:
    elements = {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 3095.5, "WindowWidth": 8191}

    assert np.abs(grey_with(ModalityLUTSequence=[Dataset()], **elements) - EXPECTED).max() <= 1


def test_a_good_table_after_a_bad_one_is_applied() -> None:
    assert np.abs(grey_with(VOILUTSequence=[Dataset(), item([4096, 0, 12], CURVE)]) - CURVED).max() <= 1


@pytest.mark.parametrize("as_bytes", [True, False], ids=["OW", "US"])
@pytest.mark.parametrize("bits", [0, 8, 10, 12, 16])
@pytest.mark.parametrize("held", [8, 10, 12, 16])
def test_the_width_of_the_data_counts_and_not_what_is_said_of_it(held: int, bits: int, as_bytes: bool) -> None:
    entries = np.rint(CURVE / 4095 * (2**held - 1))

    grey = grey_with(VOILUTSequence=[item([4096, 0, bits], entries, as_bytes=as_bytes)])
    assert np.abs(grey - CURVED).max() <= 1


@pytest.mark.parametrize("as_bytes", [True, False], ids=["OW", "US"])
@pytest.mark.parametrize("bits", [8, 16])
def test_entries_of_one_byte_are_read_two_a_word(bits: int, as_bytes: bool) -> None:
    entries = np.rint(CURVE / 4095 * 255).astype(np.uint8)

    grey = grey_with(VOILUTSequence=[item([4096, 0, bits], entries.view("<u2"), as_bytes=as_bytes)])
    assert np.abs(grey - CURVED).max() <= 1


def test_a_modality_table_of_more_bits_than_said_keeps_them() -> None:
    entries = RAMP * 16

    grey = grey_with(ModalityLUTSequence=[item([4096, 0, 8], entries)], WindowCenter=32768, WindowWidth=65521)
    assert np.abs(grey - EXPECTED).max() <= 1


def test_a_table_cut_short_above_the_picture_is_applied() -> None:
    values = np.minimum(stored(), 3000)

    grey = read_radiograph(to_bytes(made_dicom(values, VOILUTSequence=[item([4096, 0, 12], CURVE[:3001])]))).grey
    used = int(CURVE[3000])
    assert np.abs(grey - CURVE[values] / (2 ** used.bit_length() - 1) * 255).max() <= 1


def test_tables_without_vrs_in_the_file_are_the_same() -> None:
    data = implicit(made_dicom(VOILUTSequence=[item([4096, 0, 8], CURVE)], ModalityLUTSequence=[item([4096, 0], RAMP)]))

    assert np.abs(read_radiograph(data).grey - CURVED).max() <= 1


def test_a_table_for_other_values_leaves_the_window() -> None:
    assert np.abs(grey_with(VOILUTSequence=[item([4096, 20_000, 12], CURVE)]) - EXPECTED).max() <= 1
