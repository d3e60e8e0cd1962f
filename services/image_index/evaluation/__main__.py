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
        from services.image_index.evaluation.workshop import add_to
    add_to(cli)

if __name__ == "__main__":
    run(cli, "image-index", PriorUnusable, TableUnusable, StoreUnusable, ModelLoadError, TooFewReports, FitLoses)
