"""`python -m gateway keys create | list | revoke | rotate`: a gateway that runs meanwhile follows within a second."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from gateway.guard.caller import RIGHTS, Right
from gateway.guard.keys.check import hash_of
from gateway.guard.keys.key import Key, Written, new_key
from gateway.guard.keys.store import KeyFile, KeysUnusable
from gateway.guard.rates import read_rate
from gateway.settings import GatewaySettings
from shared.environment import read_environment

MOST_OF_A_NAME = 64
Id = Annotated[str, typer.Argument(metavar="ID", help="The part of the key between the underscores; `list` shows it.")]

keys = typer.Typer(no_args_is_help=True, help="API keys: who may do what.")


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="Whose key it is, for those who read the list.")],
    right: Annotated[
        list[str], typer.Option(metavar="|".join(RIGHTS), help="What it is for; may be given several times.")
    ],
    expires: Annotated[str | None, typer.Option(help="In so many days, or on a date such as 2027-01-31.")] = None,
    rate: Annotated[str | None, typer.Option(help="The most that it may send, such as 60/minute.")] = None,
) -> None:
    """Make a key, and print it. It is shown this once: only its hash is kept."""
    typer.echo(make_key(_file(), name, right, expires=expires, rate=rate))


@keys.command(name="list")
def list_keys() -> None:
    """All keys that ever were, without their secrets."""
    now = time.time()
    for key in _file().all():
        ended = key.ended(now)
        parts = [
            key.id,
            "ended" if ended else "valid",
            ",".join(sorted(key.rights)),
            f"made {_day(key.created_at)}",
            f"until {_day(key.expires_at)}" if key.expires_at else "without end",
            f"used {_moment(key.used_at)}" if key.used_at else "never used",
            key.rate or "no limit",
            f"{key.name} ({ended})" if ended else key.name,
        ]
        typer.echo("  ".join(parts))


@keys.command()
def revoke(key_id: Id) -> None:
    """End a key at once and for good."""
    file = _file()
    _known(file, key_id)
    file.revoke(key_id, time.time())


@keys.command()
def rotate(
    key_id: Id,
    grace: Annotated[float, typer.Option(min=0, help="For so many hours the old one goes on to hold.")] = 0,
) -> None:
    """Make a key in the place of another, with its name, rights, limit and end, and print it."""
    file = _file()
    old = _known(file, key_id)
    now = time.time()
    ended = old.ended(now)
    if ended is not None:
        raise KeysUnusable(f"The key {key_id} {ended}: make a new one.")
    written, new = _made(old.name, old.rights, old.rate, old.expires_at)
    file.replace(old, new, ends_at=now + 3600 * grace)
    typer.echo(str(written))


def make_key(
    file: KeyFile, name: str, rights: Sequence[str], *, expires: str | None = None, rate: str | None = None
) -> str:
    """The new key as it is written. Raises KeysUnusable."""
    if not name.strip() or not name.isprintable() or len(name) > MOST_OF_A_NAME:
        raise KeysUnusable(f"A name has 1 to {MOST_OF_A_NAME} characters, all of which can be seen.")
    named: list[Right] = [right for right in RIGHTS if right in rights]
    if not named or len(named) < len(set(rights)):
        raise KeysUnusable(f"A right is one of {', '.join(RIGHTS)}.")
    if rate is not None:
        try:
            read_rate(rate)
        except ValueError:
            raise KeysUnusable("A rate is written as 60/minute, 5/second or 1000/day.") from None
    written, key = _made(name, frozenset(named), rate, None if expires is None else _end(expires))
    file.add(key)
    return str(written)


def _made(name: str, rights: frozenset[Right], rate: str | None, expires_at: float | None) -> tuple[Written, Key]:
    written = new_key()
    return written, Key(written.id, name, rights, hash_of(written.secret), rate, time.time(), expires_at)


def _file() -> KeyFile:
    return KeyFile(read_environment(GatewaySettings, "gateway").gateway_dir)


def _known(file: KeyFile, key_id: str) -> Key:
    found = next((key for key in file.all() if key.id == key_id), None)
    if found is None:
        raise KeysUnusable("There is no key of this id; `python -m gateway keys list` shows all.")
    return found


def _end(written: str) -> float:
    """Of the day that is named, in UTC."""
    try:
        now = datetime.now(UTC)
        days = int(written) if written.isdecimal() else None
        end = now + timedelta(days=days) if days is not None else _midnight_after(written)
    except (ValueError, OverflowError):
        raise KeysUnusable("--expires takes a number of days, or a date such as 2027-01-31.") from None
    if end <= now:
        raise KeysUnusable("--expires lies in the past.")
    return end.timestamp()


def _midnight_after(day: str) -> datetime:
    return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%MZ}"
