"""From a file's bytes to what the encoder and the store take. Served requests and bulk ingest come through here."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.image_index.encoding.chest_gate.look import Look, look_at
from services.image_index.encoding.encoder import Encoder, Encoding
from services.image_index.patient_keys import PatientKeys
from services.image_index.pictures.burned_in.check import TextCheck, TextFound
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.fingerprint import fingerprint_of
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.read import read_radiograph
from services.image_index.pictures.show import thumbnail_of
from services.image_index.store.new_image import NewImage
from services.image_index.store.reports import NewReport
from shared.errors import NotAChestRadiograph
from shared.schemas.images import ImageMetadata, ImageMetadataInput, StoredMetadata, ViewPosition

HASHED = {"patient_id", "accession_number", "accession_issuer"}
"""What is sent of an image and kept as keyed hashes only."""


@dataclass(frozen=True)
class Prepared:
    """A decoded file."""

    square: Grey  # (S, S), for the encoder
    look: Look  # at the pixels
    thumbnail: bytes
    metadata: ImageMetadata
    patient_id: str | None
    accession_number: str | None
    accession_issuer: str | None
    study_date: date | None
    frames: int | None
    text: TextFound
    other_body_part: str | None  # what in the header says that it is no chest

    def is_lateral(self, sent: ImageMetadataInput | None) -> bool:
        return self.view_position(sent) == "LATERAL"

    def view_position(self, sent: ImageMetadataInput | None) -> ViewPosition | None:
        """Its header's, unless that knows none (OTHER is none of ours) and one was sent along."""
        known = self.metadata.view_position
        given = sent.view_position if sent else None
        return given if given and known in (None, "OTHER") else known


def prepare(
    data: bytes, encoder: Encoder, limits: Limits, decoders: IsolatedDecoders, text_check: TextCheck
) -> Prepared:
    """What is made of the picture is made of it with its text covered, where that is asked for."""
    radiograph = read_radiograph(data, limits, decoders)
    grey, text = text_check(radiograph)
    return Prepared(
        encoder.prepare(grey),
        look_at(grey),
        thumbnail_of(grey),
        radiograph.metadata,
        radiograph.patient_id,
        radiograph.accession_number,
        radiograph.accession_issuer,
        radiograph.study_date,
        radiograph.frames,
        text,
        radiograph.other_body_part,
    )


@dataclass(frozen=True)
class Doubt:
    """`what` is the same for all pictures of a kind; `measured` is of this one."""

    what: str
    measured: str = ""


def doubt_of(prepared: Prepared, sent: ImageMetadataInput | None, threshold: float) -> Doubt | None:
    """What a header calls another part of the body is none. By its pixels a frontal view is judged by its score, and
    what is declared LATERAL by whether it shows anything: the gate knows no laterals. A threshold of 0 takes all.
    """
    look = prepared.look
    if threshold <= 0:
        return None
    if prepared.other_body_part:
        return Doubt(prepared.other_body_part)
    if prepared.is_lateral(sent):
        return Doubt("it shows nothing but one grey, or noise") if look.shows_nothing else None
    if look.chest_score >= threshold:
        return None
    turned = f", but like one turned clockwise by {look.turned} degrees: send it upright" if look.turned else ""
    return Doubt(
        f"it does not look like a frontal one{turned}",
        f" It scores {look.chest_score:.2f}, and {threshold:.2f} is the least that is accepted.",
    )


def check_chest(prepared: Prepared, sent: ImageMetadataInput | None, threshold: float) -> None:
    """Raises NotAChestRadiograph."""
    doubt = doubt_of(prepared, sent, threshold)
    if doubt:
        raise NotAChestRadiograph(
            f"Not taken for a chest radiograph: {doubt.what}.{doubt.measured} "
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
    sent = sent or ImageMetadataInput()
    given = sent.model_dump(exclude_none=True, exclude=HASHED)
    patient_id = prepared.patient_id or sent.patient_id
    accession = prepared.accession_number or sent.accession_number
    issuer = prepared.accession_issuer or sent.accession_issuer
    return StoredMetadata(
        **(given | prepared.metadata.model_dump(exclude_none=True) | {"view_position": prepared.view_position(sent)}),
        patient_key=keys.key_of(patient_id) if patient_id else None,
        accession_key=keys.accession_key(accession, issuer) if accession else None,
        study_date=prepared.study_date if keep_study_date else None,
        frames=prepared.frames,
        masked_regions=len(prepared.text.regions) or None,
        looks_turned=None if prepared.is_lateral(sent) else prepared.look.turned,
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
    report: NewReport | None = None,
) -> NewImage:
    return NewImage(
        image_id=image_id,
        probabilities=encoding.probabilities,
        metadata=metadata,
        content_sha256=content_sha256,
        weights_sha256=weights_sha256,
        thumbnail=prepared.thumbnail,
        cam=encoding.cam,
        report=report,
        fingerprint=fingerprint_of(prepared.thumbnail),
    )
