"""Whether a DICOM header names a part of the body that is no chest."""

import re
from collections.abc import Iterator

from pydicom.dataset import Dataset

from services.image_index.pictures.dicom.gates import text_of
from services.image_index.pictures.dicom.sequences import items_of

# Anywhere in what is said, since PS3.16 (annex L) joins words: CHESTABDPELVIS.
_CHEST = re.compile(
    r"CHEST|THORAX|TORAX|TORACE|LUNG|PULMO|MEDIASTIN|CXR|WHOLE[ _]?BODY|(?<![A-Z])(RIBS?|HEART)(?![A-Z])"
)
_WORD = re.compile(r"[A-Z]+")
# One whole word of these is enough. STERNUM and TRUNK are not among them: the picture decides.
_OTHER_PARTS = frozenset(
    """
    ABD ABDO ABDOM ABDOMEN ABDOMENPELVIS ABDOMINAL ACJOINT ANKLE APPENDIX ARM BLADDER BRAIN BREAST BUTTOCK CALCANEUS
    CALF CLAVICLE COCCYX COLON CRANIUM CSPINE EAR ELBOW EXTREMITY EYE FACE FEET FEMUR FIBULA FINGER FOOT FOREARM
    FOREFOOT GALLBLADDER HAND HEAD HEADNECK HEEL HIP HUMERUS ILIUM INTESTINE JAW KIDNEY KNEE KUB LEG LIVER
    LOWEREXTREMITY LSPINE LSSPINE LUMBAR MANDIBLE MAXILLA METACARPUS METATARSUS MOUTH NECK NOSE ORBIT PANCREAS PATELLA
    PELVIS PROSTATE RADIUS RADIUSULNA SACRUM SCAPULA SHOULDER SIJOINT SINUS SKULL SPINE SPLEEN SSPINE STOMACH TEETH
    THIGH THUMB TIBIA TIBIAFIBULA TMJ TOE TOOTH TSPINE ULNA UPPEREXTREMITY WRIST
    """.split()  # noqa: SIM905 - a hundred pairs of quotes would hide the words
)


def other_body_part(dataset: Dataset) -> str | None:
    """The attribute that names another part of the body than the chest, and the word for it. None where none does,
    where the chest is named too (CHEST_TO_ABDOMEN), or where nothing that is said is known here.
    """
    said = list(_said(dataset))
    if any(_CHEST.search(text) for _keyword, text in said):
        return None
    return next((f"{keyword} says {part}" for keyword, text in said if (part := _other_part(text))), None)


def _said(dataset: Dataset) -> Iterator[tuple[str, str]]:
    yield "BodyPartExamined", text_of(dataset, "BodyPartExamined").upper()
    for item in items_of(dataset, "AnatomicRegionSequence"):
        yield "AnatomicRegionSequence", text_of(item, "CodeMeaning").upper()


def _other_part(text: str) -> str | None:
    """Always a word from here: what the file says beside it may be anything, a name even."""
    words = _WORD.findall(text)
    return next((part for word in words for part in (word, word.removesuffix("S")) if part in _OTHER_PARTS), None)
