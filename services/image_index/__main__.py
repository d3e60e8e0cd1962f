"""`python -m services.image_index serve | ingest | phantoms | train | export | evaluate-… | fit-prior | show`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.image_index.prior import PriorUnusable
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.base import StoreUnusable
from services.image_index.training import commands
from services.image_index.training.retrieval import commands as retrieval
from services.inference.session import ModelLoadError

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The image index: serve it, fill it, train its encoder."
)


@cli.command()
def serve() -> None:
    """Answer over HTTP. Settings come from the environment (CHEX_INDEX_PORT, CHEX_DATA_DIR, CHEX_IMAGE_MODEL, ...)."""
    from services.image_index.app import create_app  # noqa: PLC0415 - the other commands need no web server
    from shared.serve import serve as serve_app  # noqa: PLC0415

    settings = ImageIndexSettings()
    try:
        app = create_app(settings)
    except (ModelLoadError, StoreUnusable, PriorUnusable) as error:
        sys.exit(f"image-index: {error}")
    serve_app(app, settings, service="image-index", port=settings.index_port, port_variable="CHEX_INDEX_PORT")


@cli.command()
def ingest(
    *,
    images_root: Annotated[Path, typer.Option(help="Folder that the table's paths start from.")],
    csv: Annotated[
        Path | None, typer.Option(help="Table in CheXpert's, NIH's or the plain layout; without, every file is read.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="In place of CHEX_DATA_DIR.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Threads that read and decode files.")] = os.cpu_count() or 2,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Index again what is there, and replace it.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what could not be indexed, and why, to this CSV.")] = None,
) -> None:
    """Index many images; what is in the index already is passed over, so a stopped run is simply started again."""
    from services.image_index.ingest_command import ingest as run_ingest  # noqa: PLC0415

    settings = ImageIndexSettings()
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    try:
        run_ingest(
            settings,
            table=csv,
            images_root=images_root,
            workers=workers,
            limit=limit,
            replace=replace,
            report=report,
        )
    except (ModelLoadError, StoreUnusable) as error:
        sys.exit(f"image-index: {error}")


cli.command()(commands.phantoms)
cli.command()(commands.train)
cli.command()(commands.export)
cli.command("evaluate-labels")(commands.evaluate_labels)
cli.command("pointing-game")(commands.pointing_game)
cli.command("evaluate-retrieval")(retrieval.evaluate_retrieval)
cli.command()(retrieval.predict)
cli.command()(retrieval.simulate)
cli.command("fit-prior")(retrieval.fit_prior)
cli.command()(retrieval.show)


if __name__ == "__main__":
    cli()
