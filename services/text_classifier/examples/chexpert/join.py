"""CheXpert Plus' reports, row by row, with the labels that CheXpert has for their images."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from services.text_classifier.examples.chexpert.labels import NO_PATH, LabelledImage
from services.text_classifier.examples.chexpert.names import name_of
from shared.reasons import Reasons
from shared.tables import TableUnusable, open_table, repeated

PATH, IMPRESSION = "path_to_image", "section_impression"
LONGEST_CELL = 16 * 1024 * 1024  # characters: whole reports stand in one
Views = Literal["PA", "frontal"]


class Joined(NamedTuple):
    key: str
    image: LabelledImage
    impression: str


class ReportTable:
    """Raises TableUnusable where a column is missing, or there twice; or OSError."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with open_table(file, longest_cell=LONGEST_CELL) as lines:
            self._columns = next(lines, [])
        missing = [name for name in (PATH, IMPRESSION) if name not in self._columns]
        if missing:
            raise TableUnusable(f"{file} lacks the columns {', '.join(missing)}.")
        if twice := repeated(self._columns):
            raise TableUnusable(f"{file}: the columns {', '.join(twice)} are there more than once.")

    def joined(
        self, images: Mapping[str, LabelledImage], views: Views, reasons: Reasons, on_bytes: Callable[[int], None]
    ) -> Iterator[Joined]:
        """In the table's order. `reasons` is told of every row that is left out, and at the end of every image of these
        views that has no row. `on_bytes`: as `open_table` has it. Raises TableUnusable.
        """
        path, impression = self._columns.index(PATH), self._columns.index(IMPRESSION)
        seen: set[str] = set()
        with open_table(self.file, longest_cell=LONGEST_CELL, on_bytes=on_bytes) as lines:
            next(lines)
            for cells in filter(None, lines):
                if len(cells) != len(self._columns):
                    reasons.add("The row has more or fewer cells than the header.", f"line {lines.line_num}")
                elif found := _join(cells[path], images, views, seen, reasons):
                    key, image = found
                    yield Joined(key, image, cells[impression])
        for key, image in images.items():
            if key not in seen and why_not(image, views) is None:
                reasons.add(f"In CheXpert's tables, and not in {self.file.name}.", image.path)


def why_not(image: LabelledImage, views: Views) -> str | None:
    """Why an image is not of these views; None where it is."""
    if not image.is_frontal:
        return "A lateral view, by CheXpert's table."
    if views == "PA" and not image.is_pa:
        return "Frontal, but not PA, by CheXpert's table (--views frontal takes it)."
    return None


def _join(
    path: str, images: Mapping[str, LabelledImage], views: Views, seen: set[str], reasons: Reasons
) -> tuple[str, LabelledImage] | None:
    name = name_of(path)
    image = images.get(name.key) if name else None
    if name is None:
        reason = NO_PATH
    elif image is None:
        reason = "Not in CheXpert's tables."
    elif name.key in seen:
        reason = "The image was there already; its first row counts."
    else:
        seen.add(name.key)
        refused = why_not(image, views)
        if refused is None:
            return name.key, image
        reason = refused
    reasons.add(reason, path)
    return None
