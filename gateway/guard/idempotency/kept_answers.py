"""The answers that may have to be given again, in a SQLite file. Of keys and requests it holds keyed hashes alone."""

import asyncio
import hmac
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import structlog

from shared.errors import Unavailable
from shared.private_folder import kept, open_folder

log = structlog.get_logger("idempotency")

FILE_NAME = "idempotency.sqlite3"
SECRET_FILE = "idempotency.key"  # noqa: S105 - a file's name
LOCKED_S = 1.0
"""So long may another process hold the file."""

FORGET_EVERY_S = 600.0

# A row without an answer: the request was begun.
_SCHEMA = """CREATE TABLE IF NOT EXISTS answers (
    name BLOB PRIMARY KEY, begun REAL NOT NULL, request BLOB, status INTEGER, headers TEXT, body BLOB,
    named TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (begun);"""
_ANSWER = "SELECT request, status, headers, body, named FROM answers WHERE name = ? AND request IS NOT NULL"


class Answer(NamedTuple):
    """`request`: the fingerprint of what was answered; `named`: whom it was about, for the audit."""

    request: bytes
    status: int
    headers: dict[str, str]
    body: bytes
    named: dict[str, list[str]]


class KeptAnswers:
    """Opened by the first request that needs it. What cannot be read or written raises Unavailable.

    An answer that was kept is on the disk, and is forgotten `hours` after its request began.
    """

    def __init__(self, folder: Path, hours: float, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._kept_s = 3600 * hours
        self._clock = clock
        self._turn = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.secret = b""  # known once a request was begun

    async def begin(self, caller: str, key: str) -> Answer | None:
        """The answer that was given before. None where there is none: then the request is noted as begun."""
        return await asyncio.to_thread(self._begin, caller, key)

    async def keep(self, caller: str, key: str, answer: Answer) -> None:
        """For a request that was begun."""
        await asyncio.to_thread(self._keep, caller, key, answer)

    @asynccontextmanager
    async def forgotten_in_time(self) -> AsyncIterator[None]:
        """Meanwhile, whether or not requests come; then it is closed."""
        forgetting = asyncio.create_task(self._forget_on())
        try:
            yield
        finally:
            forgetting.cancel()
            with suppress(asyncio.CancelledError):
                await forgetting
            self.close()

    def close(self) -> None:
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def forget_old(self) -> None:
        with self._transaction() as connection:
            self._forget_old(connection)
        with self._use() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log holds it too

    async def _forget_on(self) -> None:
        while True:
            if (self._folder / FILE_NAME).exists():
                with suppress(Unavailable):
                    await asyncio.to_thread(self.forget_old)
            await asyncio.sleep(FORGET_EVERY_S)

    def _begin(self, caller: str, key: str) -> Answer | None:
        with self._transaction() as connection:
            self._forget_old(connection)
            name = self._name(caller, key)
            kept = connection.execute(_ANSWER, (name,)).fetchone()
            if kept is not None:
                request, status, headers, body, named = kept
                return Answer(request, status, json.loads(headers), body, json.loads(named))
            connection.execute("INSERT OR REPLACE INTO answers (name, begun) VALUES (?, ?)", (name, self._clock()))
            return None

    def _keep(self, caller: str, key: str, answer: Answer) -> None:
        with self._transaction() as connection:
            connection.execute(
                "UPDATE answers SET request = ?, status = ?, headers = ?, body = ?, named = ? WHERE name = ?",
                (
                    answer.request,
                    answer.status,
                    json.dumps(answer.headers),
                    answer.body,
                    json.dumps(answer.named),
                    self._name(caller, key),
                ),
            )

    def _forget_old(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM answers WHERE begun <= ?", (self._clock() - self._kept_s,))

    def _name(self, caller: str, key: str) -> bytes:
        return hmac.digest(self.secret, json.dumps([caller, key]).encode(), "sha256")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._use() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            try:
                yield self._open()
            except (sqlite3.Error, OSError) as error:
                log.error("answers_not_kept", error=type(error).__name__)  # noqa: TRY400 - its message names a path
                raise Unavailable(
                    "Answers cannot be kept now, so that no repetition would be known: send it later, or without an "
                    "Idempotency-Key."
                ) from None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            open_folder(self._folder)
            self.secret = kept(self._folder / SECRET_FILE, secrets.token_bytes(32))
            file = self._folder / FILE_NAME
            file.touch(mode=0o600)
            self._connection = _connect(file)
        return self._connection


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=LOCKED_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection
