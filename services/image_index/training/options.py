"""Options that several commands of the training take."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    list[Path] | None,
    typer.Option("--data", help="Folder with labels.csv, or a table: a column a label, or NIH's. Repeat."),
]
Side = Annotated[int, typer.Option("--size", min=32, help="Side of the network's square input, in pixels.")]
Notes = Annotated[Path | None, typer.Option(help="Markdown for the model card: what else was tried.")]
Phantoms = Annotated[int, typer.Option(min=0, help="How many phantoms join the training pictures.")]
