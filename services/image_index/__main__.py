"""`python -m services.image_index serve | ingest | import-predictions | phantoms | train | export | evaluate-… | …`."""

import typer

from services.image_index import bulk_commands
from services.image_index.data_folder import make_writable
from services.image_index.patient_key import PatientKeyUnusable
from services.image_index.prior import PriorUnusable
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.base import StoreUnusable
from services.image_index.training import commands
from services.image_index.training.convert_command import convert
from services.image_index.training.gate import commands as gate
from services.image_index.training.retrieval import commands as retrieval
from services.image_index.training.retrieval.tables_command import retrieval_tables
from services.inference.session import ModelLoadError
from shared.commands import run
from shared.environment import read_environment
from shared.errors import ServiceError
from shared.tables import TableUnusable
from shared.web.logs import configure_logging

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The image index: serve it, fill it, train its encoder."
)


@cli.command()
def serve() -> None:
    """Answer over HTTP. Settings come from the environment (CHEX_INDEX_PORT, CHEX_DATA_DIR, CHEX_IMAGE_MODEL, ...)."""
    from services.image_index.app import create_app  # noqa: PLC0415 - the other commands need no web server
    from shared.web.serve import serve as serve_app  # noqa: PLC0415

    settings = read_environment(ImageIndexSettings, "image-index")
    configure_logging("image-index", settings.log_level)  # opening the store may have something to say
    make_writable(settings.index_folder)
    app = create_app(settings)
    serve_app(app, settings, service="image-index", port=settings.index_port, port_variable="CHEX_INDEX_PORT")


cli.command()(bulk_commands.ingest)
cli.command()(bulk_commands.import_predictions)
cli.command()(commands.phantoms)
cli.command()(commands.train)
cli.command()(commands.export)
cli.command()(convert)
cli.command("evaluate-labels")(commands.evaluate_labels)
cli.command("pointing-game")(commands.pointing_game)
cli.command("fit-chest-gate")(gate.fit_chest_gate)
cli.command("evaluate-chest-gate")(gate.evaluate_chest_gate)
cli.command("evaluate-retrieval")(retrieval.evaluate_retrieval)
cli.command()(retrieval.predict)
cli.command()(retrieval.simulate)
cli.command("fit-prior")(retrieval.fit_prior)
cli.command()(retrieval.show)
cli.command("retrieval-tables")(retrieval_tables)


def main() -> None:
    run(
        cli,
        "image-index",
        ModelLoadError,
        StoreUnusable,
        PatientKeyUnusable,
        PriorUnusable,
        TableUnusable,
        ServiceError,
    )


if __name__ == "__main__":
    main()
