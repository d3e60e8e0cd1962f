"""The command that puts CheXpert Plus' reports and CheXpert's labels together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.text_classifier.examples.chexpert.cleaning import Cleaning
from services.text_classifier.examples.chexpert.join import Views
from services.text_classifier.examples.chexpert.prepare import How, NothingJoined, Outcome, prepare
from services.text_classifier.examples.chexpert.split import PARTS, Split
from services.workbench.plain_errors import plain_errors
from shared.progress import shown_progress

_MB = 1_000_000


def prepare_chexpert(
    *,
    plus: Annotated[Path, typer.Option(help="CheXpert Plus' table of reports (df_chexpert_plus_240401.csv).")],
    chexpert: Annotated[Path, typer.Option(help="The folder with CheXpert's train.csv and valid.csv.")],
    out: Annotated[Path, typer.Option(help="Folder for train.csv, val.csv and test.csv.")],
    views: Annotated[Views, typer.Option(help="PA, as the original; or frontal, AP films too.")] = "PA",
    clean: Annotated[
        Cleaning,
        typer.Option(help="fold: white space only. original: lower case, without list numbers and most signs, too."),
    ] = "fold",
    split: Annotated[
        Split, typer.Option(help="By patient; or as the original, at random by image, which flatters all figures.")
    ] = "patient",
    seed: Annotated[int, typer.Option(min=0, help="Of the original's split; patients are parted by a hash.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the tables that are there.")] = False,
) -> None:
    """Join CheXpert Plus' impressions with CheXpert's labels: 70 % training, 15 % validation, 15 % test."""
    console, outcome = Console(highlight=False, markup=False), Outcome()
    with plain_errors("text-classifier"):
        how = How(views, clean, split, seed, overwrite)
        megabytes = plus.stat().st_size // _MB
        try:
            with shown_progress(console, megabytes, "Joining", "MB") as show:
                prepare(plus, chexpert, out, how, outcome, on_bytes=lambda position: show(_Read(position // _MB)))
        except NothingJoined:
            _show_left_out(console, outcome)
            raise
    _show(console, outcome, out)
    if split == "original":
        _warn(outcome)


@dataclass(frozen=True)
class _Read:
    """Megabytes; what becomes of the rows is told at the end."""

    done: int
    failed: int = 0


def _show(console: Console, outcome: Outcome, out: Path) -> None:
    counts = ", ".join(f"{outcome.images[part]:,} {part} of {len(outcome.patients[part]):,} patients" for part in PARTS)
    console.print(f"{outcome.images.total():,} images: {counts}. {out} holds the tables.", soft_wrap=True)
    if outcome.without_impression:
        console.print(
            f"{outcome.without_impression:,} of them have no impression: that cell is blank, and a text model does not "
            "learn from them.",
            soft_wrap=True,
        )
    _show_left_out(console, outcome)


def _show_left_out(console: Console, outcome: Outcome) -> None:
    if outcome.reasons.counts:
        outcome.reasons.show(console, "images", "why left out")


def _warn(outcome: Outcome) -> None:
    patients = len(outcome.patients["test"])
    Console(stderr=True, highlight=False, markup=False).print(
        f"Warning: split by image, so patients stand in training and test alike: {outcome.also_in_training:,} of the "
        f"{patients:,} patients in test.csv have images in train.csv too. Every figure measured on it is flattered; "
        "--split patient parts them.",
        soft_wrap=True,
    )
