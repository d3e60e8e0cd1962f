"""Judges a model or the rules on a CSV of labelled reports: a table to read, JSON to keep, plots."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from services.text_classifier.evaluation.metrics import JUDGED, Report, judge
from services.text_classifier.evaluation.predictors import open_predictor
from services.text_classifier.examples.labelled import STATES, UNKNOWN, Example, is_unlabelled, read_csv
from services.workbench.json_file import write_json
from shared.labels import LABELS, State

_PRESENT = STATES.index(State.PRESENT)


def evaluate(
    model: str, csv: Path, text_column: str, *, json_out: Path | None = None, plots: Path | None = None
) -> Report:
    """Raises ValueError where the CSV has no labels, a missing column or a code outside 1, -1, 0, blank and `?`."""
    examples = read_csv(csv, text_column)
    if not examples or is_unlabelled(examples):
        raise ValueError(f"{csv} has no labelled texts: it needs columns named as the labels, with 1, -1, 0 or blank.")
    predictions = open_predictor(model)([example.text for example in examples])
    truth = np.stack([example.states for example in examples])
    report: dict[str, Any] = {"model": model, "data": csv.name, "reports": len(examples)} | judge(predictions, truth)
    if json_out:
        write_json(json_out, report)
    if plots:
        from services.workbench.figures import draw_label_figures  # noqa: PLC0415 - matplotlib takes seconds

        draw_label_figures(predictions.probabilities[..., _PRESENT], truth == _PRESENT, truth != UNKNOWN, plots)
    return report


def judge_examples(model: str, examples: Sequence[Example], *, resamples: int = 1000) -> Report:
    predictions = open_predictor(model)([example.text for example in examples])
    return judge(predictions, np.stack([example.states for example in examples]), resamples=resamples)


def print_report(report: Report, console: Console) -> None:
    for state in JUDGED:
        console.print(_table(report[state], state))


def _table(figures: Report, state: State) -> Table:
    table = Table(title=f"{state}, with 95 % intervals", title_justify="left")
    table.add_column("label")
    for name in ("support", "precision", "recall", "F1", "F1 95 %", "AUROC", "ECE"):
        table.add_column(name, justify="right")
    rows = {label: figures["labels"][label] for label in LABELS} | {
        "micro": figures["micro"],
        "macro": figures["macro"],
    }
    for name, entry in rows.items():
        if name == "micro":
            table.add_section()
        interval = entry["intervals"].get("f1")
        table.add_row(
            name,
            str(entry["support"]),
            *(_cell(entry[figure]) for figure in ("precision", "recall", "f1")),
            f"{interval[0]:.3f}–{interval[1]:.3f}" if interval else "–",
            *(_cell(entry[figure]) for figure in ("auroc", "ece")),
        )
    return table


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
