"""Expected states in a few letters: "ef+ px-" is Pleural Effusion present, Pneumothorax absent, no other mentioned."""

from services.text_classifier.rules.labeler import label_report
from services.text_classifier.rules.lexicon import Convention
from shared.labels import LABELS, LabelName, State

SHORT: dict[str, LabelName] = {
    "at": "Atelectasis",
    "ca": "Cardiomegaly",
    "co": "Consolidation",
    "ed": "Edema",
    "ec": "Enlarged Cardiomediastinum",
    "fr": "Fracture",
    "ll": "Lung Lesion",
    "lo": "Lung Opacity",
    "nf": "No Finding",
    "ef": "Pleural Effusion",
    "po": "Pleural Other",
    "pn": "Pneumonia",
    "px": "Pneumothorax",
    "sd": "Support Devices",
}
SIGNS = {"+": State.PRESENT, "?": State.UNCERTAIN, "-": State.ABSENT}


def expected_states(shorthand: str) -> dict[LabelName, State]:
    states = dict.fromkeys(LABELS, State.NOT_MENTIONED)
    for item in shorthand.split():
        states[SHORT[item[:2]]] = SIGNS[item[2]]
    return states


def differences(text: str, shorthand: str, convention: Convention = "clinical") -> dict[LabelName, str]:
    """What the rules give and should not; empty where all 14 states are as expected."""
    got, want = label_report(text, convention), expected_states(shorthand)
    return {label: f"{got[label]}, not {want[label]}" for label in LABELS if got[label] != want[label]}
