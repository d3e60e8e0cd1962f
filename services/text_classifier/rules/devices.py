"""Devices beside a denial: "no leak around the tube" and "no edema, PICC in place" leave the device where it is."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import re

from services.text_classifier.rules.lexicon import Spot
from shared.labels import SUPPORT_DEVICES

_DEVICE_TROUBLE = re.compile(
    r"\s+(?:\w+\s+)?(?:complicat|fail|loosen|malposition|migrat|fracture|displac|kink|discontinuit)", re.IGNORECASE
)
# What stands between a denial and a device that is only spoken of: "no leak around the tube", "no kink of the line".
_BESIDE = re.compile(r"\b(?:of|around|after|from|with|in|for|following|at|to|by|near|about|along)\b", re.IGNORECASE)
_IN_PLACE = re.compile(
    r"\s+(?:(?:is|are|remains?|with|again)\s+)*(?:in\s+(?:place|situ|\w+\s+position)|(?:the\s+)?tips?\b|unchanged|remains?|terminat|project|ends\b)",
    re.IGNORECASE,
)
_TIP_BEHIND = re.compile(r"\s+tips?\b")
_TIP = re.compile(r"\btips?\s+of\b", re.IGNORECASE)
_GENERIC_NOUN = re.compile(
    r"\b(?:disease|process(?:es)?|abnormalit(?:y|ies)|findings?|changes?|pathology)\b", re.IGNORECASE
)
_UNLISTED = re.compile(r"(?!.*(?:[,/&]|\b(?:or|and|nor|no)\b)).*", re.IGNORECASE | re.DOTALL)


def only_its_tip(sentence: str, spot: Spot) -> bool:
    """E.g. "the tip of the tube is not seen": the tube is there."""
    if spot.term.label != SUPPORT_DEVICES:
        return False
    of_it = _TIP.search(sentence, max(0, spot.start - 40), spot.start)
    return bool(of_it or _TIP_BEHIND.match(sentence, spot.end))


def only_spoken_of(sentence: str, spot: Spot, denied_from: int) -> bool:
    """E.g. "no hardware complication", "no pneumothorax from line placement"; `denied_from`: where the denial's words end."""
    if spot.term.label != SUPPORT_DEVICES:
        return False
    return bool(_DEVICE_TROUBLE.match(sentence, spot.end) or _BESIDE.search(sentence, denied_from, spot.start))


def begins_a_statement(sentence: str, spot: Spot, previous: Spot | None, denied_from: int) -> bool:
    """A device in its place, or one with nothing that lists it, where dictation lost the comma ("no edema picc tip in
    svc"). `previous`: the mention before it that the same denial reached.
    """
    if spot.term.label != SUPPORT_DEVICES:
        return False
    start = previous.end if previous else denied_from
    if _IN_PLACE.match(sentence, spot.end):
        return previous is not None or bool(_GENERIC_NOUN.search(sentence, start, spot.start))
    return (
        previous is not None
        and previous.term.label != SUPPORT_DEVICES
        and bool(_UNLISTED.fullmatch(sentence, start, spot.start))
        and not _BESIDE.search(sentence, start, spot.start)
    )
