"""`python -m services.image_index.evaluation calibrate | evaluate-labels | pointing-game | evaluate-retrieval | …`.

`calibrate` runs in a serving install; the others need the packages of training.
"""

import sys

import typer

from services.image_index.evaluation.calibration.cases import TooFewReports
from services.image_index.evaluation.calibration.command import FitLoses, calibrate
from services.image_index.ranking.prior import PriorUnusable
from services.image_index.store.failures import StoreUnusable
from services.inference.model_files import ModelLoadError
from services.workbench.missing_packages import what_to_install
from shared.commands import run
from shared.tables import TableUnusable

cli = typer.Typer(no_args_is_help=True, add_completion=False)


@cli.callback()
def judging() -> None:
    """Judge an encoder, and the retrieval with it; learn from reports how far it is to be believed."""


cli.command()(calibrate)
if sys.argv[1:2] != ["calibrate"]:
    with what_to_install("image-index"):
        from services.image_index.evaluation.commands import evaluate_labels, pointing_game
        from services.image_index.evaluation.retrieval import commands as retrieval
        from services.image_index.evaluation.retrieval.tables_command import retrieval_tables

    cli.command("evaluate-labels")(evaluate_labels)
    cli.command("pointing-game")(pointing_game)
    cli.command("evaluate-retrieval")(retrieval.evaluate_retrieval)
    cli.command()(retrieval.predict)
    cli.command()(retrieval.simulate)
    cli.command("fit-prior")(retrieval.fit_prior)
    cli.command()(retrieval.show)
    cli.command("retrieval-tables")(retrieval_tables)

if __name__ == "__main__":
    run(cli, "image-index", PriorUnusable, TableUnusable, StoreUnusable, ModelLoadError, TooFewReports, FitLoses)
