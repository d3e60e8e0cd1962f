"""How each observation is worded: full noun phrases, and bare nouns for lists, denials and doubts."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.labels import LabelName


@dataclass(frozen=True, slots=True)
class Nouns:
    """`phrases` say a finding with its modifiers; `nouns` name it alone. Plural forms end in `s` (or `ces`)."""

    phrases: tuple[str, ...]
    nouns: tuple[str, ...]


WORDINGS: Mapping[LabelName, Nouns] = {
    "Atelectasis": Nouns(
        (
            "{course} {lobe} atelectasis",
            "{degree} {lobe} atelectasis",
            "{course} {degree} atelectasis {place}",
            "{lobe} subsegmental atelectasis",
            "plate-like atelectasis {place}",
            "{lobe} atelectatic changes",
            "linear atelectasis {place}",
            "{degree} bibasilar dependent atelectasis",
            "{one_side} lower lobe collapse",
            "{course} discoid atelectasis {place}",
            "complete collapse of the {one_side} lung",
            "compressive atelectasis {place}",
            "{course} volume loss and atelectasis {place}",
        ),
        (
            "atelectasis",
            "atelectasis",
            "subsegmental atelectasis",
            "{lobe} atelectasis",
            "collapse",
            "passive atelectasis",
        ),
    ),
    "Cardiomegaly": Nouns(
        (
            "{course} cardiomegaly",
            "{degree} cardiomegaly",
            "{course} {degree} cardiomegaly",
            "{degree} enlargement of the cardiac silhouette",
            "{degree} cardiac enlargement",
            "{course} enlarged heart",
            "enlarged cardiac silhouette",
            "stable enlarged heart",
            "mildly enlarged cardiac silhouette",
        ),
        ("cardiomegaly", "cardiomegaly", "cardiac enlargement"),
    ),
    "Consolidation": Nouns(
        (
            "{course} {lobe} consolidation",
            "{texture} consolidation {place}",
            "{course} airspace consolidation {place}",
            "{degree} {lobe} consolidation",
            "dense {lobe} consolidation",
            "multifocal consolidation",
            "consolidative change {place}",
            "{course} areas of consolidation {place}",
            "{lobe} consolidative process",
        ),
        ("consolidation", "consolidation", "focal consolidation", "airspace consolidation", "lobar consolidation"),
    ),
    "Edema": Nouns(
        (
            "{degree} pulmonary edema",
            "{course} pulmonary edema",
            "{course} {degree} pulmonary edema",
            "{degree} interstitial edema",
            "{course} interstitial pulmonary edema",
            "alveolar edema",
            "{degree} asymmetric pulmonary edema",
            "{degree} perihilar edema",
            "{course} pattern of pulmonary edema",
        ),
        ("pulmonary edema", "edema", "interstitial edema", "overt pulmonary edema", "frank edema"),
    ),
    "Enlarged Cardiomediastinum": Nouns(
        (
            "{degree} widening of the mediastinum",
            "widened mediastinum",
            "{course} mediastinal widening",
            "enlarged cardiomediastinal silhouette",
            "{course} enlargement of the cardiomediastinal silhouette",
            "prominent mediastinum",
            "stable widened mediastinum",
            "superior mediastinal widening",
        ),
        ("mediastinal widening", "widening of the mediastinum"),
    ),
    "Fracture": Nouns(
        (
            "{one_side} rib fracture",
            "multiple {side} rib fractures",
            "healed {one_side} rib fractures",
            "{degree} displaced fracture of the {one_side} clavicle",
            "acute fracture of the {one_side} 6th rib",
            "old {one_side} posterior rib fractures",
            "compression fracture of t12",
            "healing {one_side} lateral rib fractures",
            "{course} {one_side} proximal humerus fracture",
            "nondisplaced fracture of the {one_side} 8th rib",
            "chronic fracture deformity of the {one_side} clavicle",
        ),
        ("fracture", "rib fracture", "acute fracture", "displaced rib fracture", "acute rib fractures"),
    ),
    "Lung Lesion": Nouns(
        (
            "{mm} nodule {place}",
            "nodular density {place}",
            "{lobe} mass",
            "{course} {mm} {lobe} nodule",
            "{lobe} pulmonary nodules",
            "multiple pulmonary nodules",
            "{mm} spiculated mass {place}",
            "{course} {lobe} lung mass",
            "cavitary lesion {place}",
            "noncalcified nodule {place}",
            "{lobe} neoplasm",
            "scattered nodules {place}",
            "known lung carcinoma",
            "{course} {lobe} tumor",
            "pulmonary metastases",
        ),
        ("nodule", "mass", "pulmonary nodule", "lung mass", "pulmonary nodules", "neoplasm", "masses"),
    ),
    "Lung Opacity": Nouns(
        (
            "{texture} {lobe} opacity",
            "{texture} {lobe} opacities",
            "{course} {lobe} opacity",
            "{course} {texture} opacities {place}",
            "{lobe} airspace disease",
            "{texture} airspace disease {place}",
            "{course} {lobe} infiltrate",
            "{texture} infiltrate {place}",
            "{lobe} interstitial opacities",
            "{degree} prominence of the interstitial markings",
            "increased interstitial markings",
            "{lobe} scarring",
            "{course} {lobe} air space opacity",
            "{degree} diffuse reticular opacities",
            "{course} reticulonodular pattern",
            "{degree} peribronchial thickening",
            "{texture} opacification {place}",
            "diffuse interstitial lung disease",
            "linear scar {place}",
            "increased density {place}",
            "{degree} {lobe} infiltrates",
        ),
        (
            "infiltrate",
            "opacity",
            "airspace disease",
            "focal opacity",
            "scarring",
            "focal infiltrate",
            "airspace opacity",
            "infiltrates",
        ),
    ),
    "Pleural Effusion": Nouns(
        (
            "{size} {side} pleural effusion",
            "{course} {size} {side} pleural effusion",
            "{size} bilateral pleural effusions",
            "{course} bilateral pleural effusions",
            "{side} effusion",
            "{size} {one_side} pleural fluid collection",
            "loculated {one_side} pleural effusion",
            "{size} layering {side} effusions",
            "massive {one_side} pleural effusion",
            "{course} {one_side} subpulmonic effusion",
            "{size} amount of pleural fluid on the {one_side}",
            "{one_side} greater than right pleural effusions",
        ),
        (
            "pleural effusion",
            "effusion",
            "pleural effusions",
            "effusions",
            "{size} {side} pleural effusion",
            "pleural fluid",
        ),
    ),
    "Pleural Other": Nouns(
        (
            "{lobe} pleural thickening",
            "{course} {side} pleural thickening",
            "biapical pleural scarring",
            "{one_side} pleural scarring",
            "biapical pleuroparenchymal scarring",
            "{degree} pulmonary fibrosis",
            "calcified pleural plaques",
            "{degree} pleural-parenchymal scarring",
            "{course} interstitial fibrosis",
            "{one_side} fibrothorax",
            "{degree} apical pleural thickening",
            "asbestos related pleural plaques",
        ),
        ("pleural thickening", "pulmonary fibrosis", "pleural scarring", "fibrosis"),
    ),
    "Pneumonia": Nouns(
        (
            "{lobe} pneumonia",
            "{course} {lobe} pneumonia",
            "multifocal pneumonia",
            "pneumonia {place}",
            "{lobe} bronchopneumonia",
            "infectious process {place}",
            "{course} infection {place}",
            "{course} multilobar pneumonia",
        ),
        (
            "pneumonia",
            "pneumonia",
            "infection",
            "infectious process",
            "superimposed infection",
            "atypical pneumonia",
            "superimposed pneumonia",
        ),
    ),
    "Pneumothorax": Nouns(
        (
            "{size} {one_side} pneumothorax",
            "{course} {size} {one_side} pneumothorax",
            "{size} {one_side} apical pneumothorax",
            "{course} {one_side} apical pneumothorax",
            "tension pneumothorax on the {one_side}",
            "{size} bilateral pneumothoraces",
            "{course} {one_side} basilar pneumothorax",
        ),
        ("pneumothorax", "pneumothorax", "pneumothoraces", "{one_side} pneumothorax", "{size} apical pneumothorax"),
    ),
}

# The heart and the mediastinum are also spoken of without naming a finding.
HEART_NORMAL = (
    "heart size is normal",
    "normal heart size",
    "the heart is normal in size",
    "cardiac silhouette is within normal limits",
    "heart size within normal limits",
    "the heart is not enlarged",
    "cardiac silhouette is normal in size",
    "heart size is at the upper limits of normal",
    "the cardiac silhouette is unremarkable",
    "stable normal heart size",
    "heart size is unremarkable",
    "heart size upper limits of normal",
    "no cardiomegaly",
    "cardiac contours are normal",
    "heart size normal",
)
HEART_LARGE = (
    "the heart is enlarged",
    "the heart is mildly enlarged",
    "heart size is enlarged",
    "the cardiac silhouette is enlarged",
    "cardiac silhouette remains moderately enlarged",
    "heart size is mildly increased",
    "the heart remains enlarged",
    "the heart is moderately enlarged but stable",
    "mild cardiomegaly is present",
)
HEART_DOUBTFUL = (
    "stable cardiac silhouette",
    "the cardiac silhouette is unchanged",
    "heart size is stable",
    "borderline cardiomegaly",
    "heart size is borderline",
    "borderline heart size",
    "borderline enlarged heart",
    "cardiac contours are stable",
    "heart size is similar to prior",
    "heart size is unchanged",
    "the heart is borderline enlarged",
    "possible cardiomegaly",
)
MEDIASTINUM_NORMAL = (
    "the mediastinum is unremarkable",
    "normal mediastinum",
    "mediastinal contours are normal",
    "mediastinal contours are within normal limits",
    "cardiomediastinal silhouette is normal",
    "the cardiomediastinal silhouette is within normal limits",
    "unremarkable cardiomediastinal silhouette",
    "normal mediastinal silhouette",
    "no mediastinal widening",
    "mediastinum is not widened",
)
MEDIASTINUM_LARGE = (
    "the mediastinum is widened",
    "the cardiomediastinal silhouette is enlarged",
    "cardiomediastinal silhouette remains enlarged",
    "the mediastinum appears wide",
    "the mediastinal silhouette is prominent",
)
MEDIASTINUM_DOUBTFUL = (
    "stable cardiomediastinal silhouette",
    "cardiomediastinal silhouette is unchanged",
    "mediastinal contours are stable",
    "unchanged mediastinal silhouette",
    "the cardiomediastinal silhouette is similar to prior",
    "stable mediastinal contours",
    "no change in the cardiomediastinal silhouette",
    "the mediastinum is stable",
)
BOTH_NORMAL = (
    "heart size and mediastinal contours are normal",
    "the heart and mediastinum are unremarkable",
    "normal heart size and mediastinal contours",
    "cardiac and mediastinal contours are within normal limits",
    "heart and mediastinum are within normal limits",
    "heart size and mediastinal silhouette are within normal limits",
    "the heart, mediastinum, and pulmonary vasculature are normal",
)
BOTH_DOUBTFUL = (
    "heart size and mediastinal contours are stable",
    "stable heart size and mediastinal contours",
    "cardiac and mediastinal contours are unchanged",
)
HEART_FAILURE = (
    "congestive heart failure",
    "{degree} congestive heart failure",
    "chf",
    "findings consistent with congestive heart failure",
    "worsening heart failure",
    "findings of chf",
    "{course} congestive heart failure",
    "changes of congestive heart failure",
)
CONGESTION = (
    "{degree} pulmonary vascular congestion",
    "{course} pulmonary vascular congestion",
    "{degree} vascular congestion",
    "central pulmonary vascular congestion",
    "{degree} pulmonary venous congestion",
    "pulmonary vascular prominence",
    "indistinctness of the pulmonary vasculature",
    "{degree} perihilar indistinctness",
)
NODULAR_OPACITY = ("{mm} nodular opacity {place}", "{lobe} nodular opacities", "{course} nodular opacity {place}")
HYDROPNEUMOTHORAX = ("{size} {one_side} hydropneumothorax", "{course} {one_side} hydropneumothorax")
