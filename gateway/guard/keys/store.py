"""The file of the keys. Commands write it while a gateway reads it: SQLite keeps them apart."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gateway.guard.caller import RIGHTS, Right
from gateway.guard.keys.key import Key
from shared.private_folder import open_folder

FILE = "keys.sqlite"
_BUSY_S = 10.0
# `change` grows with all that a gateway must hear of: it reads the rows beyond the last one it has seen.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, rights TEXT NOT NULL, hash TEXT NOT NULL, rate TEXT,
    created_at REAL NOT NULL, expires_at REAL, revoked_at REAL, used_at REAL, change INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS keys_by_change ON keys (change);
"""
_NEXT = "(SELECT COALESCE(MAX(change), 0) + 1 FROM keys)"
_COLUMNS = "id, name, rights, hash, rate, created_at, expires_at, revoked_at, used_at"


class KeysUnusable(Exception):
    """The message says why."""


class KeyFile:
    """Raises KeysUnusable. A key is never taken out: one that was revoked tells of itself, and its id stays taken."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def exists(self) -> bool:
        return self.path.exists()

    def add(self, key: Key) -> None:
        with self._writing() as database:
            _insert(database, key)

    def revoke(self, key_id: str, at: float) -> None:
        with self._writing() as database:
            database.execute(f"UPDATE keys SET revoked_at = ?, change = {_NEXT} WHERE id = ?", (at, key_id))  # noqa: S608

    def replace(self, old: Key, new: Key, ends_at: float) -> None:
        """Adds `new`, and lets `old` end then, or when it would have ended anyway."""
        ends_at = ends_at if old.expires_at is None else min(ends_at, old.expires_at)
        with self._writing() as database:
            _insert(database, new)
            database.execute(f"UPDATE keys SET expires_at = ?, change = {_NEXT} WHERE id = ?", (ends_at, old.id))  # noqa: S608

    def write_uses(self, used_at: Mapping[str, float]) -> None:
        with self._writing() as database:
            database.executemany(
                "UPDATE keys SET used_at = ? WHERE id = ?", [(at, each) for each, at in used_at.items()]
            )

    def all(self) -> list[Key]:
        """In the order in which they were made."""
        if not self.exists():
            return []
        with closing(_connect(self.path, _BUSY_S)) as database, _said(self.path):
            rows = database.execute(f"SELECT {_COLUMNS} FROM keys ORDER BY created_at, id").fetchall()  # noqa: S608
        return [_key(row) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on the disk when it ends, in a file that is made where there is none."""
        with _said(self.path):
            open_folder(self.path.parent)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(_connect(self.path, _BUSY_S)) as database, _said(self.path):
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_SCHEMA)
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")


class Changes:
    """Tells a process that stays of what others write. Raises KeysUnusable."""

    def __init__(self, file: KeyFile) -> None:
        self._path = file.path
        self._file = _identity(file.path)
        self._database = _connect(file.path, busy_s=0)
        self._seen = 0

    def are_of_another_file(self) -> bool:
        """Whether another one has taken its place: a copy that was put back, say."""
        return self._path.exists() and _identity(self._path) != self._file

    def news(self) -> list[Key]:
        """The keys that were made or changed since it was last asked."""
        with _said(self._path):
            query = f"SELECT {_COLUMNS}, change FROM keys WHERE change > ?"  # noqa: S608
            rows = self._database.execute(query, (self._seen,)).fetchall()
        self._seen = max((row[-1] for row in rows), default=self._seen)
        return [_key(row[:-1]) for row in rows]

    def close(self) -> None:
        self._database.close()


def _connect(path: Path, busy_s: float) -> sqlite3.Connection:
    with _said(path):
        return sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)


def _identity(path: Path) -> tuple[int, int]:
    with _said(path):
        found = path.stat()
    return found.st_dev, found.st_ino


def _insert(database: sqlite3.Connection, key: Key) -> None:
    values = (key.id, key.name, " ".join(sorted(key.rights)), key.hash, key.rate, key.created_at, key.expires_at)
    columns = "id, name, rights, hash, rate, created_at, expires_at, change"
    database.execute(f"INSERT INTO keys ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, {_NEXT})", values)  # noqa: S608


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise KeysUnusable(f"The file of the keys, {path}, cannot be used: {error}.") from error


def _key(row: tuple[Any, ...]) -> Key:
    key_id, name, rights, *rest = row
    known: list[Right] = [right for right in RIGHTS if right in rights.split()]
    return Key(key_id, name, frozenset(known), *rest)
