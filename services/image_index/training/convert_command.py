"""The command that turns a model of other people into a folder that a service without torch can serve."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.image_index.training.convert import convert as write
from services.workbench.plain_errors import plain_errors

_console = Console()


def convert(
    *,
    model: Annotated[
        str,
        typer.Option(
            help="Checkpoint of the original project, xrv:NAME, timm:NAME@FILE, timm:FOLDER, timm:hf-hub:OWNER/NAME, "
            "or torchvision:NAME@FILE."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    half: Annotated[bool, typer.Option("--half", help="Weights in half precision: half the size.")] = False,
) -> None:
    """Turn a model that torch runs into a folder with ONNX, which a service without torch serves."""
    with plain_errors("image-index"), _console.status("Converting"):
        foreign = write(model, out, half=half)
    unknown = [label for label, support in foreign.config["label_support"].items() if support == "none"]
    _console.print(f"Model folder: {out}. Not calibrated; thresholds and card are in it.", soft_wrap=True)
    if unknown:
        _console.print(f"It does not know: {', '.join(unknown)}.", soft_wrap=True)
