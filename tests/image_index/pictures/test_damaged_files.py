"""Whatever bytes come in: a picture or one of the three answers to a bad file, never another exception.

`CHEX_DAMAGED_FILES=10000 pytest tests/image_index/pictures/test_damaged_files.py` tries so many.
"""

import os
import resource
from collections import Counter
from collections.abc import Iterator
from random import Random

import httpx
import numpy as np
import pytest

from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput, PayloadTooLarge, UnsupportedMediaType
from tests.image_index.pictures.damage import damaged

# Damage makes pydicom warn; a service ignores its warnings, a test would turn them into errors.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

FILES = int(os.environ.get("CHEX_DAMAGED_FILES", "600"))
MIB = 2**20
LIMITS = Limits(max_bytes=MIB, max_pixels=100_000, max_frames=4)
ANSWERS = {InvalidInput: 422, PayloadTooLarge: 413, UnsupportedMediaType: 415}


@pytest.fixture(scope="module")
def decoders() -> Iterator[IsolatedDecoders]:
    with IsolatedDecoders() as decoders:
        yield decoders


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_a_damaged_file_is_a_picture_or_a_clear_refusal(decoders: IsolatedDecoders) -> None:
    outcomes: Counter[str] = Counter()
    damaged(Random(0))  # what the files are made from is made once
    before = peak_memory()
    for seed in range(FILES):
        data = damaged(Random(seed))
        try:
            grey = read_radiograph(data, LIMITS, decoders).grey
        except tuple(ANSWERS) as refusal:
            outcomes[type(refusal).__name__] += 1
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error
        else:
            assert grey.dtype == np.uint8, f"seed {seed}"
            assert 0 < grey.size <= LIMITS.max_pixels, f"seed {seed}"
            outcomes["a picture"] += 1

    print(dict(outcomes), f"{(peak_memory() - before) / MIB:.0f} MiB more than before")  # noqa: T201 - shown with -s
    assert min(outcomes["a picture"], *(outcomes[refusal.__name__] for refusal in ANSWERS)) > 0
    assert peak_memory() - before < 300 * MIB


async def test_a_damaged_file_is_never_a_server_error(client: httpx.AsyncClient) -> None:
    statuses: Counter[int] = Counter()
    for seed in range(FILES, FILES + FILES // 6):
        response = await client.post("/v1/images", content=damaged(Random(seed)), params={"accept_any": True})
        statuses[response.status_code] += 1
        assert response.status_code in {200, 201, 409, *ANSWERS.values()}, f"seed {seed}: {response.text}"

    print(dict(statuses))  # noqa: T201
    assert statuses[201] > 0
    assert statuses[422] > 0
