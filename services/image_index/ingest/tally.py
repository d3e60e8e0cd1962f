"""What has become of the files of an ingest."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.image_index.ingest.layouts import Entry
from services.image_index.store.new_image import NewImage, PutOutcome
from shared.schemas.images import QuarterTurns

CONFLICT = "Another image is stored under this id (--replace puts the new one in its place)."
SECOND_ID = "The same image is in the index under another id."
BURNED_IN = "Text in the picture could name the patient (CHEX_BURNED_IN=mask covers it)."
NO_ID = "No image id can be made of the file's name: it holds none of the characters that an id may have."


def no_chest(why: str) -> str:
    return f"Not a chest radiograph: {why} (--accept-any takes it all the same)."


@dataclass(frozen=True)
class Failure:
    entry: Entry
    reason: str


@dataclass
class Progress:
    """What has become of some entries: `images` are encoded and not stored yet."""

    images: list[tuple[Entry, NewImage]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unchanged: int = 0


@dataclass
class Tally:
    """What has become of the entries so far."""

    indexed: int = 0
    unchanged: int = 0
    failures: list[Failure] = field(default_factory=list)
    turned: list[tuple[Entry, QuarterTurns]] = field(default_factory=list)  # indexed, though they look turned

    @property
    def done(self) -> int:
        return self.indexed + self.unchanged + len(self.failures)

    @property
    def failed(self) -> int:
        return len(self.failures)

    def count(self, entry: Entry, outcome: PutOutcome, turned: QuarterTurns | None) -> None:
        if outcome is PutOutcome.CONFLICT:
            self.failures.append(Failure(entry, CONFLICT))
        elif outcome is PutOutcome.SECOND_ID:
            self.failures.append(Failure(entry, SECOND_ID))
        elif outcome is PutOutcome.UNCHANGED:
            self.unchanged += 1
        else:
            self.indexed += 1
            if turned:
                self.turned.append((entry, turned))


OnProgress = Callable[[Tally], None]
StoredSha256 = Callable[[str], str | None]  # of what is stored under an id
