"""A picture is known again when it was saved anew, and another one is not taken for it."""

import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.image_index.examples.phantoms.phantom import make_phantom
from services.image_index.pictures.fingerprint import fingerprint_of
from services.image_index.pictures.show import thumbnail_of
from services.image_index.ranking.likeness import alike, words_of

Picture = NDArray[np.uint8]


def print_of(picture: Picture) -> bytes | None:
    return fingerprint_of(thumbnail_of(np.ascontiguousarray(picture)))


def same(one: Picture, other: Picture) -> bool:
    words = words_of([print_of(one), print_of(other)])
    return bool(alike(words, words[:, 0])[1])


def resaved(picture: Picture) -> Picture:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=50)
    with Image.open(out) as read:
        return np.asarray(read.convert("L"))


def scaled(picture: Picture) -> Picture:
    height, width = picture.shape
    return np.asarray(Image.fromarray(picture).resize((width // 2, height // 2), Image.Resampling.LANCZOS))


def windowed(picture: Picture) -> Picture:
    return np.clip((picture.astype(np.float64) - 20) * 255 / 200, 0, 255).astype(np.uint8)


COPIES: list[Callable[[Picture], Picture]] = [
    resaved,
    scaled,
    windowed,
    lambda picture: resaved(windowed(scaled(picture))),
    lambda picture: (255 * (picture / 255.0) ** 0.7).astype(np.uint8),
]


@pytest.mark.parametrize("copy", COPIES)
def test_a_phantom_is_known_again(copy: Callable[[Picture], Picture]) -> None:
    pictures = [make_phantom(seed).pixels for seed in range(3)]
    assert all(same(picture, copy(picture)) for picture in pictures)
    assert not any(same(one, copy(other)) for one, other in combinations(pictures, 2))


@pytest.mark.real_data
@pytest.mark.parametrize("copy", COPIES)
def test_a_radiograph_is_known_again_and_no_other_patient_s_is_taken_for_it(
    real_data: Path, copy: Callable[[Picture], Picture]
) -> None:
    files = sorted((real_data / "nih_chestxray14_sample" / "images").iterdir())[::20]
    by_patient = {file.name.split("_")[0]: file for file in files}
    pictures = []
    for file in by_patient.values():
        with Image.open(file) as read:
            pictures.append(np.asarray(read.convert("L")))
    words = words_of([print_of(picture) for picture in pictures])
    copies = words_of([print_of(copy(picture)) for picture in pictures])
    for place in range(len(pictures)):
        assert np.flatnonzero(alike(words, copies[:, place])).tolist() == [place]


def test_what_shows_nothing_and_what_is_no_picture_is_like_none() -> None:
    assert fingerprint_of(b"no picture") is None
    grey = np.full((64, 64), 90, dtype=np.uint8)
    assert print_of(grey) is None
    assert not same(grey, grey)
