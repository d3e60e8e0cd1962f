"""Tables and folders that a bulk ingest reads: which files, under which ids, with which metadata.

Three tables are known by their columns: CheXpert's (Path, or path_to_image, Sex, Age, Frontal/Lateral, AP/PA), NIH
ChestX-ray14's own (Image Index, Patient ID, …), and a plain one (image, patient_id, patient_age, …).
Entries come one by one, so that an archive of millions needs no more memory than a small one.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from services.image_index.ingest.below_root import Root
from services.image_index.pictures.spellings import patient_sex_of, view_position_of, years_of
from shared.image_ids import image_id_of
from shared.schemas.images import ImageMetadataInput
from shared.tables import TableUnusable, named, open_table

_CHEXPERT_STUDY = re.compile(r"(?:^|[/_])(patient\d+)(?:[/_](study\d+))?(?=[/_])")
_NIH_FOLDERS = ("images", *(f"images_{number:03d}/images" for number in range(1, 13)))  # as the archives unpack

Line = Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """`refused` says why the file must not be read, where it must not."""

    image_id: str
    file: Path
    metadata: ImageMetadataInput
    study_invented: bool = False  # the metadata's study UID names no study of a PACS
    refused: str | None = None


def chexpert_study(path: str) -> tuple[str | None, str | None]:
    """Patient and study UID of a path such as `train/patient00001/study1/view1_frontal.jpg`, with / or _ between.

    The UID is made of the two names, in the form that DICOM has for UUIDs (PS3.5 B.2): it names no study of a PACS.
    """
    match = _CHEXPERT_STUDY.search(path)
    patient, study = match.groups() if match else (None, None)
    return patient, f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'chexpert:{patient}/{study}').int}" if study else None


def read_table(table: Path, images_root: Path, *, follow_links: bool = False) -> Iterator[Entry]:
    """The table's lines, in order. Raises TableUnusable."""
    with open_table(table) as lines:
        columns = next(lines, [])
        layout = next((layout for needed, layout in _LAYOUTS.items() if needed in columns), None)
        if layout is None:
            raise TableUnusable(f"{table} has none of the columns {', '.join(_LAYOUTS)}, by which a layout is known.")
        files = PictureFiles(images_root, follow_links=follow_links)
        for cells in lines:
            if cells:
                yield layout(named(columns, cells), files)


def count_table(table: Path) -> int:
    """How many entries `read_table` gives. Raises TableUnusable."""
    with open_table(table) as lines:
        return max(sum(1 for cells in lines if cells) - 1, 0)


def read_folder(images_root: Path, *, follow_links: bool = False) -> Iterator[Entry]:
    """All files below a folder, in order of their paths. What they are is seen when they are read."""
    root = Root(images_root, follow_links=follow_links)
    for file in _files_below(images_root):
        image_id = image_id_of(file.relative_to(images_root).as_posix())
        yield Entry(image_id, file, ImageMetadataInput(), refused=root.why_not(file))


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

    def __init__(self, root: Path, *, follow_links: bool = False) -> None:
        self._folder = root
        self._root = Root(root, follow_links=follow_links)

    def why_not(self, file: Path) -> str | None:
        """Why the file must not be read; None where it may be."""
        return self._root.why_not(file)

    def chexpert(self, path: str) -> Path:
        """The table's paths begin with the archive's name, which the root may have in it already."""
        whole = self._folder / path
        _archive, _slash, rest = path.partition("/")
        return whole if _exists(whole) or not rest or not _exists(self._folder / rest) else self._folder / rest

    def nih(self, name: str) -> Path:
        return next((folder / name for folder in self._nih_folders if _exists(folder / name)), self._folder / name)

    @cached_property
    def _nih_folders(self) -> list[Path]:
        unpacked = (self._folder / folder for folder in _NIH_FOLDERS)
        return [self._folder, *(folder for folder in unpacked if folder.is_dir())]

    def plain(self, path: str) -> Path:
        return self._folder / path


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:  # too long a path, or a folder that may not be looked into
        return False


def _chexpert(line: Line, files: PictureFiles, column: str = "Path") -> Entry:
    path = line[column]
    lateral = line.get("Frontal/Lateral", "").strip() == "Lateral"
    patient, study = chexpert_study(path)
    metadata = _metadata(
        view="LATERAL" if lateral else line.get("AP/PA", ""),
        sex=line.get("Sex", ""),
        age=line.get("Age", ""),
        patient=patient or line.get("patient_id", ""),
        study=study,
    )
    return _entry(path, files.chexpert(path), metadata, files, study_invented=study is not None)


def _nih(line: Line, files: PictureFiles) -> Entry:
    name = line["Image Index"]
    metadata = _metadata(
        view=line.get("View Position", ""),
        sex=line.get("Patient Gender") or line.get("Patient Sex", ""),
        age=line.get("Patient Age", ""),
        patient=line.get("Patient ID", ""),
    )
    return _entry(name, files.nih(name), metadata, files)


def _plain(line: Line, files: PictureFiles) -> Entry:
    metadata = _metadata(
        view=line.get("view_position", ""),
        sex=line.get("patient_sex", ""),
        age=line.get("patient_age", ""),
        patient=line.get("patient_id", ""),
    )
    return _entry(line["image"], files.plain(line["image"]), metadata, files)


def _entry(
    path: str, file: Path, metadata: ImageMetadataInput, files: PictureFiles, *, study_invented: bool = False
) -> Entry:
    return Entry(image_id_of(path), file, metadata, study_invented, files.why_not(file))


_LAYOUTS: dict[str, Callable[[Line, PictureFiles], Entry]] = {
    "Path": _chexpert,
    "path_to_image": partial(_chexpert, column="path_to_image"),  # the original project's, and CheXpert Plus'
    "Image Index": _nih,
    "image": _plain,
}


def _metadata(*, view: str, sex: str, age: str, patient: str, study: str | None = None) -> ImageMetadataInput:
    """A value that is not understood is left out; no image is lost for it."""
    return ImageMetadataInput(
        view_position=view_position_of(view),
        patient_sex=patient_sex_of(sex),
        patient_age=years_of(age),
        patient_id=patient.strip()[:64] or None,
        study_instance_uid=study,
    )
