"""The pictures of the demonstration, and what their own table says of them."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.demo.environment import ROOT
from shared.image_ids import image_id_of
from shared.labels import LABELS, NIH_FINDINGS, LabelName
from shared.tables import read_whole

# In 400 phantoms some ten show what the example impression asks for: few enough to be searched for, enough to be there
# whatever the seed. Drawn label by label as often as reports state them together, so no finding is put in by hand.
PHANTOMS = 400
SIDE = 256
SEED = 1

IMPRESSION = "impression"
"""The column of a table that holds the reports of its pictures."""

_PATHS = ("Path", "Image Index", "image")


@dataclass(frozen=True)
class Stated:
    """What a table says of one picture: in its own words, and as labels of ours."""

    words: str
    labels: frozenset[LabelName]


def phantoms() -> Path:
    return ROOT / f"phantoms-{PHANTOMS}-{SIDE}-{SEED}"


def table_of(gallery: Path) -> Path | None:
    """The CSV that describes the pictures: labels.csv, or else the only one; None where there is none."""
    tables = sorted(gallery.glob("*.csv"))
    chosen = [table for table in tables if table.name == "labels.csv"] or tables
    if len(chosen) > 1:
        sys.exit(f"{gallery} holds {len(tables)} CSV files, none named labels.csv: which one describes the pictures?")
    return chosen[0] if chosen else None


def stated_in(table: Path) -> dict[str, Stated]:
    """What the table says of each picture, by image ID; empty where it says nothing of findings."""
    columns, lines = read_whole(table)
    findings = next((name for name in ("findings", "Finding Labels") if name in columns), None)
    path = _path_column(columns)
    if path is None or (findings is None and set(columns).isdisjoint(LABELS)):
        return {}
    return {
        image_id_of(line[path]): _in_columns(line) if findings is None else _in_words(line[findings]) for line in lines
    }


def reported_of(table: Path) -> str | None:
    """The column of the pictures whose reports the table holds too; None where it holds none."""
    columns, lines = read_whole(table)
    return _path_column(columns) if any(line.get(IMPRESSION, "").strip() for line in lines) else None


def _path_column(columns: Sequence[str]) -> str | None:
    return next((name for name in _PATHS if name in columns), None)


def _in_columns(line: Mapping[str, str]) -> Stated:
    """CheXpert's coding: 1 is present."""
    present = [label for label in LABELS if line.get(label) in {"1", "1.0"}]
    return Stated(", ".join(present), frozenset(present))


def _in_words(words: str) -> Stated:
    """`Cardiomegaly|Effusion`, in NIH's words or in CheXpert's."""
    names = [name.strip() for name in words.split("|") if name.strip()]
    labels = {label for name in names for label in NIH_FINDINGS.get(name, [one for one in LABELS if one == name])}
    return Stated(", ".join(names), frozenset(labels))
