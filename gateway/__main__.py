"""`python -m gateway`: serve the gateway, configured by `CHEX_…` environment variables."""

import typer

from gateway.app import create_app
from gateway.settings import GatewaySettings
from shared.commands import run
from shared.environment import read_environment
from shared.web.serve import serve


def main() -> None:
    """Serve the gateway. It takes no arguments: settings come from the environment (CHEX_GATEWAY_PORT, ...)."""
    settings = read_environment(GatewaySettings, "gateway")
    serve(
        create_app(settings), settings, service="gateway", port=settings.gateway_port, port_variable="CHEX_GATEWAY_PORT"
    )


if __name__ == "__main__":
    run(lambda: typer.run(main), "gateway")
