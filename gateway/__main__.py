"""`python -m gateway`: serve the gateway, configured by `CHEX_…` environment variables."""

from gateway.app import create_app
from gateway.settings import GatewaySettings
from shared.serve import serve

if __name__ == "__main__":
    settings = GatewaySettings()
    serve(
        create_app(settings), settings, service="gateway", port=settings.gateway_port, port_variable="CHEX_GATEWAY_PORT"
    )
