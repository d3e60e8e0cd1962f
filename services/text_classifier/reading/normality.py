"""Which words of a sentence call the chest normal or deny that anything is wrong; words on devices do neither."""

import re

from services.text_classifier.reading.sentences import Span, phrase_spans

_NORMALITY = re.compile(
    r"\b(?:no|not|none|nor|nothing|without|free|clear|normal\w*|unremarkable|negative|intact|sharp|healthy|midline"
    r"|resolved|resolution|absent|absence|excluded|ruled out|cleared|gone"
    r"|within|wnl|nad|ncapd|well[ -](?:aerated|expanded|inflated))\b",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"\b(?:tubes?|ett|ngt|lines?|piccs?|cvl|cvc|catheters?|ports?|port-?a-?caths?|pacers?|pacemakers?|leads?|icds?|aicds?|defibrillators?"
    r"|drains?|pigtails?|stents?|wires?|sternotomy|clips?|staples?|sutures?|valves?|prosthe\w+|hardware|devices?|cannulas?"
    r"|balloons?|pumps?|swan-ganz|tracheostomy|screws?|plates?|rods?)\b",
    re.IGNORECASE,
)


def normality_spans(text: str, sentence: Span) -> list[Span]:
    """The sentence where it calls something normal and names no device, else those of its phrases that do so."""
    if names_device(text, sentence):
        return [phrase for phrase in phrase_spans(text, sentence) if _is_normality(text, phrase)]
    return [sentence] if _is_normality(text, sentence) else []


def names_device(text: str, span: Span) -> bool:
    return _DEVICE.search(text, *span) is not None


def _is_normality(text: str, span: Span) -> bool:
    return _NORMALITY.search(text, *span) is not None and not names_device(text, span)
