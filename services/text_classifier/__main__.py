"""`python -m services.text_classifier serve | label`. Judging it and training it have doors of their own:
`services.text_classifier.evaluation`, `services.text_classifier.training`.
"""

import typer

from services.inference.model_files import ModelLoadError
from services.text_classifier.app import create_app
from services.text_classifier.labelling.commands import label
from services.text_classifier.labelling.journal import PartialUnusable
from services.text_classifier.settings import TextClassifierSettings
from shared.commands import run
from shared.environment import read_environment
from shared.errors import ServiceError
from shared.tables import TableUnusable
from shared.web.serve import serve as serve_app
from shared.web.service_token import require_token

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="The text classifier.")


@cli.callback()
def text_classifier() -> None:
    """The text classifier."""


@cli.command()
def serve() -> None:
    """Answer over HTTP. Settings come from the environment (CHEX_TEXT_MODEL, CHEX_TEXT_PORT, ...)."""
    settings = read_environment(TextClassifierSettings, "text-classifier")
    require_token(settings, "text-classifier")
    app = create_app(settings)
    serve_app(app, settings, service="text-classifier", port=settings.text_port, port_variable="CHEX_TEXT_PORT")


cli.command()(label)


def main() -> None:
    run(cli, "text-classifier", ModelLoadError, TableUnusable, PartialUnusable, ServiceError)


if __name__ == "__main__":
    main()
