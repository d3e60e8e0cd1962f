"""Small made-up copies of CheXpert's tables and CheXpert Plus', in their layouts. Nobody's data."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.labels import LABELS

CHEXPERT_COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *LABELS)
PLUS_COLUMNS = (
    "path_to_image",
    "path_to_dcm",
    "frontal_lateral",
    "ap_pa",
    "deid_patient_id",
    "patient_report_date_order",
    "report",
    "section_findings",
    "section_impression",
    "age",
    "sex",
)
REPORT = "NARRATIVE:\nCHEST ONE VIEW, SECRET WORDS\n\nIMPRESSION:\n1.  Said, in\nmany lines\n"


def place(patient: int, view: str = "view1_frontal", *, part: str = "train", study: int = 1) -> str:
    """Without an ending."""
    return f"{part}/patient{patient:05d}/study{study}/{view}"


def labelled(
    path: str, *, archive: str = "CheXpert-v1.0-small", view: str = "Frontal", film: str = "PA", **codes: str
) -> dict[str, str]:
    """`codes`: of labels in one word."""
    described = {"Path": f"{archive}/{path}.jpg", "Sex": "Female", "Age": "68", "Frontal/Lateral": view, "AP/PA": film}
    return {**dict.fromkeys(LABELS, ""), **described, **codes}


def report(path: str, impression: str = "Said.", ending: str = ".jpg") -> dict[str, str]:
    return {
        "path_to_image": path + ending,
        "path_to_dcm": f"{path}.dcm",
        "frontal_lateral": "Frontal",
        "deid_patient_id": path.split("/")[1] if "/" in path else "",
        "report": REPORT,
        "section_impression": impression,
    }


def write(file: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]], *, bom: bool = False) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8-sig" if bom else "utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def chexpert_folder(
    folder: Path, train: Sequence[Mapping[str, str]], valid: Sequence[Mapping[str, str]] = (), *, bom: bool = False
) -> Path:
    write(folder / "train.csv", CHEXPERT_COLUMNS, train, bom=bom)
    write(folder / "valid.csv", CHEXPERT_COLUMNS, valid, bom=bom)
    return folder


def plus_table(folder: Path, rows: Sequence[Mapping[str, str]], *, bom: bool = False) -> Path:
    return write(folder / "plus.csv", PLUS_COLUMNS, rows, bom=bom)


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
