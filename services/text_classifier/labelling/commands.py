"""The command that labels a collection of reports."""

from pathlib import Path
from typing import Annotated

import typer

from services.text_classifier.labelling.run import Collection, Labelling
from services.text_classifier.labelling.run import label as run_label
from services.text_classifier.settings import TextClassifierSettings
from shared.environment import read_environment
from shared.settings import Device


def label(
    *,
    csv: Annotated[Path, typer.Option(help="Table of reports, a column of which holds their texts. UTF-8.")],
    text_column: Annotated[str, typer.Option(help="That column.")],
    out: Annotated[Path, typer.Option(help="Table of labels to be written.")],
    keep_text: Annotated[bool, typer.Option("--keep-text", help="Keep the texts in the table of labels.")] = False,
    device: Annotated[Device | None, typer.Option(help="In place of CHEX_DEVICE.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a table that is there, or what another run left unfinished.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be labelled and what would fail; write nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what could not be labelled, and why: FILE.csv, or FILE.json with counts.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 3 if any row could not be labelled.")
    ] = False,
) -> None:
    """Label many reports: a table of texts becomes one of labels. A stopped run is simply started again.

    Ends with status 0, though some rows could not be labelled (see --strict); with 1 if none could, or nothing ran.
    """
    settings = read_environment(TextClassifierSettings, "text-classifier")
    if device is not None:
        settings = settings.model_copy(update={"device": device})
    run_label(settings, Collection(csv, text_column, out, keep_text), Labelling(overwrite, dry_run, strict, report))
