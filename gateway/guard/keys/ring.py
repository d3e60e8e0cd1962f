"""The keys as a running gateway knows them: all in memory, and half a second behind the file at most."""

import time
from pathlib import Path

import structlog

from gateway.guard.keys.key import Key
from gateway.guard.keys.store import Changes, KeyFile, KeysUnusable

log = structlog.get_logger("keys")

LOOK_EVERY_S = 0.5


class Ring:
    """Raises KeysUnusable where there is a file and it cannot be read; later, what was read last goes on to hold."""

    def __init__(self, folder: Path) -> None:
        self._file = KeyFile(folder)
        self._changes: Changes | None = None
        self._keys: dict[str, Key] = {}
        self._look_at = 0.0
        self._used: dict[str, float] = {}
        self._locked = False
        self._look()

    def __bool__(self) -> bool:
        """Whether there ever was a key: to revoke the last one lets nobody in."""
        self._look_again()
        return self._locked

    def get(self, key_id: str) -> Key | None:
        self._look_again()
        return self._keys.get(key_id)

    def used(self, key: Key, now: float) -> None:
        self._used[key.id] = now

    def write_uses(self) -> None:
        """What was used since the last time goes into the file. Waits for the disk."""
        used, self._used = self._used, {}
        try:
            if used:
                self._file.write_uses(used)
        except KeysUnusable as error:
            log.warning("last_use_not_written", error=str(error))

    def close(self) -> None:
        self.write_uses()
        if self._changes is not None:
            self._changes.close()
            self._changes = None

    def _look_again(self) -> None:
        if time.monotonic() < self._look_at:
            return
        try:
            self._look()
        except KeysUnusable as error:
            log.warning("keys_not_read", error=str(error))

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_EVERY_S
        if self._changes is None or self._changes.are_of_another_file():
            self._open()
        else:
            self._keys.update((key.id, key) for key in self._changes.news())
        self._locked = self._locked or bool(self._keys)

    def _open(self) -> None:
        """What was read before is forgotten only once the file can be read."""
        if not self._file.exists():
            return
        changes = Changes(self._file)
        try:
            self._keys = {key.id: key for key in changes.news()}
        except KeysUnusable:
            changes.close()
            raise
        if self._changes is not None:
            self._changes.close()
        self._changes = changes
