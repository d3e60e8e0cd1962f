"""What a report says without finding it: why the picture was taken, what it is compared with, what to do if ..."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import re

from services.text_classifier.reading.sections import split_sections
from services.text_classifier.rules.patterns import any_of, spaced, up_to

_SUPPOSED = tuple(
    re.compile(spaced(pattern), re.IGNORECASE)
    for pattern in (
        r"\bif\b(?! any)(?![^.;,\n]*\b(?:continued|continuing|persistent|ongoing)\b)[^.;,\n]*\b(?:suspect\w*|suspicion|concern\w*|clinical\w*|symptom\w*|warrant\w*|need\w*)\b[^.;,\n]*",
        r"\bshould (?:an? |the |any )?(?:[\w-]+ ){1,4}(?:develop|occur|be (?:suspected|of concern)|arise|ensue)\b",
        rf"\b(?:recommend\w*|advise[ds]?|suggest|consider) {up_to(4)}(?:tube|drain|line|catheter|picc) (?:placement|insertion)\b",
    )
)
_PAST = any_of(
    "history", "h/o", "hx", r"(?:been |being )?treat(?:ed|ment) (?:of|for)", "admitted (?:with|for)", "diagnosed with", r"year[\s-]old (?:\w+ )?with"
)  # fmt: skip
_ITS_OBJECT = re.compile(r"\s+(?:of\s+)?(?:[\w-]+\s+){0,3}")
_NORMALITY = any_of(
    r"(?<!not\s)(?:clear|normal|unremarkable|negative|sharp|intact|midline|healthy)", "wnl", "neg", "nad", "normal limits", r"nothing (?:\w+ )?acute", "well[ -](?:aerated|expanded|inflated)",
    r"(?:no|without|free of|nor) [^.;\n]{0,80}?\b(?:disease|abnormalit(?:y|ies)|process(?:es)?|findings?|patholog\w+|cause|injur(?:y|ies)|problems?|evidence(?! (?:of|for) (?:an? )?new))",
    rf"no {up_to(3)}acute", "sternotomy", "clips?", "staples?",
)  # fmt: skip


def without_context(text: str) -> str:
    """The text with blanks where it tells why it was written or what would be if; every letter keeps its place."""
    for section in split_sections(text):
        if not section.read:
            text = _blank(text, section.start, section.end)
    for supposed in _SUPPOSED:
        for match in supposed.finditer(text):
            text = _blank(text, *match.span())
    return text


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def is_history(sentence: str, start: int) -> bool:
    """Whether the mention that begins at `start` is what the patient once had: "history of ...", "treated for ..."."""
    return any(
        _ITS_OBJECT.fullmatch(sentence, m.end(), start) for m in _PAST.finditer(sentence, max(0, start - 60), start)
    )


def states_normality(text: str) -> bool:
    """Whether something is called normal, or nothing is said to be wrong; wires and clips count as harmless."""
    return bool(_NORMALITY.search(text))
