"""What routes tell of the request that they answer: whose pictures and reports it touched, and which models did it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope

from shared.schemas.images import ImageRecord
from shared.schemas.search import IndexHit

_NOTES = "audit"


@dataclass
class Notes:
    """`models`: the SHA-256 of the weights, of the text model and of the image model. The accession number is hashed
    before it is written. Of what is shown, the order is kept and none is named twice.
    """

    images: dict[str, None] = field(default_factory=dict)
    studies: dict[str, None] = field(default_factory=dict)
    patients: dict[str, None] = field(default_factory=dict)  # by the keyed hashes that stand for their ids
    shown_images: dict[str, None] = field(default_factory=dict)
    shown_studies: dict[str, None] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    accession_number: str | None = None
    generation: int | None = None

    def named(self) -> dict[str, list[str]]:
        """Whom the call was about, as it may be kept: for the line of an answer that is given again."""
        return {"images": list(self.images), "studies": list(self.studies), "patients": list(self.patients)}

    def name_again(self, named: Mapping[str, Iterable[str]]) -> None:
        for kind, names in named.items():
            getattr(self, kind).update(dict.fromkeys(names))


def notes_of(scope: Scope) -> Notes:
    notes: Notes = scope.setdefault("state", {}).setdefault(_NOTES, Notes())
    return notes


def note(
    request: Request,
    *,
    record: ImageRecord | None = None,
    shown: Iterable[ImageRecord | IndexHit] = (),
    patient_key: str | None = None,
    accession_number: str | None = None,
    models: Mapping[str, str] | None = None,
    generation: int | None = None,
) -> None:
    """Adds to what is known. What the path names needs no telling; `record` is the image that the call was about, and
    `shown` are those that its answer holds.
    """
    notes = notes_of(request.scope)
    if record is not None:
        notes.images[record.image_id] = None
        notes.models["image"] = record.weights_sha256
        if record.metadata.study_instance_uid is not None:
            notes.studies[record.metadata.study_instance_uid] = None
    for image in shown:
        notes.shown_images[image.image_id] = None
        if image.metadata.study_instance_uid is not None:
            notes.shown_studies[image.metadata.study_instance_uid] = None
    if patient_key is not None:
        notes.patients[patient_key] = None
    notes.models.update(models or {})
    notes.accession_number = accession_number or notes.accession_number
    notes.generation = notes.generation if generation is None else generation
