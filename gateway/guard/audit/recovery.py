"""Where an audit is gone on with: after the last whole line, whatever the machine was doing when it stopped.

The head counts no line before it is on disk, and may be a few lines behind after a power cut. What lies beyond it in
whole lines is kept; half a line at the end is what a stop leaves behind, and nobody was answered on account of it.
Anything else is not the machine's doing.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import structlog

from gateway.guard.audit.chain import Chain, Line, Link
from gateway.guard.audit.failures import AuditUnusable
from gateway.guard.audit.folder import LinesFile, lines_files, read_head

log = structlog.get_logger("audit")

ADVICE = (
    "`python -m gateway audit verify` says where. To go on with a new one, move this folder away, and keep it as it is."
)


def recover(folder: Path, key: bytes) -> tuple[Chain, Link]:
    """The chain and its last line; a chain is begun where there is none. Raises AuditUnusable."""
    files, kept = lines_files(folder), read_head(folder, key)
    if kept is None:
        if files:
            raise AuditUnusable(f"The audit in {folder} has lines and no head. {ADVICE}")
        chain = Chain(key, secrets.token_hex(8))
        return chain, chain.start
    chain, head = kept
    last = _last_link(folder, files, chain, head)
    if last != head:
        log.warning("audit_lines_beyond_head", lines=last.count - head.count)
    return chain, last


def _last_link(folder: Path, files: Sequence[LinesFile], chain: Chain, head: Link) -> Link:
    before = [number for number, file in enumerate(files) if file.first <= head.count]
    tail = files[before[-1] :] if before else files
    # The line that the head names is looked for, unless all that is left comes after it.
    link = None if before else head
    for file in tail:
        with file.path.open("r+b") as stream:
            whole = 0
            for text in stream:
                line = Line.read(text)
                if link is None:
                    link = head if line is not None and line.link == head else None
                elif line is not None and chain.holds(link, line):
                    link = line.link
                elif file is tail[-1] and (b"\0" in text or not text.endswith(b"\n")):
                    log.warning("audit_half_line_removed", after=link.count)
                    stream.truncate(whole)
                    os.fsync(stream.fileno())
                    return link
                else:
                    raise AuditUnusable(f"The audit in {folder} holds a line that it did not write. {ADVICE}")
                whole += len(text)
    if link is None or (not before and head.count > 0 and not (files and files[0].first == head.count + 1)):
        raise AuditUnusable(f"Lines are gone from the end of the audit in {folder}. {ADVICE}")
    return link
