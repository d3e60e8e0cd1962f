"""What has become of the files of an ingest."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.image_index.ingest.layouts import Entry
from services.image_index.store.new_image import NewImage, PutOutcome

CONFLICT = "Another image is stored under this id (--replace puts the new one in its place)."
NO_CHEST = "Not a chest radiograph (--accept-any takes it all the same)."
BURNED_IN = "Text in the picture could name the patient (CHEX_BURNED_IN=mask covers it)."
NO_ID = "No image id can be made of the file's name: it holds none of the characters that an id may have."


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

    @property
    def done(self) -> int:
        return self.indexed + self.unchanged + len(self.failures)

    def count(self, entry: Entry, outcome: PutOutcome) -> None:
        if outcome is PutOutcome.CONFLICT:
            self.failures.append(Failure(entry, CONFLICT))
        elif outcome is PutOutcome.UNCHANGED:
            self.unchanged += 1
        else:
            self.indexed += 1


OnProgress = Callable[[Tally], None]
