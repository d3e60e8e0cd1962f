"""`python -m services.image_index.evaluation evaluate-labels | pointing-game | evaluate-retrieval | …`."""

import typer

from services.workbench.plain_errors import what_to_install
from shared.commands import run

with what_to_install("image-index"):
    from services.image_index.evaluation.commands import evaluate_labels, pointing_game
    from services.image_index.evaluation.retrieval import commands as retrieval
    from services.image_index.evaluation.retrieval.tables_command import retrieval_tables
    from services.image_index.ranking.prior import PriorUnusable
    from shared.tables import TableUnusable

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Judge an encoder, and the retrieval with it.")
cli.command("evaluate-labels")(evaluate_labels)
cli.command("pointing-game")(pointing_game)
cli.command("evaluate-retrieval")(retrieval.evaluate_retrieval)
cli.command()(retrieval.predict)
cli.command()(retrieval.simulate)
cli.command("fit-prior")(retrieval.fit_prior)
cli.command()(retrieval.show)
cli.command("retrieval-tables")(retrieval_tables)

if __name__ == "__main__":
    run(cli, "image-index", PriorUnusable, TableUnusable)
