"""What an import of reports ends with: how many, how fast, and for what could not be taken, why."""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from services.image_index.ingest.report_labels.load import Tally
from shared.reasons import show_reasons

WAITS = "The index has no image of it: the report waits for one."


@dataclass(frozen=True)
class Summary:
    """`images`: for how many of the index a report counts now; None for a dry run."""

    tally: Tally
    elapsed_s: float
    images: int | None = None

    def show(self, console: Console, file: Path | None) -> None:
        tally = self.tally
        if self.images is None:
            sentence = (
                f"Dry run, nothing was written: of {tally.done} lines {tally.stored} would be taken, "
                f"{tally.failed} would fail."
            )
        else:
            rate = tally.done / max(self.elapsed_s, 1e-9)
            sentence = (
                f"{tally.stored} reports stored in {self.elapsed_s:.1f} s ({rate:.0f} lines/s), {tally.unchanged} were "
                f"there already, {tally.outdated} were issued before what is there, {tally.failed} could not be taken. "
                f"For {self.images} images of the index a report counts."
            )
        console.print(sentence, soft_wrap=True)
        if tally.waiting:
            console.print(
                f"{len(tally.waiting)} of them are of images that the index does not have, and wait for them: line "
                f"{tally.waiting[0]}, for example.",
                soft_wrap=True,
            )
        if tally.failures:
            named = [(f"line {failure.number}", failure.reason) for failure in tally.failures]
            show_reasons(console, named, "lines", "why not taken", file)

    def write(self, file: Path) -> None:
        """JSON where the name says so: counts, reasons, failures, and what waits; else the lines as CSV."""
        tally = self.tally
        failures = [{"line": failure.number, "reason": failure.reason} for failure in tally.failures]
        if file.suffix.lower() != ".json":
            with file.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, ("line", "reason"))
                writer.writeheader()
                writer.writerows(failures)
                writer.writerows({"line": line, "reason": WAITS} for line in tally.waiting)
            return
        content = {
            "dry_run": self.images is None,
            "lines": tally.done,
            "stored": tally.stored,
            "unchanged": tally.unchanged,
            "outdated": tally.outdated,
            "failed": tally.failed,
            "seconds": round(self.elapsed_s, 3),
            "images_with_a_report": self.images,
            "reasons": dict(Counter(failure.reason for failure in tally.failures).most_common()),
            "failures": failures,
            "waiting": tally.waiting,
        }
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
