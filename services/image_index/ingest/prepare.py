"""From a file's bytes to what the encoder and the store take. Served requests and bulk ingest come through here."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.image_index.encoding.chest_gate import shipped_gate
from services.image_index.encoding.encoder import Encoder, Encoding
from services.image_index.patient_keys import PatientKeys
from services.image_index.pictures.burned_in.check import TextCheck, TextFound
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.read import read_radiograph
from services.image_index.pictures.show import thumbnail_of
from services.image_index.store.new_image import NewImage
from shared.errors import NotAChestRadiograph
from shared.schemas.images import ImageMetadata, ImageMetadataInput, StoredMetadata


@dataclass(frozen=True)
class Prepared:
    """A decoded file."""

    square: Grey  # (S, S), for the encoder
    chest_score: float  # in [0, 1]: how much it looks like a frontal chest radiograph
    thumbnail: bytes
    metadata: ImageMetadata
    patient_id: str | None
    study_date: date | None
    frames: int | None
    text: TextFound


def prepare(
    data: bytes, encoder: Encoder, limits: Limits, decoders: IsolatedDecoders, text_check: TextCheck
) -> Prepared:
    """What is made of the picture is made of it with its text covered, where that is asked for."""
    radiograph = read_radiograph(data, limits, decoders)
    grey, text = text_check(radiograph)
    return Prepared(
        encoder.prepare(grey),
        shipped_gate().score(grey),
        thumbnail_of(grey),
        radiograph.metadata,
        radiograph.patient_id,
        radiograph.study_date,
        radiograph.frames,
        text,
    )


def check_chest(prepared: Prepared, sent: ImageMetadataInput | None, threshold: float) -> None:
    """Raises NotAChestRadiograph. The gate knows frontal views only: what is declared as lateral is let through."""
    views = (prepared.metadata.view_position, sent.view_position if sent else None)
    if prepared.chest_score < threshold and "LATERAL" not in views:
        raise NotAChestRadiograph(
            "The picture does not look like a frontal chest radiograph: it scores "
            f"{prepared.chest_score:.2f}, and {threshold:.2f} is the least that is accepted. "
            "If it is one, or for research, send it again with accept_any=true."
        )


def read_file(file: Path, limits: Limits) -> bytes:
    """Raises PayloadTooLarge before anything is read, or OSError."""
    limits.check_bytes(file.stat().st_size)
    return file.read_bytes()


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def id_from_content(content_sha256: str) -> str:
    """The id of a picture that was given none and brings none."""
    return content_sha256[:32]


def stored_metadata(
    prepared: Prepared,
    sent: ImageMetadataInput | None,
    keys: PatientKeys,
    *,
    keep_study_date: bool = False,
    study_invented: bool = False,
) -> StoredMetadata:
    """What the file says of itself counts; what was sent along fills the gaps.

    `study_invented`: whether the study UID that was sent along names no study of a PACS.
    """
    given = {} if sent is None else sent.model_dump(exclude_none=True, exclude={"patient_id"})
    patient_id = prepared.patient_id or (sent.patient_id if sent else None)
    return StoredMetadata(
        **(given | prepared.metadata.model_dump(exclude_none=True)),
        patient_key=keys.key_of(patient_id) if patient_id else None,
        study_date=prepared.study_date if keep_study_date else None,
        frames=prepared.frames,
        masked_regions=len(prepared.text.regions) or None,
        study_invented=study_invented and prepared.metadata.study_instance_uid is None,
    )


def new_image(
    image_id: str,
    prepared: Prepared,
    encoding: Encoding,
    metadata: StoredMetadata,
    *,
    content_sha256: str,
    weights_sha256: str,
) -> NewImage:
    return NewImage(
        image_id=image_id,
        probabilities=encoding.probabilities,
        metadata=metadata,
        content_sha256=content_sha256,
        weights_sha256=weights_sha256,
        thumbnail=prepared.thumbnail,
        cam=encoding.cam,
    )
