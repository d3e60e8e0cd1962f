"""Old lines are removed, and an anchor takes their place, from which the rest of the chain can be verified.

An anchor is signed: whoever can write in the folder must not get one for lines that are not old, or not in their place.
So the lines are verified first, and their age is what the last of them says, not what the file is named.
"""

import json
from datetime import date, datetime
from pathlib import Path

import structlog

from gateway.guard.audit.chain import Chain, Line, Link
from gateway.guard.audit.failures import AuditUnusable
from gateway.guard.audit.folder import LinesFile, lines_files, read_anchor, read_head, write_anchor

log = structlog.get_logger("audit")


def remove_old(folder: Path, key: bytes, before: date) -> None:
    """Removes the first files, as far as their days lie before that day; never the last one.

    Raises AuditUnusable where one is not as it was written: then nothing is removed.
    """
    files, kept = lines_files(folder), read_head(folder, key)
    if kept is None:
        return
    chain = kept[0]
    anchor = link = read_anchor(folder, key) or chain.start
    old = []
    for file in files[:-1]:
        if file.day >= before:
            break
        if file.first > anchor.count:  # else a stop has left it behind
            link = _verified(file, chain, link, before)
        old.append(file)
    if not old:
        return
    write_anchor(folder, chain, link)
    for file in old:
        file.path.unlink()
    log.info("audit_old_files_removed", files=len(old))


def _verified(file: LinesFile, chain: Chain, link: Link, before: date) -> Link:
    """The last line of a file that goes on after `link`."""
    last = None
    with file.path.open("rb") as stream:
        for text in stream:
            last = Line.read(text)
            if last is None or not chain.holds(link, last):
                raise AuditUnusable(f"{file.path} holds a line that was not written there.")
            link = last.link
    if last is None or _day(last) >= before:
        raise AuditUnusable(f"{file.path} is not as old as its name says.")
    return link


def _day(line: Line) -> date:
    """Raises AuditUnusable."""
    try:
        return datetime.fromisoformat(json.loads(line.body + b"}")["recorded"]).date()
    except (ValueError, LookupError, TypeError) as error:
        raise AuditUnusable("A line does not say when it was recorded.") from error
