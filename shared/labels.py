"""The 14 CheXpert observations and the four states a report can give each of them.

Source: Irvin et al., CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert
Comparison, AAAI 2019. The order of `LABELS` is the order of every vector in this project.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, get_args

LabelName = Literal[
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Lung Lesion",
    "Lung Opacity",
    "No Finding",
    "Pleural Effusion",
    "Pleural Other",
    "Pneumonia",
    "Pneumothorax",
    "Support Devices",
]

LABELS: tuple[LabelName, ...] = get_args(LabelName)
NO_FINDING: LabelName = "No Finding"
SUPPORT_DEVICES: LabelName = "Support Devices"


class State(StrEnum):
    """What a report says of one observation; CheXpert's CSV files code it 1, -1, 0 and blank."""

    PRESENT = "present"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"
    NOT_MENTIONED = "not_mentioned"


CHEXPERT_CODES: Mapping[State, int | None] = {
    State.PRESENT: 1,
    State.UNCERTAIN: -1,
    State.ABSENT: 0,
    State.NOT_MENTIONED: None,
}

# NIH ChestX-ray14's names for them (Wang et al., ChestX-ray8, CVPR 2017). Emphysema and Hernia have no CheXpert label;
# fibrosis is a weak Pleural Other.
NIH_FINDINGS: Mapping[str, tuple[LabelName, ...]] = {
    "Atelectasis": ("Atelectasis",),
    "Cardiomegaly": ("Cardiomegaly",),
    "Consolidation": ("Consolidation", "Lung Opacity"),
    "Edema": ("Edema", "Lung Opacity"),
    "Effusion": ("Pleural Effusion",),
    "Emphysema": (),
    "Fibrosis": ("Pleural Other",),
    "Hernia": (),
    "Infiltration": ("Lung Opacity",),
    "Mass": ("Lung Lesion",),
    "No Finding": ("No Finding",),
    "Nodule": ("Lung Lesion",),
    "Pleural_Thickening": ("Pleural Other",),
    "Pneumonia": ("Pneumonia", "Lung Opacity"),
    "Pneumothorax": ("Pneumothorax",),
}
