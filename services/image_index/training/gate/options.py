"""What the commands of this room are given."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[list[Path], typer.Option("--data", help="Folder of frontal radiographs with labels.csv. Repeat.")]
