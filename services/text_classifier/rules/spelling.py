"""Undo dictation's typing errors in the words that decide a label, and remember where each letter came from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[A-Za-z]+")
_DOUBLED = re.compile(r"(.)\1")
_REMOVED = re.compile(r"_{2,}|\b[Xx]{3,}\b|\[\*\*.*?\*\*\]")

# Words that decide labels: what is found, and what denies, doubts or places it.
_WORDS_TEXT = """
    atelectasis atelectatic atelectases subsegmental bibasilar collapse cardiomegaly cardiac enlarged enlargement
    consolidation consolidations consolidative edema congestion congestive failure vascular vasculature vascularity
    pulmonary prominence prominent indistinctness mediastinum mediastinal cardiomediastinal cardiomediastinum
    silhouette contour contours widening widened fracture fractures fractured nodule nodules nodular density
    carcinoma neoplasm metastatic metastases metastasis cavitary lesion lesions opacity opacities opacification
    infiltrate infiltrates infiltration airspace interstitial markings reticular reticulonodular scarring
    peribronchial thickening increased effusion effusions pleural pleuroparenchymal parenchymal fluid fibrosis
    fibrothorax plaques asbestos pneumonia pneumonias bronchopneumonia infection infectious process pneumothorax
    pneumothoraces hydropneumothorax catheter catheters endotracheal nasogastric tracheostomy pacemaker
    defibrillator hardware device devices arthroplasty pericardial calcified granuloma granulomas emphysema
    emphysematous degenerative hyperinflation hyperinflated hyperexpanded elevation elevated scoliosis blunting
    blunted tortuous atherosclerotic calcification osteopenia adenopathy lymphadenopathy bronchiectasis kyphosis
    spondylosis aneurysm deformity evidence without resolved resolution possible possibly probable probably
    questionable question suspected suspicious suspicion concerning worrisome represent representing reflect
    reflecting related excluded exclude excluding cannot difficult consideration considered differential versus
    unchanged stable normal unremarkable borderline limits negative absence absent cleared identified visualized
    previously longer removal removed removing persistent persistence however although except chronic interval
    change increase decrease decreased development bilateral disease abnormality indicate significant suggest rather
    consistent compatible partial partially complete completely nearly cystic likely present radiographic findings
    oedema tumour shadowing haziness cardiothoracic extubated unlikely sternotomy heart size obscured
"""
_WORDS = frozenset(_WORDS_TEXT.split())
# Right as they stand, though one letter away from a word above.
_RIGHT_TEXT = """
    injection injections infarction refection module modules noodle legion intensity fluids hearts heard heat hear
    sized sizes seize absents processes possibles relate relates collapsed collapses changed changes questioned
    questions exclusion excludes includes included inflection affection devise devised table tables constable
    lesional elevate diseased diseases increases decreases increasing decreasing considers consider consideration
    considerations present presents presented representing presence previous decreased abnormal subnormal paranormal
    normals stables process fracturing intervals interval failures plaque reflects represents resolve resolves
    resolving densities metastasize contoured longest linger difficulty absences suspect suspects limit limited
    pleura pleurae removes remove markers calcifications calcific elevations findings finding neoplasms carcinomas
    granulomatous developments developed versus bilaterally chronically likelihood negatives consisted heart's
    catheter effused identifies identify visualize pneumonic pneumonitis atelectasia unlike likable question
    consolidated consolidate scoliotic kyphotic emphysemas suggests indicated indicates cardia completed silhouettes
    parenchyma internal obscure obscures vasculatures osteopenic marking reticulate infections infiltrated
    infiltrative thickened widen widens prominently evidenced evident
"""
_RIGHT = frozenset(_RIGHT_TEXT.split())
# May be glued to the word behind them: "nopneumothorax", "pleuraleffusion".
_OPENERS = (
    "no",
    "the",
    "of",
    "with",
    "small",
    "left",
    "right",
    "mild",
    "pleural",
    "pulmonary",
    "new",
    "or",
    "and",
    "is",
)


@dataclass(frozen=True, slots=True)
class Canonical:
    """Corrected text; `origins[i]` is the place of its i-th letter in the text as typed."""

    text: str
    origins: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the text as typed."""
        return self.origins[start], self.origins[end - 1] + 1


def canonical(text: str) -> Canonical:
    """Blank what de-identification removed, correct misspelt words, part glued ones."""
    text = _REMOVED.sub(lambda match: " " * len(match[0]), text)
    pieces: list[str] = []
    origins: list[int] = []
    at = 0
    for match in _WORD.finditer(text):
        word = match[0]
        right = _corrected(word.lower())
        if right is None:
            continue
        right = right.capitalize() if word[0].isupper() else right
        pieces += [text[at : match.start()], right]
        origins += range(at, match.start())
        origins += (match.start() + min(i * len(word) // len(right), len(word) - 1) for i in range(len(right) - 1))
        origins.append(match.end() - 1)
        at = match.end()
    pieces.append(text[at:])
    origins += range(at, len(text))
    return Canonical("".join(pieces), origins)


@lru_cache(maxsize=65_536)
def _corrected(word: str) -> str | None:
    """The word that was meant, or None where the word may stand."""
    if len(word) < 4 or word in _WORDS or word in _RIGHT:
        return None
    for opener in _OPENERS:
        rest = word[len(opener) :]
        if word.startswith(opener) and len(rest) > 4 and rest in _WORDS:
            return f"{opener} {rest}"
    if (twin := _BY_SINGLE_LETTERS.get(_single_letters(word))) and twin[0] == word[0]:
        return twin
    meant = {target for variant in _shortened(word) for target in _INDEX.get(variant, ()) if _one_slip(word, target)}
    meant = {target for target in meant if target[0] == word[0] or set(target[:2]) == set(word[:2])}
    return min(meant, key=lambda target: (abs(len(target) - len(word)), -len(target), target)) if meant else None


def _shortened(word: str) -> Iterator[str]:
    """The word itself, and the word with each letter left out: two words one slip apart share one of these."""
    yield word
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


def _build_index() -> dict[str, set[str]]:
    index: dict[str, set[str]] = {}
    for word in _WORDS:
        if len(word) >= 5:
            for variant in _shortened(word):
                index.setdefault(variant, set()).add(word)
    return index


_INDEX = _build_index()


def _single_letters(word: str) -> str:
    """Doubled letters written once: "efussion" and "effusion" are alike."""
    return _DOUBLED.sub(r"\1", word)


_BY_SINGLE_LETTERS = {_single_letters(word): word for word in _WORDS if len(word) >= 6}


def _one_slip(word: str, target: str) -> bool:
    """Whether one letter lost, added, changed or swapped with its neighbour makes one word of the other."""
    if len(word) == len(target):
        wrong = [i for i, (a, b) in enumerate(zip(word, target, strict=True)) if a != b]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1
        return len(wrong) == 1 or (
            swapped and word[wrong[0]] == target[wrong[1]] and word[wrong[1]] == target[wrong[0]]
        )
    shorter, longer = sorted((word, target), key=len)
    return len(longer) - len(shorter) == 1 and any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
