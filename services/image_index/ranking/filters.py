"""Which images pass a search's filters, as a mask over a gallery; and whether what they leave out was there."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.image_index.ranking.fusion import Fusion
from services.image_index.ranking.gallery import SEXES, VIEWS, Gallery, Names
from shared.labels import LABELS, LabelName
from shared.schemas.search import Excluded, SearchFilters

Mask = NDArray[np.bool_]
Spellings = Collection[str]  # under any of which one thing that is to be left out may be stored


class Passing(NamedTuple):
    mask: Mask | None  # (N,) true where every condition holds; None where there is none
    excluded: Excluded | None  # None where nothing was to be left out


def passing(
    gallery: Gallery,
    filters: SearchFilters,
    patients: Sequence[Spellings] = (),
    fusion: Callable[[], Fusion] | None = None,
) -> Passing:
    """Limits on labels are limits on what `fusion` makes of them, which is asked for where there are any; without it,
    on what the pictures show.

    A value that an image lacks passes no condition, but that of being no lateral view.

    A gallery knows no patient ID: `excluded_patient_ids` must have become `patients` already, each the keys of one.
    """
    if filters.excluded_patient_ids:
        raise ValueError("patient IDs must be hashed before a search")
    masks: list[Mask] = []
    if filters.view_position is not None:
        masks.append(np.isin(gallery.view, [VIEWS.index(view) for view in filters.view_position]))
    if filters.leaves_out_laterals and gallery.has_laterals:
        masks.append(gallery.not_lateral)
    if filters.patient_sex is not None:
        masks.append(np.isin(gallery.sex, [SEXES.index(sex) for sex in filters.patient_sex]))
    if filters.age_min is not None:
        masks.append(gallery.age >= np.float32(filters.age_min))  # NaN compares false
    if filters.age_max is not None:
        masks.append(gallery.age <= np.float32(filters.age_max))
    if filters.asks_for_dates:
        first, last = filters.study_date_from or date.min, filters.study_date_to or date.max
        masks.append((gallery.study_day >= first.toordinal()) & (gallery.study_day <= last.toordinal()))
    if filters.required_labels or filters.excluded_labels:
        probabilities = gallery.probabilities if fusion is None else gallery.fused(fusion()).probabilities
        masks += _label_masks(probabilities, filters.required_labels, np.greater_equal)
        masks += _label_masks(probabilities, filters.excluded_labels, np.less)
    left_in, excluded = _exclusions(gallery, filters, patients)
    masks += left_in
    return Passing(_all_of(masks), excluded)


def _all_of(masks: list[Mask]) -> Mask | None:
    """A single one as it is: a gallery knows the rows of some."""
    return np.logical_and.reduce(masks) if len(masks) > 1 else next(iter(masks), None)


def _label_masks(
    probabilities: NDArray[np.float32],
    limits: Mapping[LabelName, float],
    compare: Callable[[NDArray[np.float32], np.float32], Mask],
) -> list[Mask]:
    return [compare(probabilities[LABELS.index(name)], np.float32(limit)) for name, limit in limits.items()]


def _exclusions(
    gallery: Gallery, filters: SearchFilters, patients: Sequence[Spellings]
) -> tuple[list[Mask], Excluded | None]:
    words = gallery.vocabulary
    asked: Mapping[str, tuple[NDArray[np.int32], Names, Sequence[Spellings]]] = {
        "excluded_image_ids": (gallery.image, words.images, _each(filters.excluded_image_ids)),
        "excluded_study_uids": (gallery.study, words.studies, _each(filters.excluded_study_uids)),
        "excluded_patient_ids": (gallery.patient, words.patients, patients),
        "excluded_patient_keys": (gallery.patient, words.patients, _each(filters.excluded_patient_keys)),
    }
    masks, unmatched = [], {}
    for name, (column, names, unwanted) in asked.items():
        mask, unmatched[name] = _exclusion(gallery, column, names, unwanted)
        masks += mask
    total = sum(len(unwanted) for _column, _names, unwanted in asked.values())
    if not total:
        return [], None
    missing = {name: count for name, count in unmatched.items() if count}
    return masks, Excluded(asked=total, matched=total - sum(missing.values()), unmatched=missing)


def _each(names: Sequence[str]) -> list[Spellings]:
    return [(name,) for name in names]


def _exclusion(
    gallery: Gallery, column: NDArray[np.int32], names: Names, unwanted: Sequence[Spellings]
) -> tuple[list[Mask], int]:
    """The mask of what stays, if anything goes; and how many of the unwanted are of no image that is alive."""
    codes = [names.known(spellings) for spellings in unwanted]
    known = list(set[int]().union(*codes))
    if not known:
        return [], len(unwanted)
    goes = np.isin(column, known)
    gone = set(np.unique(column[goes & gallery.alive]).tolist())  # deleted images keep their names
    return [~goes], sum(1 for of_one in codes if of_one.isdisjoint(gone))
