"""The command that draws phantoms. It needs no torch: the demonstration gallery comes of it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from services.image_index.examples.phantoms.gallery import write_gallery

_console = Console()


def phantoms(
    out: Annotated[Path, typer.Option(help="Folder to write the pictures and labels.csv to.")],
    count: Annotated[int, typer.Option(min=1)] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same gallery.")] = 0,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Side in pixels.")] = 512,
) -> None:
    """Draw a gallery of procedural radiographs in CheXpert's layout, with impressions."""
    with Progress(console=_console) as progress:
        task = progress.add_task("Phantoms", total=count)
        table = write_gallery(out, count, seed, size, on_picture=lambda done: progress.update(task, completed=done))
    _console.print(f"{count} phantoms: {table}")
