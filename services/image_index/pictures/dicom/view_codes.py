"""View position from a ViewCodeSequence: objects of the DX class must have one, and may leave ViewPosition out."""

from collections.abc import Callable, Iterable

from pydicom.dataset import Dataset

from shared.schemas.images import ViewPosition

# PS3.16, context group 4010: SNOMED CT, and the same concepts in SNOMED RT's codes of before.
_VIEWS: dict[str, ViewPosition] = {
    **dict.fromkeys(("399348003", "R-10206"), "AP"),
    **dict.fromkeys(("272479007", "R-40888", "R-10214"), "PA"),
    **dict.fromkeys(("399173006", "R-10236", "399198007", "R-10232", "399067008", "R-102CD"), "LATERAL"),
}
_FRONTAL = ("399033003", "R-10202")  # from front or back is not said
_SCHEMES = ("SCT", "SRT", "SNM3", "SNOMED-RT", "99SDM")


def view_position_by_code(
    items: Iterable[Dataset], by_meaning: Callable[[str], ViewPosition | None]
) -> ViewPosition | None:
    """Of the first item that says one. OTHER for a view of the scheme that is none of ours; of a code of somebody's
    own, its meaning counts where it is one of ours.
    """
    views = (_view(item, by_meaning) for item in items)
    return next((view for view in views if view), None)


def _view(item: Dataset, by_meaning: Callable[[str], ViewPosition | None]) -> ViewPosition | None:
    code = _text(item, "CodeValue") or _text(item, "LongCodeValue")
    if code in _VIEWS:
        return _VIEWS[code]
    if code in _FRONTAL:
        return None
    view = by_meaning(_text(item, "CodeMeaning"))
    if view == "OTHER" and _text(item, "CodingSchemeDesignator") not in _SCHEMES:
        return None
    return view


def _text(item: Dataset, keyword: str) -> str:
    return str(item.get(keyword) or "").strip().upper()
