"""What an installation in containers makes once: the token between its parts, and a key for whoever set it up."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from gateway.guard.caller import RIGHTS
from gateway.guard.keys.commands import make_key
from gateway.guard.keys.store import KeyFile
from gateway.settings import GatewaySettings
from shared.environment import read_environment
from shared.private_folder import kept, open_folder, write_private

TOKEN, FIRST_KEY = "service-token", "first-key"


def first_start(
    token_folder: Annotated[Path, typer.Option(help="Where the services and the gateway find their token.")],
    show: Annotated[str, typer.Option(help="The command that shows a file of the gateway's folder.")] = "cat",
    address: Annotated[str, typer.Option(help="Where the gateway will be reached.")] = "127.0.0.1:8000",
) -> None:
    """Make the services' token and a first key, each where there is none, and say how to call. Neither is printed."""
    settings = read_environment(GatewaySettings, "gateway")
    open_folder(token_folder)
    kept(token_folder / TOKEN, secrets.token_hex(32).encode())
    keys = KeyFile(settings.gateway_dir)
    file = settings.gateway_dir / FIRST_KEY
    if not keys.all():
        open_folder(settings.gateway_dir)
        write_private(file, make_key(keys, "first", RIGHTS).encode())
    if file.exists():
        typer.echo(f'curl -H "Authorization: Bearer $({show} {file.resolve()})" http://{address}/v1/index')
