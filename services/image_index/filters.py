"""Which images pass a search's filters, as a mask over a gallery."""

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from services.image_index.gallery import Gallery
from shared.labels import LABELS, LabelName
from shared.schemas.images import PatientSex, ViewPosition
from shared.schemas.search import SearchFilters

Mask = NDArray[np.bool_]
VIEWS: tuple[ViewPosition, ...] = get_args(ViewPosition)
SEXES: tuple[PatientSex, ...] = get_args(PatientSex)


def passing(gallery: Gallery, filters: SearchFilters) -> Mask | None:
    """(N,) true where every condition holds, None where there is none. A value that an image lacks passes no condition.

    `excluded_patient_ids` must have become keys already: a gallery knows no patient ID.
    """
    if filters.excluded_patient_ids:
        raise ValueError("patient IDs must be hashed before a search")
    masks: list[Mask] = []
    if filters.view_position is not None:
        masks.append(np.isin(gallery.view, [VIEWS.index(view) for view in filters.view_position]))
    if filters.patient_sex is not None:
        masks.append(np.isin(gallery.sex, [SEXES.index(sex) for sex in filters.patient_sex]))
    if filters.age_min is not None:
        masks.append(gallery.age >= np.float32(filters.age_min))  # NaN compares false
    if filters.age_max is not None:
        masks.append(gallery.age <= np.float32(filters.age_max))
    masks += _label_masks(gallery, filters.required_labels, np.greater_equal)
    masks += _label_masks(gallery, filters.excluded_labels, np.less)
    masks += _exclusions(gallery, filters)
    return np.logical_and.reduce(masks) if masks else None


def _label_masks(
    gallery: Gallery, limits: Mapping[LabelName, float], compare: Callable[[NDArray[np.float32], np.float32], Mask]
) -> list[Mask]:
    return [compare(gallery.probabilities[LABELS.index(name)], np.float32(limit)) for name, limit in limits.items()]


def _exclusions(gallery: Gallery, filters: SearchFilters) -> list[Mask]:
    words = gallery.vocabulary
    excluded: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]] = (
        (gallery.image, words.images.known(filters.excluded_image_ids)),
        (gallery.study, words.studies.known(filters.excluded_study_uids)),
        (gallery.patient, words.patients.known(filters.excluded_patient_keys)),
    )
    return [~np.isin(codes, unwanted) for codes, unwanted in excluded if unwanted.size]
