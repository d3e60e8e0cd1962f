"""The files of an audit: the lines, by the number of the first and its day; how many there are; where they begin."""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from gateway.guard.audit.chain import Chain, Link
from gateway.guard.audit.failures import AuditUnusable
from shared.private_folder import kept, write_private

KEY_FILE = "audit.key"
HEAD_FILE = "head.json"
ANCHOR_FILE = "anchor.json"
_ENDING = ".ndjson"
_SECTOR = 512


@dataclass(frozen=True)
class LinesFile:
    path: Path
    first: int  # the number of its first line
    day: date

    @classmethod
    def named(cls, folder: Path, first: int, day: date) -> Self:
        return cls(folder / f"{first:012d}-{day.isoformat()}{_ENDING}", first, day)


def lines_files(folder: Path) -> list[LinesFile]:
    """In the order of their lines. Raises AuditUnusable for one that has another name than any of ours."""
    files = []
    for path in sorted(folder.glob(f"*{_ENDING}")):
        first, _, day = path.stem.partition("-")
        try:
            files.append(LinesFile(path, int(first), date.fromisoformat(day)))
        except ValueError:
            raise AuditUnusable(f"{path} is no file of the audit: its name says neither a number nor a day.") from None
    return files


def open_key(folder: Path, configured: bytes | None) -> bytes:
    """The configured key, else the folder's, else a new one that is kept there. Raises AuditUnusable."""
    file = folder / KEY_FILE
    if configured is not None:
        return configured
    if not file.exists() and (folder / HEAD_FILE).exists():
        raise AuditUnusable(f"The key of the audit, {file}, is gone: put it back, or set CHEX_AUDIT_KEY.")
    key = kept(file, secrets.token_hex(32).encode())
    if not key:
        raise AuditUnusable(f"The key of the audit, {file}, is empty: put a copy of it back, or set CHEX_AUDIT_KEY.")
    return key


def read_head(folder: Path, key: bytes) -> tuple[Chain, Link] | None:
    """How far the chain has come. None where nothing was begun. Raises AuditUnusable."""
    return _read(folder / HEAD_FILE, key, "head")


class HeadFile:
    """The head, written over in its place: that needs no room on a full disk. It lies in one sector, which a disk
    writes whole or not at all. Its methods raise OSError.
    """

    def __init__(self, folder: Path, chain: Chain, link: Link) -> None:
        self._chain = chain
        file = folder / HEAD_FILE
        if not file.exists():
            write_private(file, self._sector(link))
        self._descriptor = os.open(file, os.O_WRONLY)

    def write(self, link: Link) -> None:
        os.pwrite(self._descriptor, self._sector(link), 0)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def _sector(self, link: Link) -> bytes:
        return self._chain.signed("head", link).ljust(_SECTOR - 1) + b"\n"


def read_anchor(folder: Path, key: bytes) -> Link | None:
    """Up to where lines were removed because they were old. Raises AuditUnusable."""
    found = _read(folder / ANCHOR_FILE, key, "anchor")
    return None if found is None else found[1]


def write_anchor(folder: Path, chain: Chain, link: Link) -> None:
    write_private(folder / ANCHOR_FILE, chain.signed("anchor", link))


def _read(file: Path, key: bytes, what: str) -> tuple[Chain, Link] | None:
    try:
        kept = json.loads(file.read_bytes())
        chain, link = Chain(key, kept["chain"]), Link(kept["count"], kept["seal"])
        if chain.is_signed(what, link, kept["signature"]):
            return chain, link
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    raise AuditUnusable(f"{file} was changed, or written with another key than the one that is used here.")
