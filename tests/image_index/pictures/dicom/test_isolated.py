import threading
from collections.abc import Iterator
from pathlib import Path

import gdcm
import numpy as np
import pytest

from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput
from tests.image_index.pictures.dicom.made_dicom import made_dicom, recoded


@pytest.fixture
def decoders() -> Iterator[IsolatedDecoders]:
    with IsolatedDecoders() as decoders:
        yield decoders


@pytest.fixture
def jpeg_ls(tmp_path: Path) -> bytes:
    return recoded(made_dicom(), gdcm.TransferSyntax.JPEGLSLossless, tmp_path)


def lethal(jpeg_ls: bytes) -> bytes:
    """The frame header says 2 bits a sample, which GDCM answers by ending the process."""
    place = jpeg_ls.index(b"\xff\xd8\xff\xf7") + 6
    return jpeg_ls[:place] + b"\x02" + jpeg_ls[place + 1 :]


def test_a_file_that_kills_its_decoder_is_invalid_and_the_next_one_is_read(
    decoders: IsolatedDecoders, jpeg_ls: bytes
) -> None:
    with pytest.raises(InvalidInput, match="damaged"):
        read_radiograph(lethal(jpeg_ls), decoders=decoders)

    assert read_radiograph(jpeg_ls, decoders=decoders).grey.shape == (96, 80)


def test_stored_values_come_back_as_they_were(decoders: IsolatedDecoders, jpeg_ls: bytes) -> None:
    assert np.array_equal(decoders.first_frame(jpeg_ls), made_dicom().pixel_array)


def test_threads_do_not_get_each_others_pictures(decoders: IsolatedDecoders, tmp_path: Path) -> None:
    pictures = [np.full((16, 16 + i), 100 * i, dtype=np.uint16) for i in range(3)]
    files = [recoded(made_dicom(p), gdcm.TransferSyntax.JPEGLosslessProcess14_1, tmp_path) for p in pictures]
    right = []

    def decode(i: int) -> None:
        right.append(all(np.array_equal(decoders.first_frame(files[i]), pictures[i]) for _ in range(5)))

    threads = [threading.Thread(target=decode, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert right == [True] * 3
