"""The command that teaches one label anew to an encoder, from what radiologists saw."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from services.image_index.encoding.model_folder import read_model_folder
from services.image_index.evaluation.commands import ImagesRoot
from services.image_index.evaluation.metrics import LabelFigures
from services.image_index.examples.readers import read_readers
from services.image_index.settings import BUNDLED_MODEL
from services.image_index.training.options import Data
from services.image_index.training.pipeline import gather_read
from services.image_index.training.refit_run import refit
from services.workbench.plain_errors import plain_errors
from shared.labels import LabelName

_console = Console()


def refit_output(
    *,
    label: Annotated[LabelName, typer.Option(help="The label whose output is fitted again; no other moves.")],
    readers: Annotated[
        list[Path],
        typer.Option(help="Table of what radiologists saw: image, and a column for each finding. Repeat."),
    ],
    data: Data = None,
    images_root: ImagesRoot = None,
    model: Annotated[Path, typer.Option(help="Image model folder to start from.")] = BUNDLED_MODEL,
    phantoms: Annotated[
        int, typer.Option(min=0, help="How many join the training pictures, so that the label stays known on phantoms.")
    ] = 500,
    version: Annotated[str, typer.Option(help="Version of the new folder.")] = "1.1.0",
    out: Annotated[Path, typer.Option(help="Model folder to write, without a card: see write-card.")],
) -> None:
    """Teach one label anew to a trained encoder: a logistic regression on its features, by radiologists' labels.

    Written only if it is better than chance on test patients.
    """
    with plain_errors("image-index"), Progress(console=_console, transient=True) as progress:
        task = progress.add_task("Reading pictures", total=None)
        parts = gather_read(
            data or [],
            read_model_folder(model).input_size,
            read_readers(readers),
            images_root,
            phantoms=phantoms,
            on_reading=lambda done, total: progress.update(task, completed=done, total=total),
        )
        found = refit(
            model,
            out,
            label,
            parts,
            version=version,
            on_part=lambda name: progress.update(task, description=f"Looking at {name} patients", total=None),
        )
    _console.print(f"Penalty {found.choice.penalty:g}, by validation patients.")
    _console.print(f"{label} on test patients, before: {_shown(found.before)}; after: {_shown(found.after)}.")
    if not found.written:
        raise SystemExit(f"image-index: {label} is not read better than by chance, so nothing was written.")
    _console.print(f"Model folder: {out}. Its card is still to be written: write-card.", soft_wrap=True)


def _shown(figures: LabelFigures) -> str:
    low, high = figures.interval or (float("nan"), float("nan"))
    return f"AUROC {figures.auroc:.3f} ({low:.2f}–{high:.2f}, {figures.positives} of {figures.images} pictures)"
