"""The commands of `python -m services.image_index` that need no service: phantoms, train, export, evaluate-labels.

What needs torch is imported inside the command, so that the serving install can list and explain them all.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

if TYPE_CHECKING:
    from services.image_index.training.train import EpochReport

_console = Console()
_NEEDS_TRAINING = "This command needs the training packages: pip install '.[train]'"

Data = Annotated[
    list[Path] | None,
    typer.Option("--data", help="Folder with labels.csv, or a table in CheXpert's or NIH's layout. Repeat."),
]
ImagesRoot = Annotated[Path | None, typer.Option(help="Where the table's paths start; its own folder if not given.")]
Side = Annotated[int, typer.Option("--size", min=32, help="Side of the network's square input, in pixels.")]
Phantoms = Annotated[int, typer.Option(min=0, help="How many phantoms join the training pictures.")]


def phantoms(
    out: Annotated[Path, typer.Option(help="Folder to write the pictures and labels.csv to.")],
    count: Annotated[int, typer.Option(min=1)] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same gallery.")] = 0,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Side in pixels.")] = 512,
) -> None:
    """Draw a gallery of procedural radiographs in CheXpert's layout, with impressions."""
    from services.image_index.training.phantoms import write_gallery  # noqa: PLC0415

    with Progress(console=_console) as progress:
        task = progress.add_task("Phantoms", total=count)
        table = write_gallery(out, count, seed, size, on_picture=lambda done: progress.update(task, completed=done))
    _console.print(f"{count} phantoms: {table}")


def train(
    *,
    run: Annotated[Path, typer.Option(help="Folder of checkpoints; a run that stopped there goes on.")],
    data: Data = None,
    images_root: ImagesRoot = None,
    size: Side = 128,
    phantoms: Phantoms = 2000,
    architecture: Annotated[str, typer.Option(help="efficientnet_lite0 or resnet50")] = "efficientnet_lite0",
    epochs: Annotated[int, typer.Option(min=1)] = 20,
    batch: Annotated[int, typer.Option(min=2)] = 32,
    learning_rate: Annotated[float, typer.Option(min=0.0)] = 6e-4,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without a better macro AUROC before it stops.")] = 8,
    seed: int = 0,
    frozen_blocks: Annotated[int, typer.Option(min=0, max=16, help="Early blocks left as they are: faster.")] = 0,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to start from (a smaller size, for example).")] = None,
    teacher: Annotated[Path | None, typer.Option(help="Checkpoint whose opinion is to be learned too.")] = None,
) -> None:
    """Train an encoder on radiographs and phantoms; goes on where it stopped."""
    try:
        from services.image_index.training.network import known_architecture  # noqa: PLC0415
        from services.image_index.training.pipeline import gather, train_encoder  # noqa: PLC0415
        from services.image_index.training.train import TrainOptions  # noqa: PLC0415
    except ImportError as missing:
        raise typer.BadParameter(f"{_NEEDS_TRAINING} ({missing.name})") from missing
    options = TrainOptions(
        architecture=known_architecture(architecture),
        pretrained=architecture == "efficientnet_lite0" and start is None,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        patience=patience,
        seed=seed,
        frozen_blocks=frozen_blocks,
        start=start,
        teacher=teacher,
    )
    with _console.status("Reading pictures"):
        parts = gather(data or [], size, phantoms, images_root)
    _console.print(
        f"{len(parts.train):,} training, {len(parts.validation):,} validation, {len(parts.test):,} test pictures"
    )
    with Progress(console=_console) as progress:
        task = progress.add_task("Epochs", total=epochs)

        def show(epoch: "EpochReport") -> None:
            progress.console.print(
                f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, validation AUROC {epoch.auroc:.4f}"
                f" (best {epoch.best:.4f}), {epoch.images_per_s:.0f} images/s"
            )
            progress.update(task, completed=epoch.epoch)

        best = train_encoder(parts, run, options, show)
    _console.print(f"Best checkpoint: {best}")


def export(
    *,
    checkpoint: Annotated[Path, typer.Option(help="best.pt of a training run.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    data: Data = None,
    images_root: ImagesRoot = None,
    phantoms: Phantoms = 2000,
    notes: Annotated[Path | None, typer.Option(help="Markdown for the model card: what else was tried.")] = None,
) -> None:
    """Write a servable folder: ONNX, calibration, thresholds, model card. Give the data of the training run."""
    try:
        from services.image_index.training.pipeline import export_encoder, gather, input_side  # noqa: PLC0415
    except ImportError as missing:
        raise typer.BadParameter(f"{_NEEDS_TRAINING} ({missing.name})") from missing
    with _console.status("Reading pictures"):
        parts = gather(data or [], input_side(checkpoint), phantoms, images_root)
    reports = export_encoder(parts, checkpoint, out, notes.read_text(encoding="utf-8") if notes else "")
    for name, report in reports.items():
        _console.print(f"{name}: macro AUROC {report['macro']['auroc']:.3f} over {report['macro']['labels']} labels")
    _console.print(f"Model folder: {out}")


def evaluate_labels(
    csv: Annotated[Path, typer.Option(help="Table in CheXpert's, NIH's or the image/findings layout.")],
    images_root: ImagesRoot = None,
    model: Annotated[Path | None, typer.Option(help="Model folder; the bundled one if not given.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    min_positives: Annotated[int, typer.Option(min=1, help="Labels shown by fewer pictures are left out.")] = 1,
) -> None:
    """AUROC, AUPRC, F1 and calibration of each label, with bootstrap intervals by patient."""
    try:
        from services.image_index.training.evaluate import evaluate_table  # noqa: PLC0415
    except ImportError as missing:
        raise typer.BadParameter(f"{_NEEDS_TRAINING} ({missing.name})") from missing
    folder = model or Path(__file__).parents[1] / "weights"
    report = evaluate_table(folder, csv, images_root or csv.parent, min_positives=min_positives)
    table = Table("label", "positives", "AUROC", "95 %", "AUPRC", "F1", "calibration error")
    for label, f in report["labels"].items():
        interval = f"{f['auroc_low']:.2f}–{f['auroc_high']:.2f}"
        figures = (f"{f[name]:.3f}" for name in ("auprc", "f1", "calibration_error"))
        table.add_row(label, str(f["positives"]), f"{f['auroc']:.3f}", interval, *figures)
    table.add_row("macro", "", f"{report['macro']['auroc']:.3f}", "", f"{report['macro']['auprc']:.3f}")
    _console.print(table)
    if json_out:
        json_out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
