"""Which files a table, or a link, may make an ingest read: those below the images' root."""

import os
from pathlib import Path

OUTSIDE = "The path leads out of --images-root: the file was not read."
BY_LINK = "A link leads out of --images-root: the file was not read (--follow-links reads it all the same)."
NO_PATH = "This is no path of a file: it holds a NUL byte, or goes round in links."


class Root:
    """A path counts as what it resolves to, links and `..` followed. `follow_links`: links below the root, which its
    owner put there, may lead out of it; a table's own `..` and absolute paths still may not.
    """

    def __init__(self, folder: Path, *, follow_links: bool = False) -> None:
        self._written = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links
        self._resolved = folder.resolve()
        self._follow_links = follow_links

    def why_not(self, file: Path) -> str | None:
        """Why the file must not be read; None where it may be."""
        try:
            inside = file.resolve().is_relative_to(self._resolved)
        except (OSError, ValueError, RuntimeError):
            return NO_PATH
        by_link = ".." not in file.parts and Path(os.path.abspath(file)).is_relative_to(self._written)  # noqa: PTH100
        if inside or (by_link and self._follow_links):
            return None
        return BY_LINK if by_link else OUTSIDE
