"""Whether the disk below an index takes writes: found out before one fails, and again after one has."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

_PROBE_BYTES = 64 * 1024
_PROBE_EVERY_S = 2.0


class Disk:
    """`min_free_bytes` are kept free: for what is being written, and for deletes."""

    def __init__(self, folder: Path, min_free_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._clock = clock
        self._failed = False
        self._next_probe = clock()
        self._probing = threading.Lock()

    def failed(self) -> None:
        """A write did: until a file can be written, none is to be expected to succeed."""
        self._failed = True

    def wrote(self) -> None:
        self._failed = False

    def trouble(self) -> str | None:
        """Why nothing can be written; None where it can. One system call, unless a write has failed."""
        disk = os.statvfs(self._folder)
        if disk.f_flag & os.ST_RDONLY:
            return "The disk of the index can only be read."
        free = disk.f_bavail * disk.f_frsize
        if free < self._min_free_bytes:
            return (
                f"The disk of the index is full: {free // 2**20} MiB are free, and {self._min_free_bytes // 2**20} MiB "
                "have to stay free."
            )
        if self._failed and not self._works_again():
            return "The disk of the index is full or fails."
        return None

    def _works_again(self) -> bool:
        if self._clock() >= self._next_probe and self._probing.acquire(blocking=False):
            try:
                self._failed = not self._takes_a_file()
                self._next_probe = self._clock() + _PROBE_EVERY_S
            finally:
                self._probing.release()
        return not self._failed

    def _takes_a_file(self) -> bool:
        file = self._folder / "index.probe"
        try:
            descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            try:
                whole = os.write(descriptor, bytes(_PROBE_BYTES)) == _PROBE_BYTES
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
                file.unlink()
        except OSError:
            return False
        return whole
