"""A folder for its owner alone: pictures of patients, or keys, lie in it."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger("private-folder")

_ANYONE_ELSE = stat.S_IRWXG | stat.S_IRWXO


def open_folder(folder: Path) -> None:
    """Makes it, or takes from it and from all files in it what others may do with them, and says so in the log."""
    folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    for path in (folder, *folder.iterdir()):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & _ANYONE_ELSE:
                path.chmod(mode & ~_ANYONE_ELSE)
                log.warning("made_private", name=path.name, mode_before=f"{mode:o}")
        except FileNotFoundError:
            continue  # another process took it away meanwhile
        except PermissionError:  # it is another user's: that is for the administrator to put right
            log.warning("not_private", name=path.name, mode=f"{mode:o}")


def make_durable(folder: Path) -> None:
    """The names in the folder are on the disk when it returns, as an fsync of a file does not promise."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def kept(file: Path, new: bytes) -> bytes:
    """What the file holds, and where there is none, `new` from now on: whole or not at all, wherever the machine stops,
    for its owner alone, and not in place of what another process kept meanwhile.
    """
    if not file.exists():
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f"{file.name}.") as stream:
            stream.write(new)
            stream.flush()
            os.fsync(stream.fileno())
            with suppress(FileExistsError):
                file.hardlink_to(stream.name)
        make_durable(file.parent)
    return file.read_bytes()


def write_private(file: Path, content: bytes) -> None:
    """Whole or not at all, wherever the machine stops, and for its owner alone."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    make_durable(file.parent)
