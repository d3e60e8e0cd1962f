"""Whatever bytes come in: a picture or one of the three answers to a bad file, never another exception."""

import io
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.uid import JPEG2000Lossless, RLELossless

from services.image_index.pixels import read_radiograph
from services.image_index.radiograph import Limits
from shared.errors import InvalidInput, PayloadTooLarge, UnsupportedMediaType
from tests.image_index.made_dicom import made_dicom, made_picture, to_bytes

# Damage makes pydicom warn; a service ignores its warnings, a test would turn them into errors.
pytestmark = pytest.mark.filterwarnings("ignore")

LIMITS = Limits(max_bytes=2**20, max_pixels=100_000, max_frames=4)


@cache
def seeds() -> tuple[bytes, ...]:
    picture = Image.fromarray(np.rint(made_picture() * 255).astype(np.uint8))
    files = []
    for kind in ("PNG", "JPEG"):
        out = io.BytesIO()
        picture.save(out, kind)
        files.append(out.getvalue())
    files.append(to_bytes(made_dicom(made_dicom().pixel_array)))
    for syntax in (RLELossless, JPEG2000Lossless):
        dataset = made_dicom()
        dataset.compress(syntax, encoding_plugin="pylibjpeg")
        files.append(to_bytes(dataset))
    return tuple(files)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(1, 8))):
        # Headers lie at the start: damage there reaches further than damage among the pixels.
        place = draw(st.integers(0, min(len(data), 1500) - 1) | st.integers(0, len(data) - 1))
        data[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=6))
    return bytes(data[: draw(st.integers(1, len(data)))] if draw(st.booleans()) else data)


@given(damaged())
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_is_a_picture_or_a_clear_refusal(data: bytes) -> None:
    with suppress(InvalidInput, PayloadTooLarge, UnsupportedMediaType):
        radiograph = read_radiograph(data, LIMITS)
        assert radiograph.grey.dtype == np.uint8
        assert 0 < radiograph.grey.size <= LIMITS.max_pixels
