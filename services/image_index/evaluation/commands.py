"""The commands that judge an encoder on labelled pictures."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.image_index.evaluation.labels import evaluate_table
from services.image_index.evaluation.pointing import pointing_game as play
from services.image_index.examples.datasets import uncertain_policy
from services.image_index.examples.readers import read_readers
from services.image_index.examples.sources import Part
from services.image_index.parts import open_model
from services.image_index.settings import BUNDLED_MODEL
from services.workbench.json_file import write_json
from services.workbench.plain_errors import plain_errors
from shared.settings import Device

_console = Console()

ImagesRoot = Annotated[Path | None, typer.Option(help="Where the table's paths start; its own folder if not given.")]
Uncertain = Annotated[
    list[str] | None,
    typer.Option(
        help="How CheXpert's -1 is read: ignore, zeros or ones; for one label Edema=ones. Repeat. Ignored by default."
    ),
]
ReadersOption = Annotated[
    list[Path] | None,
    typer.Option("--readers", help="Table of what radiologists saw: image, and a column for each finding. Repeat."),
]
DeviceOption = Annotated[Device, typer.Option(help="auto: a GPU where there is one.")]


def evaluate_labels(
    *,
    csv: Annotated[Path, typer.Option(help="Table in CheXpert's, NIH's or the image/findings layout.")],
    images_root: ImagesRoot = None,
    model: Annotated[Path, typer.Option(help="Image model folder.")] = BUNDLED_MODEL,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for ROC, precision-recall and reliability.")] = None,
    min_positives: Annotated[int, typer.Option(min=1, help="Labels shown by fewer pictures are left out.")] = 1,
    uncertain: Uncertain = None,
    readers: ReadersOption = None,
    part: Annotated[
        Part | None, typer.Option(help="Only these patients, parted as in training; all if not given.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """AUROC, AUPRC, F1 and calibration of each label, with bootstrap intervals by patient.

    With --readers, judged by what radiologists saw, and by nothing else, on the pictures that they read.
    """
    with plain_errors("image-index"), Progress(console=_console, transient=True) as progress:
        task = progress.add_task("Reading pictures", total=None)
        report = evaluate_table(
            open_model(model, device=device),
            csv,
            images_root or csv.parent,
            uncertain=uncertain_policy(uncertain or []),
            readers=read_readers(readers) if readers else None,
            part=part,
            min_positives=min_positives,
            plots=plots,
            on_picture=lambda: progress.advance(task),
        )
    table = Table("label", "positives", "AUROC", "95 %", "AUPRC", "F1", "calibration error")
    for label, f in report["labels"].items():
        interval = f"{f['auroc_low']:.2f}–{f['auroc_high']:.2f}"
        figures = (f"{f[name]:.3f}" for name in ("auprc", "f1", "calibration_error"))
        table.add_row(label, str(f["positives"]), f"{f['auroc']:.3f}", interval, *figures)
    table.add_row("macro", "", f"{report['macro']['auroc']:.3f}", "", f"{report['macro']['auprc']:.3f}")
    _console.print(table)
    if json_out:
        write_json(json_out, report)


def pointing_game(
    boxes: Annotated[Path, typer.Option(help="Folder with labels.csv, its pictures, and boxes.csv in their pixels.")],
    model: Annotated[Path, typer.Option(help="Image model folder.")] = BUNDLED_MODEL,
    part: Annotated[Part, typer.Option(help="Whose boxes: patients are parted as in training.")] = "test",
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    device: DeviceOption = "auto",
) -> None:
    """How often a map's maximum lies in the drawn box, beside two guesses that look at no picture."""
    with plain_errors("image-index"), _console.status("Reading pictures"):
        report = play(open_model(model, device=device), boxes, part)
    table = Table("label", "boxes", "map", "centre", "mean box")
    for label, pointing in report.items():
        shares = (f"{share:.2f}" for share in (pointing.map, pointing.centre, pointing.mean_box))
        table.add_row(label, str(pointing.boxes), *shares)
    _console.print(table)
    if json_out:
        write_json(json_out, {label: asdict(pointing) for label, pointing in report.items()})
