"""`python -m services.image_index serve | ingest | import-predictions | import-report-labels | phantoms`.

Judging and training have doors of their own: `services.image_index.evaluation`, `services.image_index.training`.
"""

import typer

from services.image_index.examples.phantoms.command import phantoms
from services.image_index.ingest.commands import import_predictions, import_report_labels, ingest
from services.image_index.patient_keys import PatientKeyUnusable
from services.image_index.pictures.burned_in.reader import ReaderMissing
from services.image_index.ranking.prior import PriorUnusable
from services.image_index.ranking.site_fit import FitUnusable
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.folder import make_writable
from services.inference.model_files import ModelLoadError
from shared.commands import run
from shared.environment import read_environment
from shared.errors import ServiceError
from shared.tables import TableUnusable
from shared.web.logs import configure_logging

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="The image index: serve it and fill it.")


@cli.command()
def serve() -> None:
    """Answer over HTTP. Settings come from the environment (CHEX_INDEX_PORT, CHEX_DATA_DIR, CHEX_IMAGE_MODEL, ...)."""
    from services.image_index.app import create_app  # noqa: PLC0415 - the other commands need no web server
    from shared.web.serve import serve as serve_app  # noqa: PLC0415
    from shared.web.service_token import require_token  # noqa: PLC0415

    settings = read_environment(ImageIndexSettings, "image-index")
    require_token(settings, "image-index")
    configure_logging("image-index", settings.log_level)  # opening the store may have something to say
    make_writable(settings.index_folder)
    app = create_app(settings)
    serve_app(app, settings, service="image-index", port=settings.index_port, port_variable="CHEX_INDEX_PORT")


cli.command()(ingest)
cli.command()(import_predictions)
cli.command()(import_report_labels)
cli.command()(phantoms)


def main() -> None:
    run(
        cli,
        "image-index",
        ModelLoadError,
        StoreUnusable,
        PatientKeyUnusable,
        PriorUnusable,
        FitUnusable,
        TableUnusable,
        ReaderMissing,
        ServiceError,
    )


if __name__ == "__main__":
    main()
