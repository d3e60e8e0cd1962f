"""What becomes of a picture with text in it that could name the patient: refused, covered, or nobody looks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.image_index.pictures.burned_in.cover import covered
from services.image_index.pictures.burned_in.identifying import LEAST_CONFIDENCE, identifying
from services.image_index.pictures.burned_in.reader import Line, Region
from services.image_index.pictures.radiograph import Grey, Radiograph
from shared.errors import BurnedInText
from shared.schemas.system import BurnedInPolicy

_MOST_NAMED = 5  # places in one answer

ReadText = Callable[[Grey], list[Line]]


@dataclass(frozen=True)
class TextFound:
    """`regions` of text that could name the patient, all of them, and whether they have been covered."""

    regions: tuple[Region, ...] = ()
    is_covered: bool = False

    @property
    def is_legible(self) -> bool:
        return bool(self.regions) and not self.is_covered

    def refuse(self) -> None:
        """Raises BurnedInText where text was found and is still to be read."""
        if self.is_legible:
            raise BurnedInText(
                f"The picture seems to hold text that could name the patient: {_places(self.regions)}. Blacken it and "
                "send the picture again; where the index runs with CHEX_BURNED_IN=mask, that is done here."
            )


class TextCheck:
    """Thread-safe, as `read` is; without `read` no policy but `allow` can be kept."""

    def __init__(self, policy: BurnedInPolicy, read: ReadText | None = None) -> None:
        self.policy = policy
        self._read = read

    @property
    def of_searches(self) -> "TextCheck":
        """A picture that is searched by is neither kept nor shown, so it is not refused for its text. It is covered
        as when it was indexed, for the same picture to be the same query.
        """
        return self if self.policy == "mask" else UNCHECKED

    def __call__(self, radiograph: Radiograph) -> tuple[Grey, TextFound]:
        """The picture from which all else is to be made, and what was found in it.

        Raises BurnedInText where the file says that it holds text, and what is to be covered is not found.
        """
        if self.policy == "allow" or self._read is None:
            return radiograph.grey, TextFound()
        lines = self._read(radiograph.grey)
        found = identifying(lines)
        if self.policy == "refuse":
            return radiograph.grey, TextFound(_regions(found))
        if radiograph.burned_in:
            if not found:
                raise BurnedInText("BurnedInAnnotation is YES, and no text was found that could be covered.")
            found = [line for line in lines if line in found or line.confidence >= LEAST_CONFIDENCE]
        regions = _regions(found)
        return covered(radiograph.grey, regions), TextFound(regions, is_covered=True)


UNCHECKED = TextCheck("allow")


def _regions(lines: Sequence[Line]) -> tuple[Region, ...]:
    return tuple(line.region for line in lines)


def _places(regions: Sequence[Region]) -> str:
    named = "; ".join(
        f"from {100 * region.left:.0f} to {100 * region.right:.0f} % of its width and "
        f"{100 * region.top:.0f} to {100 * region.bottom:.0f} % of its height"
        for region in regions[:_MOST_NAMED]
    )
    left_out = len(regions) - _MOST_NAMED
    return f"{named}; and {left_out} more" if left_out > 0 else named
