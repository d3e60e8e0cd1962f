"""`python -m gateway audit …`: what an auditor asks."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.guard.audit.failures import AuditUnusable
from gateway.guard.audit.folder import KEY_FILE, read_head
from gateway.guard.audit.opening import FOLDER
from gateway.guard.audit.verify import verify as verify_folder
from gateway.guard.audit.writer import HEAD_DIGITS
from gateway.settings import GatewaySettings
from shared.environment import read_environment

cli = typer.Typer(no_args_is_help=True, help="What the gateway wrote down of every access.")

_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{12,64})")

Folder = Annotated[
    Path | None, typer.Option(help="An audit, or a copy of one.", show_default="`audit` below CHEX_GATEWAY_DIR")
]
Head = Annotated[
    str | None,
    typer.Option(
        help="What `audit head` said once, or the metrics did: the number of lines, a colon, and 12 or more hex digits."
    ),
]


@cli.command()
def verify(folder: Folder = None, head: Head = None) -> None:
    """Is every line there, in its place and unchanged? Status 1 where not, with file and line."""
    witness = None if head is None else _witness(head)
    where, key = _opened(folder)
    found = verify_folder(where, key, witness)
    console = Console(highlight=False, soft_wrap=True)
    older = f" {found.removed:,} older ones were removed." if found.removed else ""
    half = " Half a line is at the end, of a request that was not answered (yet)." if found.unfinished else ""
    console.print(
        f"{found.head.count - found.removed:,} lines in {found.files:,} files are as they were written.{older}{half}"
    )
    console.print(f"head {found.head.count}:{found.head.seal}")


@cli.command(name="head")
def show_head(folder: Folder = None) -> None:
    """How far the audit has come, to be kept elsewhere: `verify --head` asks for it later."""
    where, key = _opened(folder)
    kept = read_head(where, key)
    if kept is None:
        raise AuditUnusable(f"There is no audit in {where}.")
    Console(highlight=False, soft_wrap=True).print(f"{kept[1].count}:{kept[1].seal}")


def _opened(folder: Path | None) -> tuple[Path, bytes]:
    """Where the audit is, and its key: the configured one, or the folder's own."""
    settings = read_environment(GatewaySettings, "gateway")
    where = settings.gateway_dir / FOLDER if folder is None else folder
    configured = settings.configured_audit_key()
    if configured is not None:
        return where, configured
    if not (where / KEY_FILE).exists():
        raise AuditUnusable(f"There is no audit in {where}, or its key is not: set CHEX_GATEWAY_DIR or CHEX_AUDIT_KEY.")
    return where, (where / KEY_FILE).read_bytes()


def _witness(head: str) -> tuple[int, str]:
    found = _HEAD.fullmatch(head.strip())
    if found is None:
        raise AuditUnusable(f"--head is a number of lines, a colon, and {HEAD_DIGITS} to 64 hex digits.")
    return int(found[1]), found[2]
