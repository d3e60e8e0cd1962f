"""`fit-orientation` makes the head that finds turned pictures; `evaluate-orientation` says how well it does."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from services.image_index.encoding.chest_gate.orientation import SHIPPED
from services.image_index.training.gate import examples
from services.image_index.training.gate.options import Data
from services.image_index.training.gate.orientation import fit_head, told_turned
from services.workbench.json_file import write_json
from services.workbench.plain_errors import plain_errors

_console = Console()
_PHANTOMS = 300
_SEEDS_FITTED, _SEED_JUDGED = (2, 3), 99


def fit_orientation(
    *, data: Data, out: Annotated[Path, typer.Option(help="File to write; the shipped one if not given.")] = SHIPPED
) -> None:
    """Fit the head that finds turned radiographs. The same data give the same file."""
    with plain_errors("image-index"), _console.status("Reading, turning and fitting"):
        pictures = examples.Radiographs.read(data).of("train") + examples.phantoms("train", _PHANTOMS)
        varied = [one for seed in _SEEDS_FITTED for one in examples.variations(pictures, seed)]
        fit_head(pictures + varied).write(out)
    _console.print(f"{len(pictures):,} radiographs fitted: {out}")


def evaluate_orientation(
    *, data: Data, json_out: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None
) -> None:
    """Which share of the test patients' radiographs is told to be turned, as they are and turned on purpose."""
    with plain_errors("image-index"), _console.status("Reading, turning and judging"):
        radiographs = examples.Radiographs.read(data)
        groups = {f"{part}, as they are": radiographs.of(part) for part in ("validation", "test")}
        groups["test, varied in all ways"] = examples.variations(radiographs.of("test"), _SEED_JUDGED)
        groups["phantoms"] = examples.phantoms("test", 300)
        report = {name: told_turned(pictures) for name, pictures in groups.items()}
    table = Table("", *next(iter(report.values())))
    for name, shares in report.items():
        table.add_row(name, *(f"{share:.4g}" for share in np.round(list(shares.values()), 4)))
    _console.print(table)
    if json_out:
        write_json(json_out, report)
