"""Audits as their tests make and read them."""

import json
from pathlib import Path
from typing import Any

from gateway.guard.audit.folder import KEY_FILE, lines_files
from gateway.guard.audit.journal import Journal
from gateway.guard.audit.verify import Verified, verify

EVENTS = [b'{"action":"R","outcome":"0","number":%d}' % number for number in range(1000)]


def journal_in(folder: Path, **options: Any) -> Journal:
    return Journal(folder, **{"max_bytes": 2**20, **options})


def written(folder: Path, lines: int, **options: Any) -> Journal:
    """A journal of so many lines, a group each; closed."""
    journal = journal_in(folder, **options)
    for event in EVENTS[:lines]:
        journal.append([event])
    journal.sync_head()
    journal.close()
    return journal


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in lines_files(folder) for line in file.path.read_bytes().splitlines()]


def verified(folder: Path, witness: tuple[int, str] | None = None) -> Verified:
    return verify(folder, (folder / KEY_FILE).read_bytes(), witness)
