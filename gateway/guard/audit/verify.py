"""Whether an audit is what was written: every line, in its place, none missing, the last ones too."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.guard.audit.chain import Chain, Line, Link
from gateway.guard.audit.failures import AuditBroken
from gateway.guard.audit.folder import LinesFile, lines_files, read_anchor, read_head

MOST_FINDINGS = 20


@dataclass(frozen=True)
class Verified:
    head: Link
    files: int
    removed: int  # lines that are gone because they were old
    unfinished: bool  # half a line at the end, of a gateway that was stopped or is at work


def verify(folder: Path, key: bytes, witness: tuple[int, str] | None = None) -> Verified:
    """`witness`: how many lines there were once, and the seal of the last (its first digits will do).

    Raises AuditBroken, which says file and line; AuditUnusable where there is nothing to begin with.
    """
    kept = read_head(folder, key)
    if kept is None:
        raise AuditBroken(f"There is no head of an audit in {folder}: it was removed, or nothing was begun here.")
    chain, head = kept
    reading = _Reading(chain, head, read_anchor(folder, key) or chain.start, witness)
    for file in _not_removed(lines_files(folder), reading.link):
        reading.read(file)
    findings = reading.findings[:MOST_FINDINGS] + reading.missing(folder)
    if findings:
        raise AuditBroken("\n".join(["The audit is not what was written:", *findings]))
    return Verified(reading.link, reading.files, reading.removed, reading.unfinished)


def _not_removed(files: list[LinesFile], anchor: Link) -> Iterator[LinesFile]:
    """Without files of before the anchor, which a stop in the middle of removing them leaves behind."""
    for file, following in zip(files, [*files[1:], None], strict=True):
        if following is None or following.first > anchor.count + 1:
            yield file


class _Reading:
    def __init__(self, chain: Chain, head: Link, begin: Link, witness: tuple[int, str] | None) -> None:
        self._chain = chain
        self._head = head
        self._witness = witness
        self.link = begin
        self.removed = begin.count
        self.files = 0
        self.unfinished = False
        self.findings: list[str] = []
        self._seen_head = head == begin
        self._seen_witness = witness is None or self._is_witness(begin)

    def read(self, file: LinesFile) -> None:
        self.files += 1
        with file.path.open("rb") as stream:
            for number, text in enumerate(stream, start=1):
                at = f"{file.path.name}, line {number}"
                line = Line.read(text)
                if line is None:
                    self._not_a_line(text, at)
                    continue
                if not self._chain.holds(self.link, line):
                    self.findings.append(f"{at}: {self._what_is_wrong(line)}")
                self.link = line.link  # what follows is judged by it: one line that was changed is one finding
                self._seen_head = self._seen_head or line.link == self._head
                self._seen_witness = self._seen_witness or self._is_witness(line.link)

    def missing(self, folder: Path) -> list[str]:
        """What no line is there to show."""
        findings = []
        if self.link.count < self._head.count:
            findings.append(
                f"{folder.name}: the end is cut off: {self._head.count} lines were written (head.json), and "
                f"the last one here is number {self.link.count}."
            )
        elif not self._seen_head and not self.findings:
            findings.append(f"{folder.name}: line {self._head.count} is not the one that head.json names.")
        if self._witness is not None and not self._seen_witness:
            findings.append(self._no_witness(*self._witness))
        return findings

    def _not_a_line(self, text: bytes, at: str) -> None:
        if not text.endswith(b"\n") and self.link.count >= self._head.count:
            self.unfinished = True
        else:
            self.findings.append(f"{at}: this is no line of an audit.")

    def _what_is_wrong(self, line: Line) -> str:
        expected, found = self.link.count + 1, line.link.count
        if line.chain != self._chain.name:
            return f"this is line {found} of another chain ({line.chain})."
        if found > expected:
            gone = f"line {expected} is" if found == expected + 1 else f"lines {expected} to {found - 1} are"
            return f"this is line {found}; before it {gone} missing."
        if found < expected:
            return f"this is line {found} in the place of line {expected}."
        return f"line {found} was changed, or put in the place of another."

    def _is_witness(self, link: Link) -> bool:
        assert self._witness is not None  # noqa: S101 - asked only where there is one
        count, seal = self._witness
        return link.count == count and link.seal.startswith(seal)

    def _no_witness(self, count: int, seal: str) -> str:
        if count < self.removed:
            return f"--head {count}:{seal}: those lines were removed because they were old; a later head is needed."
        if count > self.link.count:
            return f"--head {count}:{seal}: the end is cut off; the last line here is number {self.link.count}."
        return f"--head {count}:{seal}: line {count} here has another seal."
