"""`fit-chest-gate` makes the gate's parameters; `evaluate-chest-gate` says how well they do."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

_console = Console()
_SHIPPED = Path(__file__).parents[2] / "chest_gate" / "gate.npz"
_SEED_FITTED, _SEED_JUDGED = 1, 2
_PHANTOMS = {"train": 600, "validation": 150}

Data = Annotated[list[Path], typer.Option("--data", help="Folder of frontal radiographs with labels.csv. Repeat.")]


def fit_chest_gate(
    *,
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write; the shipped one if not given.")] = _SHIPPED,
) -> None:
    """Fit the gate that tells chest radiographs from other pictures. The same data give the same file."""
    with _console.status("Reading and drawing pictures"):
        chests, validation, others, _radiographs = _examples(data)
    import numpy as np  # noqa: PLC0415 - as above

    from services.image_index.training.gate.fit import calibrated, fit  # noqa: PLC0415

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
    from services.image_index.chest_gate import shipped_gate  # noqa: PLC0415
    from services.image_index.training.gate import evaluate  # noqa: PLC0415
    from services.image_index.training.gate.examples import Radiographs, others  # noqa: PLC0415

    gate = shipped_gate()
    with _console.status("Reading and drawing pictures"):
        radiographs = Radiographs.read(data)
        judged = others(radiographs.of("test"), _SEED_JUDGED, slow=60, fast=150)
    report: dict[str, dict[str, dict[str, float]]] = {
        "kept": evaluate.kept(gate, radiographs, sorted(dicom.glob("*.dcm")) if dicom else ()),
        "odd chest radiographs kept": evaluate.odd_ones(gate, radiographs),
        "refused": evaluate.refused(gate, judged),
    }
    if unseen:
        with _console.status("Fitting without each family"):
            chests, validation, fitted, _radiographs = _examples(data)
            report["refused, never seen"] = evaluate.refused_unseen(chests, validation, fitted, judged)
    for title, rows in report.items():
        _show(title, rows)
    if json_out:
        json_out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _examples(data: list[Path]) -> Any:
    """What `fit` and `calibrated` take, and the radiographs that it is from."""
    import numpy as np  # noqa: PLC0415

    from services.image_index.training.gate import examples  # noqa: PLC0415

    radiographs = examples.Radiographs.read(data)
    fitted, held_out = radiographs.of("train"), radiographs.of("validation")
    drawn = examples.phantoms("train", _PHANTOMS["train"])
    chests = np.concatenate([examples.with_variations(pictures, 1) for pictures in (fitted, drawn)])
    validation = [
        examples.all_features(held_out),
        examples.all_features(examples.phantoms("validation", _PHANTOMS["validation"])),
    ]
    return chests, validation, examples.others(fitted, _SEED_FITTED), radiographs


def _show(title: str, rows: dict[str, dict[str, float]]) -> None:
    table = Table(title, "pictures", "share", "median score")
    for name, row in rows.items():
        table.add_row(name, str(row["pictures"]), f"{row['share']:.3f}", f"{row['median_score']:.3f}")
    _console.print(table)
