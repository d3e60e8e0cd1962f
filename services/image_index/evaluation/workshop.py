"""The commands that need the packages of training."""

import typer

from services.image_index.evaluation.commands import evaluate_labels, pointing_game
from services.image_index.evaluation.retrieval import commands as retrieval
from services.image_index.evaluation.retrieval.tables_command import retrieval_tables


def add_to(cli: typer.Typer) -> None:
    cli.command("evaluate-labels")(evaluate_labels)
    cli.command("pointing-game")(pointing_game)
    cli.command("evaluate-retrieval")(retrieval.evaluate_retrieval)
    cli.command()(retrieval.predict)
    cli.command()(retrieval.simulate)
    cli.command("fit-prior")(retrieval.fit_prior)
    cli.command()(retrieval.show)
    cli.command("retrieval-tables")(retrieval_tables)
