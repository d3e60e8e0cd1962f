"""What radiologists saw in pictures, in place of what a program read out of their reports.

A readers' table names a picture in `image` and has a column for each finding: 1 seen, 0 not seen, blank or -1 not said.
Findings are named as CheXpert's labels, NIH's or ChestX-Det's (Lian et al., 2021); `rsna_class` is a picture's class in
the RSNA Pneumonia Detection Challenge (Shih et al., Radiology: AI 2019). Other columns are not read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath

from services.image_index.examples.datasets import Row
from shared.labels import LABELS, NIH_FINDINGS, NO_FINDING, LabelName
from shared.tables import TableUnusable, named, open_table

Seen = Mapping[LabelName, bool]  # a label that is not in it was not spoken of
Place = tuple[str, ...]  # the end of a picture's path, without the file's ending

_IMAGE, _RSNA_CLASS = "image", "rsna_class"
_CHESTX_DET: Mapping[str, tuple[LabelName, ...]] = {
    "Calcification": (),
    "Diffuse Nodule": ("Lung Lesion",),
    "Pleural Thickening": ("Pleural Other",),
}
_FINDINGS: Mapping[str, tuple[LabelName, ...]] = {
    **{label: (label,) for label in LABELS},
    **{finding.replace("_", " "): labels for finding, labels in NIH_FINDINGS.items()},
    **_CHESTX_DET,
}
# A label's absence follows from findings only where all of these were looked for.
_WHOLE = {
    label: {finding.replace("_", " ") for finding, labels in NIH_FINDINGS.items() if label in labels} or {label}
    for label in LABELS
}
_RSNA_CLASSES: Mapping[str, Seen] = {
    "Normal": {"No Finding": True, "Lung Opacity": False},
    "Lung Opacity": {"No Finding": False, "Lung Opacity": True},
    "No Lung Opacity / Not Normal": {"No Finding": False, "Lung Opacity": False},
}
_CELLS = {"1": True, "1.0": True, "0": False, "0.0": False, "": None, "-1": None, "-1.0": None}


@dataclass(frozen=True)
class Readers:
    """By picture, the labels that somebody spoke of: None where two readings of one picture disagree."""

    readings: Mapping[Place, Mapping[LabelName, bool | None]]
    names: Sequence[str] = ()  # of the tables

    def of(self, picture: PurePath) -> Mapping[LabelName, bool | None]:
        """Empty where nobody read the picture. It is known by its name, or by as much of its path as the table says."""
        parts = picture.with_suffix("").parts
        ends = (parts[start:] for start in range(len(parts)))
        return next((self.readings[end] for end in ends if end in self.readings), {})

    def before_mined(self, rows: Sequence[Row]) -> list[Row]:
        """All rows, with readers' labels in place of the rows' own where they spoke, unknown where they disagree; of
        these no probability is left that a text gave them.
        """
        return [self._before_mined(row) for row in rows]

    def _before_mined(self, row: Row) -> Row:
        read = self.of(row.path)
        unread = {label: p for label, p in row.probabilities.items() if label not in read}
        return replace(row, labels=_decided({**row.labels, **read}), probabilities=unread)

    def alone(self, rows: Sequence[Row]) -> list[Row]:
        """The rows whose pictures were read, with the readers' labels and no others."""
        read = [replace(row, labels=_decided(self.of(row.path)), probabilities={}) for row in rows]
        return [row for row in read if row.labels]


def read_readers(tables: Sequence[Path]) -> Readers:
    """All tables together. Raises TableUnusable, naming the line where there is one."""
    readings: dict[Place, dict[LabelName, bool | None]] = {}
    for table in tables:
        for place, seen in _lines(table):
            said = readings.setdefault(place, {})
            for label, present in seen.items():
                said[label] = present if said.get(label, present) == present else None
    return Readers(readings, [table.name for table in tables])


def _lines(table: Path) -> list[tuple[Place, Seen]]:
    with open_table(table) as lines:
        columns = next(lines, [])
        if _IMAGE not in columns or not any(_finding(name) or name == _RSNA_CLASS for name in columns):
            raise TableUnusable(f"{table} is no readers' table: it needs the column image, and one named as a finding.")
        read = []
        for cells in lines:
            if cells:
                line = named(columns, cells)
                try:
                    read.append((PurePosixPath(line[_IMAGE]).with_suffix("").parts, _seen(line)))
                except ValueError as wrong:
                    raise TableUnusable(f"{table}, line {lines.line_num}: {wrong}.") from wrong
        return read


def _finding(column: str) -> str | None:
    name = column.replace("_", " ")
    return name if name in _FINDINGS else None


def _seen(line: Mapping[str, str]) -> Seen:
    """Raises ValueError for a cell that says nothing that is known."""
    if _RSNA_CLASS in line:
        if line[_RSNA_CLASS] not in _RSNA_CLASSES:
            raise ValueError(f"{line[_RSNA_CLASS]!r} is no class of the RSNA challenge")
        return _RSNA_CLASSES[line[_RSNA_CLASS]]
    said: dict[str, bool] = {}
    for column, cell in line.items():
        finding = _finding(column)
        if finding is None:
            continue
        if cell.strip() not in _CELLS:
            raise ValueError(f"{column} is {cell!r}, and not 1, 0, -1 or blank")
        value = _CELLS[cell.strip()]
        if value is not None:
            said[finding] = value
    return _labels(said)


def _labels(said: Mapping[str, bool]) -> Seen:
    """From findings to labels. A finding denies No Finding, but a device does not; no finding does not prove it."""
    present = {label for finding, seen in said.items() if seen for label in _FINDINGS[finding]}
    labels: dict[LabelName, bool] = {}
    for label in LABELS:
        if label in present:
            labels[label] = True
        elif label in said or _WHOLE[label] <= said.keys():
            labels[label] = False
    if NO_FINDING not in labels and present - {"Support Devices"}:
        labels[NO_FINDING] = False
    return labels


def _decided(labels: Mapping[LabelName, bool | None]) -> Seen:
    return {label: present for label, present in labels.items() if present is not None}
