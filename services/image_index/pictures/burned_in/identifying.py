"""Which lines of text could name a patient, and which are a radiographer's markers.

Told by what is written, and not by a list of names, which none would be long enough for. In doubt a line counts: a name
that is served does more harm than a picture that somebody must look at. Sides, positions, technique, times and
initials do not count: they are on every other radiograph.
"""

import re
from collections.abc import Sequence

from services.image_index.pictures.burned_in.marker_words import WORDS, is_marker
from services.image_index.pictures.burned_in.reader import Line

LEAST_CONFIDENCE = 0.6  # what ribs and wires are taken for is mostly read with less
SURE = 0.8
_LONG = 6  # letters of a word, or digits of a number, that no marker has
_WORD = 4  # letters: initials have two or three, and may be read together with a side marker
_LONGEST = 200  # signs of a line; no marker is as long
_BESIDE = 0.3  # confidence of what is covered because it stands beside a name

_MONTH = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DATE = re.compile(
    rf"(?<!\d)\d{{1,2}}\s?[./-]\s?\d{{1,2}}\s?[./-]\s?\d{{2}}(?:\d{{2}})?(?!\d)"
    rf"|(?<!\d)(?:19|20)\d{{2}}\s?[./-]\s?\d{{1,2}}\s?[./-]\s?\d{{1,2}}(?!\d)"
    rf"|\d{{1,2}}[\s.,/-]*(?:{_MONTH})[A-Z]*[\s.,/-]*\d{{2}}|(?:{_MONTH})[A-Z]*[\s.,/-]*\d{{1,2}}[\s.,/-]+\d{{2}}"
)
_TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.]\s?\d{2}(?:\s?[:.]\s?\d{2})?(?!\d)")
_QUANTITY = re.compile(r"\d+(?:[.,]\d+)?\s*(?:KVP?|MAS?|MSEC|MS|CM|MM|%|°)(?![A-Z])")
_LABEL = re.compile(
    r"\bD\.?\s?O\.?\s?B\b|DOB(?=\W|\d)|\bBORN\b|\bBIRTH|\bM\.?R\.?N\b|MRN(?=\W|\d)|\bSSN\b|\bPATIENT|\bPAT\b|\bPT\b\.?\s*(?:ID|NAME)"
    r"|\bNAME\b|\bACC(?:ESSION)?\b\s*[#:]?\s*\w*\d|\bP?ID\s*[#:.]?\s*\d|\bMR\s?#"
    r"|(?:\b(?:P?ID|NO|NR|NUM|NUMBER)|[#№])[\s.:#°º-]{0,3}[A-Z]{0,3}-?\d{4}"
)
_L = r"[^\W\d_]"
_NAME = re.compile(rf"{_L}{{2,}}\s?\^\s?{_L}|{_L}{{3,}}\s?,\s?{_L}|{_L}{{2,}}\s?,\s?{_L}{{2,}}|\b{_L}\.\s?{_L}{{3,}}")
_NUMBER = re.compile(r"\d(?:[\s-]?\d)*")
_GROUPED = re.compile(r"\d+(?:[./-]\d+)+")
_SERIAL = re.compile(r"(?<![^\W_])(?:[A-Z]-?\d{5,}|\d{5,}-?[A-Z])(?![^\W_])")
_LETTERS = re.compile(r"[^\W\d_]+")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_VOWEL = re.compile(r"[^BCDFGHJKLMNPQRSTVWXZ]")
_MISREAD_DIGITS = str.maketrans("015", "OIS")


def identifying(lines: Sequence[Line]) -> list[Line]:
    """The lines that could name a patient; and with them, what stands in the same picture and is no marker: a name's
    parts may lie apart.
    """
    if not any(_could_name(line) for line in lines):
        return []
    return [line for line in lines if _could_name(line) or not _is_harmless(line)]


def _could_name(line: Line) -> bool:
    if line.confidence < LEAST_CONFIDENCE or len(line.text) > _LONGEST:
        return line.confidence >= LEAST_CONFIDENCE
    text = line.text.upper()
    rest = _QUANTITY.sub(" ", _TIME.sub(" ", text))
    return (
        bool(_LABEL.search(text) or _DATE.search(text) or _SERIAL.search(rest))
        or any(sum(map(str.isdigit, number)) >= _LONG for number in _NUMBER.findall(rest) + _GROUPED.findall(rest))
        or (_NAME.search(text) is not None and bool(_unknown(text)))
        or _are_names(_unknown(rest), is_sure=line.confidence >= SURE)
    )


def _are_names(words: list[str], *, is_sure: bool) -> bool:
    if any(_IDEOGRAPHS.search(word) for word in words):
        return is_sure and any(len(word) >= 2 for word in words)
    longest = max((len(word) for word in words if not _is_initials(word)), default=0)
    if longest >= (_WORD if is_sure else _LONG):
        return True
    return is_sure and len(words) >= 2 and longest >= 3 and sum(map(len, words)) >= 5


def _unknown(text: str) -> list[str]:
    """The words that are no marker; single letters are."""
    words = []
    for chunk in re.findall(r"\w+", text):
        if sum(map(str.isalpha, chunk)) >= _WORD and is_marker(chunk.translate(_MISREAD_DIGITS)):
            continue
        words += [word for word in _LETTERS.findall(chunk) if len(word) > 1 and not is_marker(word)]
    return words


def _is_initials(word: str) -> bool:
    """`LDMD`: no name, for it cannot be said."""
    return len(word) <= _WORD and not _VOWEL.search(word)


def _is_harmless(line: Line) -> bool:
    """Of the lines beside one that could name a patient: a marker, or a single sign."""
    text = line.text.upper()
    if line.confidence < _BESIDE or len(re.findall(r"\w", text)) < 2:
        return True
    return all(word in WORDS for word in _LETTERS.findall(text))
