"""Tables and folders that a bulk ingest reads: which files, under which ids, with which metadata.

Three tables are known by their columns: CheXpert's (Path, Sex, Age, Frontal/Lateral, AP/PA), NIH ChestX-ray14's own
(Image Index, Patient ID, …), and a plain one (image, patient_id, patient_age, patient_sex, view_position).
Entries come one by one, so that an archive of millions needs no more memory than a small one.
"""

import csv
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from shared.schemas.images import ImageMetadataInput, PatientSex, ViewPosition

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9._:-]")
_MAX_ID = 128
_OLDEST = 130
_SEXES: dict[str, PatientSex] = {"F": "F", "FEMALE": "F", "M": "M", "MALE": "M", "O": "O", "OTHER": "O"}
_VIEWS: dict[str, ViewPosition] = {"PA": "PA", "AP": "AP", "LL": "LATERAL", "RL": "LATERAL", "LATERAL": "LATERAL"}
_CHEXPERT_STUDY = re.compile(r"(?:^|[/_])(patient\d+)(?:[/_](study\d+))?(?=[/_])")
_NIH_FOLDERS = ("images", *(f"images_{number:03d}/images" for number in range(1, 13)))  # as the archives unpack

Line = Mapping[str, str]


class UnknownLayout(Exception):
    """The table is none of the three; the message says what was looked for."""


@dataclass(frozen=True)
class Entry:
    image_id: str
    file: Path
    metadata: ImageMetadataInput
    study_invented: bool = False  # the metadata's study UID names no study of a PACS


def image_id_of(path: str) -> str:
    """The path without its ending, `/` as `:`. Other characters that an id may not hold become `_`.

    Empty where nothing of the path may stand in an id.
    """
    whole = PurePosixPath(path)
    name = whole.with_suffix("").as_posix().replace("/", ":") if whole.name else ""
    return _NOT_IN_AN_ID.sub("_", name).lstrip("._:-")[-_MAX_ID:].lstrip("._:-")


def chexpert_study(path: str) -> tuple[str | None, str | None]:
    """Patient and study UID of a path such as `train/patient00001/study1/view1_frontal.jpg`, with / or _ between.

    The UID is made of the two names, in the form that DICOM has for UUIDs (PS3.5 B.2): it names no study of a PACS.
    """
    match = _CHEXPERT_STUDY.search(path)
    patient, study = match.groups() if match else (None, None)
    return patient, f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'chexpert:{patient}/{study}').int}" if study else None


def read_table(table: Path, images_root: Path) -> Iterator[Entry]:
    """The table's lines, in order. Raises UnknownLayout."""
    with table.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        columns = reader.fieldnames or ()
        layout = next((layout for needed, layout in _LAYOUTS.items() if needed in columns), None)
        if layout is None:
            raise UnknownLayout(f"{table} has none of the columns {', '.join(_LAYOUTS)}, by which a layout is known.")
        files = PictureFiles(images_root)
        for line in reader:
            yield layout({name: value or "" for name, value in line.items() if name}, files)


def count_table(table: Path) -> int:
    """How many entries `read_table` gives."""
    with table.open(newline="", encoding="utf-8-sig") as stream:
        return max(sum(1 for line in csv.reader(stream) if line) - 1, 0)


def read_folder(images_root: Path) -> Iterator[Entry]:
    """All files below a folder, in order of their paths. What they are is seen when they are read."""
    for file in _files_below(images_root):
        yield Entry(image_id_of(file.relative_to(images_root).as_posix()), file, ImageMetadataInput())


def count_folder(images_root: Path) -> int:
    return sum(1 for _file in _files_below(images_root))


def _files_below(folder: Path) -> Iterator[Path]:
    """One folder is held at a time. Names that begin with a dot are passed over; links to folders are not followed."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        elif path.is_file():
            yield path


class PictureFiles:
    """Finds a table's pictures below the root, wherever the archive's own folders were unpacked to."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def chexpert(self, path: str) -> Path:
        """The table's paths begin with the archive's name, which the root may have in it already."""
        whole = self._root / path
        _archive, _slash, rest = path.partition("/")
        return whole if whole.exists() or not rest or not (self._root / rest).exists() else self._root / rest

    def nih(self, name: str) -> Path:
        return next((folder / name for folder in self._nih_folders if (folder / name).exists()), self._root / name)

    @cached_property
    def _nih_folders(self) -> list[Path]:
        return [self._root, *(self._root / folder for folder in _NIH_FOLDERS if (self._root / folder).is_dir())]

    def plain(self, path: str) -> Path:
        return self._root / path


def _chexpert(line: Line, files: PictureFiles) -> Entry:
    path = line["Path"]
    lateral = line.get("Frontal/Lateral", "").strip() == "Lateral"
    patient, study = chexpert_study(path)
    metadata = _metadata(
        view="LATERAL" if lateral else line.get("AP/PA", ""),
        sex=line.get("Sex", ""),
        age=line.get("Age", ""),
        patient=patient or "",
        study=study,
    )
    return Entry(image_id_of(path), files.chexpert(path), metadata, study_invented=study is not None)


def _nih(line: Line, files: PictureFiles) -> Entry:
    name = line["Image Index"]
    metadata = _metadata(
        view=line.get("View Position", ""),
        sex=line.get("Patient Gender") or line.get("Patient Sex", ""),
        age=line.get("Patient Age", ""),
        patient=line.get("Patient ID", ""),
    )
    return Entry(image_id_of(name), files.nih(name), metadata)


def _plain(line: Line, files: PictureFiles) -> Entry:
    metadata = _metadata(
        view=line.get("view_position", ""),
        sex=line.get("patient_sex", ""),
        age=line.get("patient_age", ""),
        patient=line.get("patient_id", ""),
    )
    return Entry(image_id_of(line["image"]), files.plain(line["image"]), metadata)


_LAYOUTS: dict[str, Callable[[Line, PictureFiles], Entry]] = {"Path": _chexpert, "Image Index": _nih, "image": _plain}


def _metadata(*, view: str, sex: str, age: str, patient: str, study: str | None = None) -> ImageMetadataInput:
    """A value that is not understood is left out; no image is lost for it."""
    view = view.strip().upper()
    return ImageMetadataInput(
        view_position=_VIEWS.get(view, "OTHER") if view else None,
        patient_sex=_SEXES.get(sex.strip().upper()),
        patient_age=_age(age),
        patient_id=patient.strip()[:64] or None,
        study_instance_uid=study,
    )


def _age(text: str) -> float | None:
    """Years: `63`, `63.0`, or NIH's `063Y`, `011M`, `003D`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([YMWD]?)", text.strip().upper())
    if match is None:
        return None
    years = float(match[1]) / {"": 1, "Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}[match[2]]
    return round(years, 2) if years <= _OLDEST else None
