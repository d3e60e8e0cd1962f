"""`python -m gateway`: serve the gateway, configured by `CHEX_…` environment variables."""

import typer

from gateway.app import create_app
from gateway.guard.audit import commands as audit
from gateway.guard.audit.failures import AuditBroken, AuditUnusable
from gateway.guard.first_start import first_start
from gateway.guard.folder import FolderUnusable
from gateway.guard.keys.commands import keys
from gateway.guard.keys.store import KeysUnusable
from gateway.guard.local_only import OpenToAll
from gateway.settings import GatewaySettings
from shared.commands import run
from shared.environment import read_environment
from shared.web.serve import serve

cli = typer.Typer(add_completion=False)


@cli.callback(invoke_without_command=True)
def gateway(context: typer.Context) -> None:
    """Serve the gateway. Without a command it takes no arguments: settings come from the environment
    (CHEX_GATEWAY_PORT, ...).
    """
    if context.invoked_subcommand is not None:
        return
    settings = read_environment(GatewaySettings, "gateway")
    serve(
        create_app(settings), settings, service="gateway", port=settings.gateway_port, port_variable="CHEX_GATEWAY_PORT"
    )


cli.add_typer(keys, name="keys")
cli.add_typer(audit.cli, name="audit")
cli.command()(first_start)

if __name__ == "__main__":
    run(cli, "gateway", FolderUnusable, AuditUnusable, AuditBroken, KeysUnusable, OpenToAll)
