"""By which column of a table a report's images are known."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from pydantic import TypeAdapter, ValidationError

from services.image_index.ingest.predictions.table import PATH
from services.image_index.patient_keys import PatientKeys
from services.image_index.store.reports import ReportTarget, TargetKind
from shared.image_ids import image_id_of
from shared.schemas.images import AccessionNumber, DicomUid, ImageId

_PICTURES = (".png", ".jpg", ".jpeg", ".dcm", ".dicom")
_IMAGE_ID: TypeAdapter[str] = TypeAdapter(ImageId)
_UID: TypeAdapter[str] = TypeAdapter(DicomUid)
_ACCESSION: TypeAdapter[str] = TypeAdapter(AccessionNumber)


@dataclass(frozen=True)
class NamedBy:
    kind: TargetKind = "image"
    column: str = PATH

    @classmethod
    def of(cls, image: str | None, study: str | None, accession: str | None) -> Self:
        """By the one column that is given, else by paths."""
        if study is not None:
            return cls("study", study)
        return cls("accession", accession) if accession is not None else cls("image", image or PATH)

    def target(self, cell: str, keys: PatientKeys) -> ReportTarget:
        """Raises ValueError, which does not repeat the cell: an accession number is in no message."""
        try:
            return ReportTarget(self.kind, self._key(cell, keys))
        except ValidationError:
            raise ValueError(f"{self.column} holds no {_WHAT[self.kind]}.") from None

    def _key(self, cell: str, keys: PatientKeys) -> str:
        if self.kind == "study":
            return _UID.validate_python(cell)
        if self.kind == "accession":
            return keys.accession_key(_ACCESSION.validate_python(cell))
        return _IMAGE_ID.validate_python(image_id_of(cell) if self._is_path(cell) else cell)

    def _is_path(self, cell: str) -> bool:
        """Else it is an id: the last number of a UID is no ending of a file's name."""
        return self.column == PATH or "/" in cell or PurePosixPath(cell).suffix.lower() in _PICTURES


_WHAT = {"image": "image id, and no path", "study": "Study Instance UID", "accession": "accession number"}
