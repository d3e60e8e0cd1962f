"""A folder of tables that is written whole, or not at all."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class FolderUnusable(ValueError):
    """The message says why, and what to do."""


def check_folder(out: Path, files: Sequence[str], *, overwrite: bool) -> None:
    """Raises FolderUnusable where a folder of these `files` must not be put in this place."""
    if not out.parent.is_dir():
        raise FolderUnusable(f"There is no folder {out.parent}.")
    if not out.exists():
        return
    if not out.is_dir():
        raise FolderUnusable(f"{out} is no folder.")
    there = sorted(file.name for file in out.iterdir())
    others = [name for name in there if name not in files]
    if others:
        raise FolderUnusable(f"{out} holds {others[0]}, which would be lost: name a folder of its own.")
    if there and not overwrite:
        raise FolderUnusable(f"{out} holds {', '.join(there)} already. --overwrite puts the new tables in their place.")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder, for its owner alone, that takes the place of `out` once everything in it was written."""
    out = out.resolve()
    new = Path(tempfile.mkdtemp(dir=out.parent, prefix=f"{out.name}.partial-"))
    try:
        yield new
        if out.exists():
            old = Path(tempfile.mkdtemp(dir=out.parent, prefix=f"{out.name}.replaced-"))
            out.rename(old)
            try:
                new.rename(out)
            except BaseException:
                old.rename(out)
                raise
            shutil.rmtree(old)
        else:
            new.rename(out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
