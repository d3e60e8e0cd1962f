"""The impression that a radiologist might dictate for a phantom: one or two phrases a finding, in varied wording."""

from collections.abc import Mapping

import numpy as np

from services.image_index.examples.phantoms.findings import Mark
from shared.labels import LabelName

_PHRASES: Mapping[LabelName, tuple[str, ...]] = {
    "Atelectasis": (
        "Plate-like atelectasis at the {place}.",
        "Volume loss with bandlike atelectasis at the {place}.",
        "{Place} subsegmental atelectasis.",
    ),
    "Cardiomegaly": (
        "Cardiomegaly.",
        "The heart is enlarged.",
        "Enlarged cardiac silhouette, consistent with cardiomegaly.",
    ),
    "Consolidation": ("Consolidation in the {place} with air bronchograms.", "Dense consolidation of the {place}."),
    "Edema": (
        "Pulmonary edema with perihilar haze.",
        "Findings of interstitial and alveolar edema.",
        "Moderate pulmonary edema.",
    ),
    "Enlarged Cardiomediastinum": (
        "Widened mediastinum.",
        "Enlarged cardiomediastinal silhouette with widening of the mediastinum.",
    ),
    "Fracture": ("Displaced fracture of the {place}.", "Fractures through the {place}."),
    "Lung Lesion": ("Nodule in the {place}, further imaging advised.", "Round mass in the {place}."),
    "Lung Opacity": ("Hazy opacity in the {place}.", "Ill-defined opacity projects over the {place}."),
    "No Finding": (
        "No acute cardiopulmonary abnormality.",
        "Normal chest radiograph.",
        "Lungs are clear. No acute process.",
    ),
    "Pleural Effusion": (
        "{Place} pleural effusion.",
        "Layering {place} pleural effusion with blunting of the costophrenic angle.",
    ),
    "Pleural Other": ("{Place} pleural thickening.", "Chronic {place} pleural thickening."),
    "Pneumonia": ("Patchy changes of the {place} in keeping with pneumonia.", "Pneumonia in the {place}."),
    "Pneumothorax": ("{Place} pneumothorax.", "{Place} apical pneumothorax with a visible pleural line."),
    "Support Devices": ("{Place} in place.", "{Place} in expected position."),
}


def compose_impression(marks: Mapping[LabelName, Mark], rng: np.random.Generator) -> str:
    sentences = []
    for label, mark in marks.items():
        phrase = str(rng.choice(_PHRASES[label]))
        sentences.append(phrase.format(place=mark.place, Place=mark.place[:1].upper() + mark.place[1:]))
    return " ".join(sentences)
