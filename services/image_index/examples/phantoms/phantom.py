"""Procedural frontal chest radiographs that show given findings, with a matching impression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.image_index.examples.phantoms.anatomy import draw_chest
from services.image_index.examples.phantoms.canvas import Box, Canvas, Mask
from services.image_index.examples.phantoms.findings import FINDINGS, Mark
from services.image_index.examples.phantoms.impressions import compose_impression
from services.image_index.examples.phantoms.label_sets import LabelSet, check_labels, draw_labels
from services.image_index.examples.phantoms.patient import Patient, draw_patient, finding_generator
from shared.labels import LABELS, LabelName

_TISSUE, _FILM, _WORDS, _LABELS = 101, 102, 103, 104  # random streams beside those of patient and findings


@dataclass(frozen=True)
class Phantom:
    """`boxes` are (x0, y0, x1, y1) in pixels, half open, one for each label."""

    pixels: NDArray[np.uint8]
    labels: LabelSet
    impression: str
    sex: Literal["Male", "Female"]
    age_years: int
    view_position: Literal["AP", "PA"]
    boxes: Mapping[LabelName, Box]


def make_phantom(seed: int, labels: Sequence[LabelName] | None = None, size: int = 512) -> Phantom:
    """The same seed is the same patient: only the given findings differ.

    Without labels, a set is drawn as often as reports have it.
    """
    chosen = check_labels(draw_labels(np.random.default_rng([seed, _LABELS])) if labels is None else labels)
    patient = draw_patient(seed, chosen)
    scene = draw_chest(Canvas(size, patient.pose), patient, np.random.default_rng([seed, _TISSUE]))
    drawn: dict[LabelName, Mark] = {
        label: draw(scene, finding_generator(seed, label)) for label, draw in FINDINGS.items() if label in chosen
    }
    marks = {label: drawn[label] for label in LABELS if label in drawn}
    return Phantom(
        pixels=_expose(scene.opacity, patient, np.random.default_rng([seed, _FILM])),
        labels=chosen,
        impression=compose_impression(marks, np.random.default_rng([seed, _WORDS])),
        sex=patient.sex,
        age_years=patient.age_years,
        view_position=patient.view_position,
        boxes={label: mark.box for label, mark in marks.items()},
    )


def _expose(opacity: Mask, patient: Patient, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Film response, exposure and quantum noise; portable AP pictures are flatter and noisier."""
    portable = patient.view_position == "AP"
    gain = rng.uniform(0.92, 1.10) * (0.94 if portable else 1.0)
    tone = np.clip(opacity * gain + rng.uniform(-0.05, 0.04), 0.0, None) ** rng.uniform(0.9, 1.25)
    grain = rng.standard_normal(opacity.shape, dtype=np.float32)
    noise = grain * rng.uniform(0.008, 0.018) * (1.4 if portable else 1.0)
    bright = np.tanh(1.15 * tone) / np.tanh(1.15)  # metal saturates instead of clipping
    grey: NDArray[np.uint8] = np.clip((bright + noise) * 225.0 + 6.0, 0.0, 255.0).astype(np.uint8)
    return grey
