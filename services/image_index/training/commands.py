"""The commands that train an encoder, and write it as a folder that is served."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from services.image_index.encoding.model_folder import read_model_folder
from services.image_index.evaluation.commands import DeviceOption, ImagesRoot, ReadersOption, Uncertain
from services.image_index.examples.datasets import uncertain_policy
from services.image_index.examples.readers import read_readers
from services.image_index.networks.build import known_architecture
from services.image_index.networks.lite import LITE
from services.image_index.training.export import export_encoder
from services.image_index.training.measure import measure
from services.image_index.training.options import Data, Notes, Phantoms, Side
from services.image_index.training.pipeline import gather, input_side, train_encoder
from services.image_index.training.remarks import remarks
from services.image_index.training.train import EpochReport, TrainOptions
from services.image_index.training.worker import working
from services.workbench.plain_errors import plain_errors

_console = Console()
_USUAL = TrainOptions()


def train(
    *,
    out: Annotated[Path, typer.Option(help="Model folder to write; its `checkpoints/` let a stopped run go on.")],
    data: Data = None,
    images_root: ImagesRoot = None,
    size: Side = 128,
    phantoms: Phantoms = 2000,
    architecture: Annotated[
        str, typer.Option(help="efficientnet_lite0, _lite1 or _lite2, resnet50, or timm:NAME")
    ] = _USUAL.architecture,
    pretrained: Annotated[
        bool | None,
        typer.Option(help="Start from ImageNet. EfficientNet-Lite does; timm would ask its hub for the weights."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = _USUAL.epochs,
    batch: Annotated[int, typer.Option(min=2)] = _USUAL.batch,
    learning_rate: Annotated[float, typer.Option(min=0.0)] = _USUAL.learning_rate,
    patience: Annotated[
        int, typer.Option(min=1, help="Epochs without a better macro AUROC before it stops.")
    ] = _USUAL.patience,
    seed: int = _USUAL.seed,
    frozen_blocks: Annotated[
        int, typer.Option(min=0, max=16, help="Early blocks left as they are: faster.")
    ] = _USUAL.frozen_blocks,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to start from (a smaller size, for example).")] = None,
    teacher: Annotated[Path | None, typer.Option(help="Checkpoint whose opinion is to be learned too.")] = None,
    mixup: Annotated[
        float, typer.Option(min=0.0, help="Blend pairs of pictures, Beta(a, a); 0 is off.")
    ] = _USUAL.mixup,
    mixed_precision: Annotated[
        bool, typer.Option(help="bfloat16 where the numbers allow it. Faster on GPUs, and on CPUs with AVX512-BF16.")
    ] = _USUAL.mixed_precision,
    uncertain: Uncertain = None,
    readers: ReadersOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Train an encoder on radiographs and phantoms, and write a folder that can be served; goes on where it stopped.

    On several GPUs: torchrun --nproc-per-node GPUS -m services.image_index.training train ...
    """
    with plain_errors("image-index"):
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
    with (
        plain_errors("image-index"),
        working(device) as worker,
        Progress(console=_console, disable=not worker.leads) as progress,
    ):
        reading, running = progress.add_task("Reading pictures", total=None), progress.add_task("Epochs", total=epochs)

        def show(epoch: EpochReport) -> None:
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
            readers=read_readers(readers) if readers else None,
            on_reading=lambda done, total: progress.update(reading, completed=done, total=total),
        )
        if worker.leads:
            counts = (len(part) for part in (parts.train, parts.validation, parts.test))
            progress.console.print("{:,} training, {:,} validation, {:,} test pictures".format(*counts))
            for remark in remarks(data or [], parts):
                progress.console.print(remark, soft_wrap=True)
        best = train_encoder(parts, out / "checkpoints", options, show, worker)
        if worker.leads:
            export_encoder(parts, [best], out)
            _print_figures(measure(out, parts), out)


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
    readers: ReadersOption = None,
    notes: Notes = None,
) -> None:
    """Write a servable folder: ONNX, calibration, thresholds, model card. Give the data of the training run."""
    with plain_errors("image-index"):
        card_notes = notes.read_text(encoding="utf-8") if notes else ""
        with _console.status("Reading pictures"):
            parts = gather(
                data or [],
                size or max(map(input_side, checkpoint)),
                phantoms,
                images_root,
                uncertain=uncertain_policy(uncertain or []),
                readers=read_readers(readers) if readers else None,
            )
        export_encoder(parts, checkpoint, out)
        reports = measure(out, parts, card_notes)
    _print_figures(reports, out)


def write_card(
    *,
    model: Annotated[Path, typer.Option(help="Image model folder, whose README.md is written anew.")],
    data: Data = None,
    images_root: ImagesRoot = None,
    phantoms: Phantoms = 2000,
    uncertain: Uncertain = None,
    readers: ReadersOption = None,
    notes: Notes = None,
) -> None:
    """Measure a model folder again and write its card; nothing else changes. Give the data of the training run."""
    with plain_errors("image-index"):
        card_notes = notes.read_text(encoding="utf-8") if notes else ""
        with _console.status("Reading pictures"):
            parts = gather(
                data or [],
                read_model_folder(model).input_size,
                phantoms,
                images_root,
                uncertain=uncertain_policy(uncertain or []),
                readers=read_readers(readers) if readers else None,
            )
        reports = measure(model, parts, card_notes)
    _print_figures(reports, model)


def _print_figures(reports: Mapping[str, Any], folder: Path) -> None:
    for name, report in reports.items():
        _console.print(f"{name}: macro AUROC {report['macro']['auroc']:.3f} over {report['macro']['labels']} labels")
    _console.print(f"Model folder: {folder}")
