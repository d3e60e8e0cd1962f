"""One image as searches need it: what lies in memory, and what the checksum covers."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.image_index.store.reports import report_blob
from shared.schemas.images import StoredMetadata

CHECKSUM_SPACE = 2**64


class Row(NamedTuple):
    """In the order in which SQLite gives them; a plain tuple, since a start reads hundreds of thousands."""

    image_id: str
    probabilities: bytes  # 14 little-endian float32
    generation: int
    view_position: str | None
    patient_sex: str | None
    patient_age: float | None
    study_instance_uid: str | None
    patient_key: str | None
    study_date: str | None  # in ISO 8601
    fingerprint: bytes | None  # of its picture, see `pictures.fingerprint`
    report_evidence: bytes | None  # 14 little-endian float16


@dataclass(frozen=True)
class Change:
    """`row` is None for a deletion."""

    image_id: str
    row: Row | None


def make_row(
    image_id: str,
    probabilities: NDArray[np.float32],
    metadata: StoredMetadata,
    generation: int,
    report_evidence: NDArray[np.float16] | None = None,
    *,
    fingerprint: bytes | None = None,
) -> Row:
    return Row(
        image_id,
        to_blob(probabilities),
        generation,
        metadata.view_position,
        metadata.patient_sex,
        metadata.patient_age,
        metadata.study_instance_uid,
        metadata.patient_key,
        metadata.study_date.isoformat() if metadata.study_date else None,
        fingerprint,
        None if report_evidence is None else report_blob(report_evidence),
    )


def to_blob(probabilities: NDArray[np.float32]) -> bytes:
    return probabilities.astype("<f4").tobytes()


def digest(row: Row) -> int:
    """64 bits of one row. The sum over all rows, modulo CHECKSUM_SPACE, is the checksum of an index in any order.

    A row without a study date has the digest that it had before dates were counted in. The fingerprint is left out: it
    is made of the picture, by a decoder of JPEG whose versions may differ in a bit.
    """
    image_id, probabilities, generation, view, sex, age, study, patient, study_date, _fingerprint, report = row
    text = f"{image_id}\x1f{generation}\x1f{view}\x1f{sex}\x1f{age}\x1f{study}\x1f{patient}\x1f"
    if study_date is not None:
        text += f"{study_date}\x1f"
    content = text.encode() + probabilities + (report or b"")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())
