"""`fit-chest-gate` makes the gate's parameters; `evaluate-chest-gate` says how well they do."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from services.image_index.encoding.chest_gate.features import Features
from services.image_index.encoding.chest_gate.gate import SHIPPED, shipped_gate
from services.image_index.training.gate import examples, judge
from services.image_index.training.gate.fit import calibrated, fit
from services.image_index.training.gate.options import Data
from services.workbench.json_file import write_json
from services.workbench.plain_errors import plain_errors

_console = Console()
_SEED_FITTED, _SEED_JUDGED = 1, 2
_PHANTOMS = {"train": 300, "validation": 100}


def fit_chest_gate(
    *,
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write; the shipped one if not given.")] = SHIPPED,
) -> None:
    """Fit the gate that tells chest radiographs from other pictures. The same data give the same file."""
    with plain_errors("image-index"):
        with _console.status("Reading and drawing pictures"):
            chests, validation, others = _examples(data)
        with _console.status("Fitting"):
            calibrated(fit(chests, np.concatenate(list(others.values()))), validation).write(out)
    _console.print(f"{len(chests):,} chests and {sum(map(len, others.values())):,} others fitted: {out}")


def evaluate_chest_gate(
    *,
    data: Data,
    dicom: Annotated[Path | None, typer.Option(help="Folder of DICOM files that are chest radiographs.")] = None,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="Fit again without each family of other pictures, and judge by that.")
    ] = False,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Which share of the test patients' radiographs the gate keeps, and which share of other pictures it refuses."""
    with plain_errors("image-index"):
        gate = shipped_gate()
        with _console.status("Reading and drawing pictures"):
            radiographs = examples.Radiographs.read(data)
            judged = examples.others(radiographs.of("test"), _SEED_JUDGED, slow=60, fast=150)
        with _console.status("Judging"):
            report = {
                "kept": judge.kept(gate, radiographs, sorted(dicom.glob("*.dcm")) if dicom else ()),
                "odd chest radiographs kept": judge.odd_ones(gate, radiographs),
                "refused": judge.refused(gate, judged),
            }
            if unseen:
                report["refused, never seen"] = judge.refused_unseen(*_examples(data), judged)
    for title, rows in report.items():
        _show(title, rows)
    if json_out:
        write_json(json_out, report)


def _examples(data: list[Path]) -> tuple[Features, list[Features], dict[str, Features]]:
    """Chests to fit, sets of chests to calibrate by, and others to fit, by kind."""
    radiographs = examples.Radiographs.read(data)
    fitted, held_out = radiographs.of("train"), radiographs.of("validation")
    drawn = examples.phantoms("train", _PHANTOMS["train"])
    chests = np.concatenate([examples.with_variations(pictures, 1) for pictures in (fitted, drawn)])
    validation = [
        examples.all_features(held_out),
        np.concatenate([examples.all_features(examples.variations(held_out, seed)) for seed in (7, 8, 9)]),
        examples.with_variations(examples.phantoms("validation", _PHANTOMS["validation"]), 4),
    ]
    return chests, validation, examples.others(fitted, _SEED_FITTED)


def _show(title: str, rows: dict[str, dict[str, float]]) -> None:
    table = Table(title, "pictures", "share", "median score")
    for name, row in rows.items():
        table.add_row(name, str(row["pictures"]), f"{row['share']:.3f}", f"{row['median_score']:.3f}")
    _console.print(table)
