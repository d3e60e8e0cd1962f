"""The files of one gateway's audit as it writes them: a group of lines at a time, all of it on disk or none."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import structlog

from gateway.guard.audit.failures import AuditUnusable
from gateway.guard.audit.folder import HeadFile, LinesFile, lines_files, open_key
from gateway.guard.audit.recovery import recover
from gateway.guard.audit.removal import remove_old
from shared.private_folder import make_durable, open_folder

log = structlog.get_logger("audit")

_PROBE = bytes(4096)


def _today() -> date:
    return datetime.now(UTC).date()


class Journal:
    """Opens or begins the audit in `folder`, where nobody else may write. Raises AuditUnusable.

    A file is followed by the next one once it holds `max_bytes`, or its day (UTC) is over. With `keep_days`, files
    whose day was longer ago are removed then.
    """

    def __init__(
        self,
        folder: Path,
        configured_key: bytes | None = None,
        *,
        max_bytes: int,
        keep_days: int | None = None,
        today: Callable[[], date] = _today,
    ) -> None:
        open_folder(folder)
        self._folder = folder
        self.key = open_key(folder, configured_key)
        self.chain, self.head = recover(folder, self.key)
        self._head_file = HeadFile(folder, self.chain, self.head)
        self._head_file.write(self.head)
        self._head_file.sync()
        self._max_bytes = max_bytes
        self._keep_days = keep_days
        self._today = today
        files = lines_files(folder)
        self._file = files[-1] if files else self._make_file()
        self._descriptor = os.open(self._file.path, os.O_WRONLY | os.O_APPEND)
        self._size = os.fstat(self._descriptor).st_size

    def append(self, events: Sequence[bytes]) -> None:
        """They are on disk when it returns. The head counts them, and is on disk after `sync_head`: of the two, the
        lines come first. Raises OSError; then `restore` must be called before anything else.
        """
        if self._size > 0 and (self._size >= self._max_bytes or self._file.day != self._today()):
            self._turn_over()
        link, lines = self.head, []
        for event in events:
            line, link = self.chain.sealed(link, event)
            lines.append(line)
        written = b"".join(lines)
        _write(self._descriptor, written)
        os.fdatasync(self._descriptor)
        self._head_file.write(link)
        self._size += len(written)
        self.head = link

    def sync_head(self) -> None:
        """Raises OSError."""
        self._head_file.sync()

    def restore(self) -> None:
        """Takes away what an `append` that failed has left, and finds out whether there is room again. Raises OSError.

        The head goes first: lines that it does not count do no harm, and lines that it counts must be there.
        """
        self._head_file.write(self.head)
        self._head_file.sync()
        os.ftruncate(self._descriptor, self._size)
        try:
            _write(self._descriptor, _PROBE)
            os.fdatasync(self._descriptor)
        finally:
            os.ftruncate(self._descriptor, self._size)

    def close(self) -> None:
        os.close(self._descriptor)
        self._head_file.close()

    def _turn_over(self) -> None:
        following = self._make_file()
        descriptor = os.open(following.path, os.O_WRONLY | os.O_APPEND)
        os.close(self._descriptor)
        self._file, self._descriptor, self._size = following, descriptor, 0
        if self._keep_days is not None:
            try:
                remove_old(self._folder, self.key, self._today() - timedelta(days=self._keep_days))
            except (OSError, AuditUnusable) as error:
                log.warning("audit_old_files_stay", error=type(error).__name__)

    def _make_file(self) -> LinesFile:
        made = LinesFile.named(self._folder, self.head.count + 1, self._today())
        os.close(os.open(made.path, os.O_WRONLY | os.O_CREAT, 0o600))
        make_durable(self._folder)
        return made


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
