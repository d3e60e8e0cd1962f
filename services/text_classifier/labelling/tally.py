"""What has become of the rows of a run."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Failure:
    """`line`: where the row begins in the source, as an editor counts."""

    line: int
    reason: str


@dataclass
class Tally:
    labelled: int = 0
    not_english: int = 0  # of those labelled
    failures: list[Failure] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.labelled + self.failed

    @property
    def failed(self) -> int:
        return len(self.failures)

    def add(self, other: "Tally") -> None:
        self.labelled += other.labelled
        self.not_english += other.not_english
        self.failures += other.failures
