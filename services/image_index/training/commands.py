"""The commands of `python -m services.image_index` that need no service: drawing phantoms, training, judging.

What needs torch is imported inside the command, so that the serving install can list and explain them all.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.image_index.settings import BUNDLED_MODEL
from services.workbench.plain_errors import told_plainly

if TYPE_CHECKING:
    from services.image_index.training.train import EpochReport

_console = Console()

Data = Annotated[
    list[Path] | None,
    typer.Option("--data", help="Folder with labels.csv, or a table in CheXpert's or NIH's layout. Repeat."),
]
ImagesRoot = Annotated[Path | None, typer.Option(help="Where the table's paths start; its own folder if not given.")]
Side = Annotated[int, typer.Option("--size", min=32, help="Side of the network's square input, in pixels.")]
Uncertain = Annotated[
    list[str] | None,
    typer.Option(
        help="How CheXpert's -1 is read: ignore, zeros or ones; for one label Edema=ones. Repeat. Ignored by default."
    ),
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where there is one.")]
Phantoms = Annotated[int, typer.Option(min=0, help="How many phantoms join the training pictures.")]


def phantoms(
    out: Annotated[Path, typer.Option(help="Folder to write the pictures and labels.csv to.")],
    count: Annotated[int, typer.Option(min=1)] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same gallery.")] = 0,
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
    out: Annotated[Path, typer.Option(help="Model folder to write; its `checkpoints/` let a stopped run go on.")],
    data: Data = None,
    images_root: ImagesRoot = None,
    size: Side = 128,
    phantoms: Phantoms = 2000,
    architecture: Annotated[
        str, typer.Option(help="efficientnet_lite0, _lite1 or _lite2, resnet50, or timm:NAME")
    ] = "efficientnet_lite0",
    pretrained: Annotated[
        bool | None,
        typer.Option(help="Start from ImageNet. EfficientNet-Lite does; timm would ask its hub for the weights."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 20,
    batch: Annotated[int, typer.Option(min=2)] = 32,
    learning_rate: Annotated[float, typer.Option(min=0.0)] = 6e-4,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without a better macro AUROC before it stops.")] = 8,
    seed: int = 0,
    frozen_blocks: Annotated[int, typer.Option(min=0, max=16, help="Early blocks left as they are: faster.")] = 0,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to start from (a smaller size, for example).")] = None,
    teacher: Annotated[Path | None, typer.Option(help="Checkpoint whose opinion is to be learned too.")] = None,
    mixup: Annotated[float, typer.Option(min=0.0, help="Blend pairs of pictures, Beta(a, a); 0 is off.")] = 0.2,
    mixed_precision: Annotated[
        bool, typer.Option(help="bfloat16 where the numbers allow it. Faster on GPUs, and on CPUs with AVX512-BF16.")
    ] = False,
    uncertain: Uncertain = None,
    device: Device = "auto",
) -> None:
    """Train an encoder on radiographs and phantoms, and write a folder that can be served; goes on where it stopped.

    On several GPUs: torchrun --nproc-per-node GPUS -m services.image_index train ...
    """
    with told_plainly():
        from services.image_index.training.datasets import uncertain_policy  # noqa: PLC0415
        from services.image_index.training.network import known_architecture  # noqa: PLC0415
        from services.image_index.training.networks.lite import LITE  # noqa: PLC0415
        from services.image_index.training.pipeline import export_encoder, gather, train_encoder  # noqa: PLC0415
        from services.image_index.training.train import TrainOptions  # noqa: PLC0415
        from services.image_index.training.worker import working  # noqa: PLC0415
    with told_plainly():
        options = TrainOptions(
            architecture=known_architecture(architecture),
            pretrained=start is None and (architecture in LITE if pretrained is None else pretrained),
            epochs=epochs,
            batch=batch,
            learning_rate=learning_rate,
            patience=patience,
            seed=seed,
            frozen_blocks=frozen_blocks,
            start=start,
            teacher=teacher,
            mixup=mixup,
            mixed_precision=mixed_precision,
        )
    with told_plainly(), working(device) as worker, Progress(console=_console, disable=not worker.leads) as progress:
        reading, running = progress.add_task("Reading pictures", total=None), progress.add_task("Epochs", total=epochs)

        def show(epoch: "EpochReport") -> None:
            progress.console.print(
                f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, validation AUROC {epoch.auroc:.4f}"
                f" (best {epoch.best:.4f}), {epoch.images_per_s:.0f} images/s"
            )
            progress.update(running, completed=epoch.epoch)

        parts = gather(
            data or [],
            size,
            phantoms,
            images_root,
            uncertain=uncertain_policy(uncertain or []),
            on_reading=lambda done, total: progress.update(reading, completed=done, total=total),
        )
        if worker.leads:
            counts = (len(part) for part in (parts.train, parts.validation, parts.test))
            progress.console.print("{:,} training, {:,} validation, {:,} test pictures".format(*counts))
        best = train_encoder(parts, out / "checkpoints", options, show, worker)
        if worker.leads:
            _print_figures(export_encoder(parts, [best], out), out)


def export(
    *,
    checkpoint: Annotated[
        list[Path], typer.Option(help="checkpoints/best.pt of a training run. Repeat: several answer as one.")
    ],
    size: Annotated[
        int | None, typer.Option(min=32, help="Side of the input, if not the one they learned from.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    data: Data = None,
    images_root: ImagesRoot = None,
    phantoms: Phantoms = 2000,
    uncertain: Uncertain = None,
    notes: Annotated[Path | None, typer.Option(help="Markdown for the model card: what else was tried.")] = None,
) -> None:
    """Write a servable folder: ONNX, calibration, thresholds, model card. Give the data of the training run."""
    with told_plainly():
        from services.image_index.training.datasets import uncertain_policy  # noqa: PLC0415
        from services.image_index.training.pipeline import export_encoder, gather, input_side  # noqa: PLC0415
    with told_plainly():
        card_notes = notes.read_text(encoding="utf-8") if notes else ""
        with _console.status("Reading pictures"):
            policy = uncertain_policy(uncertain or [])
            side = size or max(map(input_side, checkpoint))
            parts = gather(data or [], side, phantoms, images_root, uncertain=policy)
        reports = export_encoder(parts, checkpoint, out, card_notes)
    _print_figures(reports, out)


def _print_figures(reports: Mapping[str, Any], folder: Path) -> None:
    for name, report in reports.items():
        _console.print(f"{name}: macro AUROC {report['macro']['auroc']:.3f} over {report['macro']['labels']} labels")
    _console.print(f"Model folder: {folder}")


def evaluate_labels(
    *,
    csv: Annotated[Path, typer.Option(help="Table in CheXpert's, NIH's or the image/findings layout.")],
    images_root: ImagesRoot = None,
    model: Annotated[Path, typer.Option(help="Image model folder.")] = BUNDLED_MODEL,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for ROC, precision-recall and reliability.")] = None,
    min_positives: Annotated[int, typer.Option(min=1, help="Labels shown by fewer pictures are left out.")] = 1,
    uncertain: Uncertain = None,
    device: Device = "auto",
) -> None:
    """AUROC, AUPRC, F1 and calibration of each label, with bootstrap intervals by patient."""
    with told_plainly():
        from services.image_index.training.datasets import uncertain_policy  # noqa: PLC0415
        from services.image_index.training.evaluate import evaluate_table  # noqa: PLC0415
    with told_plainly(), Progress(console=_console, transient=True) as progress:
        task = progress.add_task("Reading pictures", total=None)
        report = evaluate_table(
            model,
            csv,
            images_root or csv.parent,
            uncertain=uncertain_policy(uncertain or []),
            min_positives=min_positives,
            device=device,
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
        json_out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def pointing_game(
    boxes: Annotated[Path, typer.Option(help="Folder with labels.csv, its pictures, and boxes.csv in their pixels.")],
    model: Annotated[Path, typer.Option(help="Image model folder.")] = BUNDLED_MODEL,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option(help="Whose boxes: patients are parted as in training.")
    ] = "test",
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    device: Device = "auto",
) -> None:
    """How often a map's maximum lies in the drawn box, beside two guesses that look at no picture."""
    with told_plainly():
        from services.image_index.parts import open_model  # noqa: PLC0415
        from services.image_index.training.pointing import pointing_game as judge  # noqa: PLC0415
    with told_plainly(), _console.status("Reading pictures"):
        report = judge(open_model(model, device=device), boxes, part)
    table = Table("label", "boxes", "map", "centre", "mean box")
    for label, pointing in report.items():
        shares = (f"{share:.2f}" for share in (pointing.map, pointing.centre, pointing.mean_box))
        table.add_row(label, str(pointing.boxes), *shares)
    _console.print(table)
    if json_out:
        content = {label: asdict(pointing) for label, pointing in report.items()}
        json_out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
