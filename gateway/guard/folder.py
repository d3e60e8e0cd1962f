"""The folder of what the gateway itself keeps: keys, the audit, answers to be repeated. One process writes there."""

from pathlib import Path

from filelock import FileLock, Timeout

from shared.private_folder import open_folder


class FolderUnusable(Exception):
    """The message says why."""


def claim(folder: Path) -> FileLock:
    """Makes the folder, for its owner alone, and takes it until the lock is released. Raises FolderUnusable."""
    try:
        open_folder(folder)
        lock = FileLock(folder / "gateway.lock", mode=0o600)
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderUnusable(
            f"The folder {folder} is another gateway's. Stop that one, or set another CHEX_GATEWAY_DIR."
        ) from None
    except OSError as error:
        raise FolderUnusable(f"The folder {folder} (CHEX_GATEWAY_DIR) cannot be used: {error.strerror}.") from error
    return lock
