"""`python -m services.text_classifier.evaluation evaluate | compare`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.workbench.json_file import write_json
from services.workbench.missing_packages import what_to_install
from services.workbench.plain_errors import plain_errors
from shared.commands import run

SERVICE = "text-classifier"
TABLE_WIDTH = 120

with what_to_install(SERVICE):
    from services.text_classifier.evaluation.compare import compare as compare_all
    from services.text_classifier.evaluation.compare import comparison_table
    from services.text_classifier.evaluation.evaluate import evaluate as judge
    from services.text_classifier.evaluation.evaluate import print_report

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Judge a text classifier, and the rules.")


@cli.command()
def evaluate(
    csv: Annotated[
        Path, typer.Option(help="Labelled reports: a column for each label with 1, -1, 0, blank, or ? (unknown).")
    ],
    model: Annotated[str, typer.Option(help="A model folder, bundled, rules or rules-reference.")] = "bundled",
    text_column: Annotated[str, typer.Option(help="The CSV's column of impressions.")] = "impression",
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Write reliability, ROC and precision-recall curves here.")] = None,
) -> None:
    """Judge a model or the rules against labelled reports, for present, absent and uncertain."""
    with plain_errors(SERVICE):
        report = judge(model, csv, text_column, json_out=json, plots=plots)
    print_report(report, _wide_console())


@cli.command()
def compare(
    model: Annotated[str, typer.Option(help="A model folder, or bundled.")] = "bundled",
    openi: Annotated[
        Path | None, typer.Option(help="indiana_reports.csv: its test part, by the rules and by its codes.")
    ] = None,
    golden: Annotated[Path | None, typer.Option(help="CSV of impressions with the labels they must get.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
) -> None:
    """Judge the rules, a model and TF-IDF with logistic regression side by side."""
    with plain_errors(SERVICE):
        comparison = compare_all(model, openi=openi, golden=golden)
    if json:
        write_json(json, comparison)
    _wide_console().print(comparison_table(comparison))


def _wide_console() -> Console:
    """A table that is piped into a file keeps its words whole."""
    return Console() if sys.stdout.isatty() else Console(width=TABLE_WIDTH)


if __name__ == "__main__":
    run(cli, SERVICE)
