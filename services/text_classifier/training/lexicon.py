"""What counts as a mention of each observation: stems and phrases, and the look-alikes that do not count.

The stems are those of the CheXpert labeler (Irvin et al., AAAI 2019); the look-alikes and the clinical additions are
ours. Patterns are matched, without regard to case, inside one sentence.
"""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from shared.labels import LabelName

Convention = Literal["clinical", "reference"]


class Kind(Enum):
    FINDING = auto()  # present unless a cue says otherwise
    SIGN = auto()  # a soft sign: uncertain unless negated (vascular congestion)
    ANATOMY = auto()  # says nothing by itself: "heart size" needs its "normal" or "enlarged"
    WEAK_ANATOMY = auto()  # as ANATOMY, and no mention at all where no assessment is found


@dataclass(frozen=True, slots=True)
class Term:
    """`label` None: an abnormality outside the 14, which only turns No Finding off."""

    label: LabelName | None
    kind: Kind
    pattern: re.Pattern[str]
    convention: Convention | None = None  # None: in both


@dataclass(frozen=True, slots=True)
class Spot:
    """A term found in a sentence, offsets relative to the sentence."""

    term: Term
    start: int
    end: int


def _term(
    label: LabelName | None, pattern: str, kind: Kind = Kind.FINDING, convention: Convention | None = None
) -> Term:
    return Term(label, kind, re.compile(pattern, re.IGNORECASE | re.VERBOSE), convention)


_NOT_OVER = (
    r"(?<!over\sthe\s)(?<!overlying\sthe\s)(?<!in\sthe\s)(?<!behind\sthe\s)(?<!within\sthe\s)(?<!border\sof\sthe\s)"
)

TERMS: tuple[Term, ...] = (
    _term(
        "Atelectasis", r"\b(?:micro)?atelecta\w* | \bcollapse[ds]?\b (?!\s+(?:of\s+)?(?:\w+\s+){0,2}(?:vertebr|disc))"
    ),
    _term("Cardiomegaly", r"\bcardiomegaly\b | \bcardiac\s+enlargement\b | \benlarge(?:d|ment\s+of\s+the)\s+heart\b"),
    _term(
        "Cardiomegaly",
        rf"""{_NOT_OVER}\b(?:heart|cardiac)\s+(?:and\s+(?:cardio)?mediastinal\s+)?
            (?:size|shadow|contours?|silhouettes?|configuration)\b""",
        Kind.ANATOMY,
    ),
    _term(
        "Cardiomegaly",
        rf"""{_NOT_OVER}\bheart\b(?!\s+(?:failure|disease|border|valve|rate|transplant|attack|catheter|surgery|sounds?
            |size|shadow|contour|silhouette|configuration|and\s+(?:cardio)?mediastinal\s+(?:contour|silhouette)))
            (?<!left\sheart)(?<!right\sheart) | \bcardiac\s+and\s+(?=mediastinal\b)""",
        Kind.WEAK_ANATOMY,
    ),
    _term("Consolidation", r"\bconsolidat\w*"),
    _term(
        "Edema",
        r"(?<!tissue\s)(?<!subcutaneous\s)(?<!marrow\s)(?<!wall\s)\bo?edema(?:tous)?\b | \bheart\s+failure\b | \bchf\b",
    ),
    _term(
        "Edema",
        r"""(?:vascular|pulmonary|venous|\bchest|central|interstitial|hilar)\s+(?:\w+\s+){0,1}congestion | \bcongestion\b
            | \bcongestive\s+(?:changes?|pattern|findings?)\b
            | vascular(?:ity)?\s+prominence | prominence\s+of\s+(?:the\s+)?(?:\w+\s+){0,2}vascul\w+
            | \bindistinct(?:ness)?\b(?:\s+(?:\w+\s+){0,2}vascul\w+)?""",
        Kind.SIGN,
    ),
    _term(
        "Edema",
        r"""prominent\s+(?:\w+\s+){0,2}vascul\w+ | vascul(?:ature|arity)\s+(?:is|appears|remains)\s+(?:\w+\s+)?prominent
            | vascular\s+engorgement | engorge\w+\s+(?:of\s+)?(?:the\s+)?(?:\w+\s+)?vascul\w+""",
        Kind.SIGN,
        "clinical",
    ),
    _term(
        "Enlarged Cardiomediastinum",
        r"""\bmediastinal\s+(?:widening|prominence|enlargement|fullness)\b
            | (?:widening|prominence|enlargement|fullness)\s+of\s+(?:the\s+)?(?:\w+\s+){0,2}(?:cardio)?mediastin(?:um|al)\b""",
    ),
    _term(
        "Enlarged Cardiomediastinum",
        rf"""{_NOT_OVER}(?<!superior\s)\b(?:cardio)?mediastinum\b
            | (?<!over\sthe\s)\b(?:cardio-?)?mediastinal\s+(?:(?:and|/|or)\s+(?:\w+\s+){{1,2}}|/\s*\w+\s+)?
              (?:silhouettes?|contours?|configuration|width|borders?|size|structures?|shadow)\b
            | \bcardiomediastinal\b(?!\s+(?:silhouette|contour|configuration|width|border|size|structure|shadow|and|or))
            | (?:widened|enlarged|prominent|normal|wide)\s+superior\s+mediastinum\b""",
        Kind.ANATOMY,
    ),
    _term("Enlarged Cardiomediastinum", r"\b(?<!mediastinal\s)contours?\b", Kind.ANATOMY, "reference"),
    _term("Fracture", r"\bfracture[ds]?\b | \bfx\b"),
    _term(
        "Lung Lesion",
        r"""\bmass(?:es)?\b(?!\s+effect) | (?<!\bcalcified\s)(?<!\bcalcific\s)\b(?:micro)?nodules?\b
            | (?<!\bcalcified\s)\bnodular\s+(?:\w+\s+)?(?:densit|opaci|lesion)\w* | \blumps?\b | \bcavitary\s+lesions?\b
            | \bcarcinoma\w*\b | \bneoplas\w+ | \btumou?rs?\b""",
    ),
    _term(
        "Lung Lesion",
        r"""\b(?:lung|pulmonary|mass|cavitating|spiculated)\s+lesions?\b | \b(?:lung|bronchogenic|pulmonary)\s+cancer\b
            | \b(?:lung|pulmonary|thoracic|intrathoracic|parenchymal)\s+metast\w+(?:\s+(?:disease|lesions?|foci))?
            | (?<!bony\s)(?<!osseous\s)(?<!bone\s)(?<!skeletal\s)(?<!hepatic\s)(?<!nodal\s)\bmetasta(?:tic\s+(?:disease|lesions?|foci)|s[ei]s)
              (?!\s+(?:to|in|of|involving)\s+(?:the\s+)?(?:bone|liver|spine|rib|brain|skeleton))""",
        convention="clinical",
    ),
    _term(
        "Lung Opacity",
        r"""\bopaci(?:t|fi)\w* | \binfiltrat(?:e|es|ion|ions)\b | \bair\s?-?\s?space\s+(?:disease|process)\b
            | \binterstitial\s+(?:lung\b|markings?|patterns?|disease) | \breticul(?:ar|ation|ations|onodular)\b
            | (?<!pleural\s)(?<!parenchymal\s)\bscar(?:s|ring|red)?\b | (?<!pleural[\s-])\bparenchymal\s+scar(?:s|ring)?\b
            | \b(?:peribronchial|bronchial|bronchial\s+wall|airway|wall)\s+thickening\b
            | \bincreased\s+(?:\w+\s+){0,2}densit(?:y|ies)\b | \bdecreased\s+translucency\b""",
    ),
    _term("Lung Opacity", r"\binterstitial\s+(?:\w+\s+){1,2}(?:markings?|patterns?)\b", convention="clinical"),
    _term("Pleural Effusion", r"\b(?:hydro)?effusions?\b | \bpleural\s+fluid\b"),
    _term(
        "Pleural Effusion",
        r"""\bhydro(?:pneumo)?thora(?:x|ces)\b | \b(?:re-?)?accumulation\s+of\s+(?:\w+\s+)?fluid\b
            | \bfluid\s+(?:in|within|along)\s+the\s+(?:\w+\s+){0,2}(?:fissures?|pleural\s+space)\b | \bfissural\s+fluid\b""",
        convention="clinical",
    ),
    _term(
        "Pleural Other",
        r"""\bpleural\s+(?:and\s+parenchymal\s+|parenchymal\s+)?(?:thickening|scar(?:s|ring)?) | \bfibrothorax\b
            | (?<!cystic\s)\bfibrosis\b | \bpleuro-?\s?(?:parenchymal|pericardial)\s+scar(?:s|ring)?\b""",
    ),
    _term(
        "Pleural Other",
        r"""\b(?:pleuro-?\s?(?:pulmonary|parenchymal)|pleural[\s-]+(?:parenchymal|pulmonary))\s+(?:\w+\s+)?(?:thickening|scar(?:s|ring)?)\b
            | \bpleural(?:[\s-]+based)?\s+(?:\w+\s+)?plaques?\b | \basbestos(?:-related)?\s+(?:\w+\s+)?plaques?\b
            | \bthicken(?:ing|ed)\s+(?:of\s+)?(?:the\s+)?(?:\w+\s+){0,2}pleura\b | \b(?:scarring|thickening)\s+of\s+the\s+pleura\b""",
        convention="clinical",
    ),
    _term("Pleural Other", r"\bcystic\s+fibrosis\b", convention="reference"),
    _term("Pneumonia", r"\b(?:broncho)?pneumonias?\b | \binfections?\b | \binfectious\b"),
    _term("Pneumothorax", r"\b(?:hydro|hemo)?pneumothora(?:x|xes|ces)\b | \bptx\b"),
    _term(
        "Support Devices",
        r"""(?:\bpicc\s+|\bcentral\s+(?:venous\s+)?|\barterial\s+|\bdialysis\s+|\bpacer\s+|\bicd\s+)*
            (?<!kerley\s)(?<!kerley\sb\s)(?<!kerley-b\s)(?<!consult\s)(?<!consultation\s)(?<!fracture\s)(?<!pleural\s)
            (?<!lucent\s)(?<!suture\s)(?<!staple\s)(?<!in\s)(?<!joint\s)(?<!skin\s)(?<!mid\s)(?<!clavicular\s)(?<!phone\s)
            (?<!hair\s)(?<!fat\s)(?<!dense\s)(?<!border\s)(?<!fissure\s)\blines?\b(?!\s+(?:at\s+\W*\d|of\b))
            | \bpicc\b | \btubes?\b | \bcatheters?\b | \bpace(?:r|rs|maker|makers)\b | \bpacing\s+(?:wires?|leads?)\b
            | \ba?icds?\b | \bdefib\w* | \bhardware\b | \bplates?\b(?!-?\s?(?:like|atelect)) | \bscrews?\b | \bdrains?\b
            | \bdevices?\b | \bport(?:s|-?\s?a-?\s?caths?|acaths?)?\b(?!\s+(?:of|views?|film)) | \bmedi-?ports?\b | \bstents?\b
            | \bcoils?\b | \bcannulas?\b | \barthroplast\w+ | \bsupport(?:ive)?\s+(?:\w+\s+)?(?:devices?|apparatus|lines?|tubes?|hardware|equipment)
            | \bequipment\b | \b(?:pacemaker|pacer|icd)\s+leads?\b""",
    ),
    _term("Support Devices", r"\bvalves?\b | \bsupport\b", convention="reference"),
    _term(
        "Support Devices",
        r"""(?<!calcified\saortic\s)(?<!calcified\smitral\s)(?<!calcified\s)\bvalves?\b(?!\s+(?:calcif|disease|stenosis|insufficiency|leaflet))
            | \bswan(?:-?\s?ganz)?\b | \bdobb?-?hoff\b | \btracheostomy\b | \biabp\b | \bballoon\s+pump\b | \b[lr]?vad\b
            | \bett\b | \b[no]gt\b | \bloop\s+recorder\b | \bstimulators?\b | \b(?:ivc|vena\s+cava)\s+filter\b
            | \b(?:ventriculoperitoneal|vp)\s+shunt\b | \bprosthes[ie]s\b | \bcordis\b | \bintroducer\b | \bimpella\b""",
        convention="clinical",
    ),
    _term(
        None,
        r"""\bemphysema\w* | \bblunt(?:ed|ing)\b | \bdensit(?:y|ies)\b | \belevat(?:ed|ion)\b | \beventration\b | \bscolio\w+
            | \bdegenerat\w+ | \bcalcif\w+ | \bhyper-?inflat\w+ | \bhyper-?expan\w+ | \bbronchospasm\b | \basthma\b | \bhernia\w*
            | \bcopd\b | \bobstructive\b | \bplaques?\b | \bosteophyt\w+ | \bbronchiolitis\b | \bairways?\s+disease\b | \bthickening\b
            | \bcephalization\b | \baspiration\b | \bbull(?:a|ae|ous)\b | \bblebs?\b | \bcontusions?\b | \batheroscler\w+ | \bosteopeni\w+
            | \bosteoporo\w+ | \bgranulom\w+ | \bpneumomediastinum\b | \bpneumoperitoneum\b | \bcuffing\b | \blucenc(?:y|ies)\b
            | \binflam\w+ | \bhypertension\b | \bprominen(?:t|ce)\b | \bkypho\w+ | \bbullets?\b | \bbronchit\w+ | \bbronchiecta\w+
            | \bvolume\s+loss\b | \bdeformit(?:y|ies)\b | \bhemorrhage\b | \bhematoma\b | \bradiopaque\b | \bfree\s+air\b
            | \bpericardial\s+effusions?\b | \btuberculosis\b""",
    ),
    _term(
        None,
        r"""\b(?:lymph)?adenopathy\b | \baneurysm\w* | \bectas\w+ | \bectatic\b | \btortuo\w+ | \bunfolded\b | \bdissection\b | \bsarcoid\w*
            | \bspondyl\w+ | \bspurring\b | \barthri\w+ | \bdislocat\w+ | \bmetasta\w+ | \blytic\b | \bsclero(?:tic|sis)\b | \bcysts?\b | \bcystic\s+fibrosis\b
            | \bpectus\b | \bpneumonitis\b | \bpneumatocele\b | \babscess\b | \bempyema\b | \bhemothorax\b | \bshift\b | \bvolume\s+overload\b
            | \bdilat(?:ed|ation)\b | \bfibrotic\b | \blesions?\b | \bcompression\b | \bsequela\w*\b | \bgranulomatous\b""",
        convention="clinical",
    ),
)

# A spot of `label` that overlaps one of these is no mention of it.
_LOOK_ALIKES: tuple[tuple[LabelName | None, str], ...] = (
    ("Pleural Effusion", r"\b(?:peri|endo)cardial\s+effusions?\b | \b(?:joint|knee|elbow|shoulder)\s+effusions?\b"),
    ("Lung Lesion", r"\b(?<!non\s)(?<!non-)(?:calcified|calcific)\s+(?:\w+\s+){0,3}nodul\w+ | \bbody\s+mass\b"),
    (
        "Support Devices",
        r"""\bphysician\s*-?\s*to\s*-?\s*physician\b.* | \bsternotomy\s+\w+ | \bsurgical\s+(?:clips?|staples?)\b
                | \beustachian\s+tubes?\b | \bairways?\s+tubes?\b | \blines?\s+of\s+(?:demarcation|fracture)\b""",
    ),
    (None, r"\bbone\s+densit\w+ | \bsoft\s+tissue\s+densit\w+"),
)
_UNMENTIONS = tuple((label, re.compile(pattern, re.IGNORECASE | re.VERBOSE)) for label, pattern in _LOOK_ALIKES)


def find_spots(sentence: str, convention: Convention) -> list[Spot]:
    """Every mention in a sentence, in order of appearance; of overlapping mentions of one label the longest stays."""
    spots = sorted(_all_spots(sentence, convention), key=lambda spot: (spot.start, -spot.end))
    kept: list[Spot] = []
    for spot in spots:
        if not any(_same_label(spot, other) and spot.start < other.end and other.start < spot.end for other in kept):
            kept.append(spot)
    return kept


def _same_label(one: Spot, other: Spot) -> bool:
    return one.term.label == other.term.label


def _all_spots(sentence: str, convention: Convention) -> Iterator[Spot]:
    banned = [(label, m.span()) for label, pattern in _UNMENTIONS for m in pattern.finditer(sentence)]
    for term in TERMS:
        if term.convention not in (None, convention):
            continue
        for match in term.pattern.finditer(sentence):
            start, end = match.span()
            if not any(label == term.label and start < b_end and b_start < end for label, (b_start, b_end) in banned):
                yield Spot(term, start, end)
