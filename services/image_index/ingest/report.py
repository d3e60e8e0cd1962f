"""What an ingest ends with: how many, how fast, and for what it could not index, why."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from services.image_index.ingest.tally import Failure, Tally
from shared.reasons import show_reasons

_ODD_NAMES = "backslashreplace"  # a file's name may hold bytes that are no text


@dataclass(frozen=True)
class Report:
    tally: Tally
    elapsed_s: float
    index_size: int | None  # None for a dry run

    @property
    def images_per_s(self) -> float:
        return self.tally.indexed / max(self.elapsed_s, 1e-9)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """The commonest first."""
        return Counter(failure.reason for failure in self.tally.failures).most_common()

    def show(self, console: Console, file: Path | None) -> None:
        tally = self.tally
        if self.index_size is None:
            sentence = (
                f"Dry run, nothing was written: of {tally.done} files {tally.indexed} would be indexed, "
                f"{tally.unchanged} are there already, {len(tally.failures)} would fail."
            )
        else:
            sentence = (
                f"{tally.indexed} indexed in {self.elapsed_s:.1f} s ({self.images_per_s:.1f} images/s), "
                f"{tally.unchanged} were there already, {len(tally.failures)} could not be indexed. "
                f"The index holds {self.index_size}."
            )
        console.print(sentence, soft_wrap=True)
        if tally.turned:
            console.print(
                f"{len(tally.turned)} of them look turned, and their labels are not to be trusted: "
                f"{tally.turned[0][0].image_id}, for example. --report FILE.json names them.",
                soft_wrap=True,
            )
        if tally.failures:
            named = [(failure.entry.image_id, failure.reason) for failure in tally.failures]
            show_reasons(console, named, "images", "why not indexed", file)

    def write(self, file: Path) -> None:
        """JSON where the name says so: counts, reasons and failures; else the failures as CSV."""
        if file.suffix.lower() == ".json":
            _write_json(file, self)
        else:
            _write_csv(file, self.tally.failures)


def _write_json(file: Path, report: Report) -> None:
    tally = report.tally
    content = {
        "dry_run": report.index_size is None,
        "files": tally.done,
        "indexed": tally.indexed,
        "unchanged": tally.unchanged,
        "failed": len(tally.failures),
        "seconds": round(report.elapsed_s, 3),
        "images_per_s": round(report.images_per_s, 1),
        "index_size": report.index_size,
        "reasons": dict(report.reasons),
        "failures": [
            {"image_id": failure.entry.image_id, "file": str(failure.entry.file), "reason": failure.reason}
            for failure in tally.failures
        ],
        "turned": [
            {"image_id": entry.image_id, "file": str(entry.file), "looks_turned": degrees}
            for entry, degrees in tally.turned
        ],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    file.write_text(text, encoding="utf-8", errors=_ODD_NAMES)


def _write_csv(file: Path, failures: Sequence[Failure]) -> None:
    with file.open("w", newline="", encoding="utf-8", errors=_ODD_NAMES) as stream:
        writer = csv.writer(stream)
        writer.writerow(("image_id", "file", "reason"))
        writer.writerows((failure.entry.image_id, failure.entry.file, failure.reason) for failure in failures)
