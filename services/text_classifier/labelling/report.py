"""What a run ends with: how many, how fast, and for what could not be labelled, why."""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from services.text_classifier.labelling.tally import Tally
from shared.reasons import show_reasons


@dataclass(frozen=True)
class Summary:
    """So many were labelled `already` by the run that this one went on from. `out` is None for a dry run."""

    tally: Tally
    elapsed_s: float
    already: int = 0
    out: Path | None = None

    @property
    def labelled_now(self) -> int:
        return self.tally.labelled - self.already

    @property
    def reports_per_s(self) -> float:
        return self.labelled_now / max(self.elapsed_s, 1e-9)

    def show(self, console: Console, file: Path | None) -> None:
        tally = self.tally
        if self.out is None:
            sentence = (
                f"Dry run, nothing was written: of {tally.done} rows {tally.labelled} would be labelled, "
                f"{tally.failed} would fail."
            )
        else:
            sentence = (
                f"{self.labelled_now} labelled in {self.elapsed_s:.1f} s ({self.reports_per_s:.1f} reports/s), "
                f"{self.already} were there already, {tally.failed} of {tally.done} rows could not be "
                f"labelled. {self._ending()}"
            )
        console.print(sentence, soft_wrap=True)
        if tally.not_english:
            console.print(
                f"{tally.not_english} of the texts, or passages in them, seem not to be in English: their labels tell "
                "nothing of what those say (column text_warnings).",
                soft_wrap=True,
            )
        if tally.failures:
            named = [(f"line {failure.line}", failure.reason) for failure in tally.failures]
            show_reasons(console, named, "rows", "why not labelled", file)

    def _ending(self) -> str:
        return f"{self.out} holds {self.tally.labelled}." if self.tally.labelled else f"{self.out} was not written."

    def write(self, file: Path | None) -> None:
        """JSON where the name says so: counts, reasons and failures; else the failures as CSV."""
        if file is None:
            return
        if file.suffix.lower() == ".json":
            self._write_json(file)
        else:
            self._write_csv(file)

    def _write_json(self, file: Path) -> None:
        tally = self.tally
        content = {
            "dry_run": self.out is None,
            "rows": tally.done,
            "labelled": tally.labelled,
            "already": self.already,
            "not_english": tally.not_english,
            "failed": tally.failed,
            "seconds": round(self.elapsed_s, 3),
            "reports_per_s": round(self.reports_per_s, 1),
            "reasons": dict(Counter(failure.reason for failure in tally.failures).most_common()),
            "failures": [{"line": failure.line, "reason": failure.reason} for failure in tally.failures],
        }
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def _write_csv(self, file: Path) -> None:
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(("line", "reason"))
            writer.writerows((failure.line, failure.reason) for failure in self.tally.failures)
