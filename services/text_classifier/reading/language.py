"""Whether a text is English, and which language it is if not.

A model that counts sequences of letters says how much likelier each language makes the text; it is called another
language only where one is likelier than English by a margin that a few English words do not reach by chance. Letters
of another script decide at once. Nothing of a text is kept.
"""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from functools import cache
from itertools import pairwise

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from services.inference.model_files import ModelLoadError
from services.text_classifier.reading.sentences import Span
from services.text_classifier.reading.shared_words import SHARED_WORDS

ENGLISH = "en"
UNKNOWN = "und"
"""As ISO 639 has it."""

COMMON = ("de", "es", "fr", "it", "nl", "pl", "pt", "tr")
RARER = ("ca", "cs", "da", "et", "fi", "hr", "hu", "id", "lt", "lv", "no", "ro", "sk", "sl", "sv", "vi")
OF_OTHER_SCRIPTS = ("ar", "bg", "el", "fa", "he", "hi", "hy", "ja", "ka", "ko", "ru", "sr", "th", "uk", "ur", "zh")

MARGIN = 8.0
"""By so many nats (the difference of logarithmic likelihoods) must another language be likelier than English."""

PASSAGE_MARGIN = 12.0
"""The same for one passage of a text that is English as a whole."""

RARER_BY = 4.0
"""How much more a rarer language must be likelier: what is misspelt looks like one of these."""

LEAST_PASSAGE = 20
"""Characters; shorter sentences are judged together with the next."""

_WORD = re.compile(r"[^\W\d_]+")
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_ABBREVIATION = 5
"""Letters at most, all of them capitals in a text that has small ones too."""

_BEFORE_A_NAME = frozenset(("by", "dr", "md", "mr", "mrs", "ms", "prof", "radiologist", "signed"))


@cache
def _identifiers() -> tuple[LanguageIdentifier, LanguageIdentifier]:
    """For Latin letters, and for others: one model, which only reads its own tables once it is loaded."""
    try:
        latin = LanguageIdentifier.from_model_file(MODEL_FILE)
    except OSError as error:
        raise ModelLoadError(f"The language model cannot be unpacked into a temporary folder: {error}") from error
    other = copy(latin)
    latin.set_languages([ENGLISH, *COMMON, *RARER])
    latin.nb_ptc = np.ascontiguousarray(latin.nb_ptc, np.float32)  # it is read by row, and calculated with as this
    other.set_languages(OF_OTHER_SCRIPTS)
    return latin, other


def load_languages() -> None:
    """Do now what the first text would have to wait for. Raises ModelLoadError."""
    _identifiers()


def foreign_language(text: str, sentences: Sequence[Span]) -> str | None:
    """The language (ISO 639-1) of a text, or of a passage in it, that is not English; None for an English text."""
    passages = list(_passages(text, sentences))
    for passage in passages:
        if _is_of_another_script(passage):
            return _name_by_script(passage)
    if all(_is_likeliest_english(passage) for passage in passages):
        return None
    pieces = [(text, MARGIN), *((passage, PASSAGE_MARGIN) for passage in passages)]
    return next(filter(None, (_another(piece, margin) for piece, margin in pieces)), None)


def _passages(text: str, sentences: Sequence[Span]) -> Iterator[str]:
    """The text cut where sentences begin, in pieces that are not very short; not within "Dr. Who"."""
    cuts = [0]
    for start, _ in sentences:
        long_enough = start - cuts[-1] >= LEAST_PASSAGE and len(text) - start >= LEAST_PASSAGE
        if long_enough and not any(map(_is_before_a_name, _WORD.findall(text, start - LEAST_PASSAGE, start)[-1:])):
            cuts.append(start)
    for start, end in pairwise([*cuts, len(text)]):
        yield text[start:end]


def _is_of_another_script(text: str) -> bool:
    if text.isascii():
        return False
    others = len(_OTHER_SCRIPT.findall(text))
    return others > 1 and 2 * others > sum(map(len, _WORD.findall(text)))


def _name_by_script(text: str) -> str:
    language, score = _identifiers()[1].rank(text)[0]
    return UNKNOWN if _is_no_evidence(score) else language


def _is_likeliest_english(text: str) -> bool:
    language, score = _identifiers()[0].classify(text.lower())
    return language == ENGLISH or _is_no_evidence(score)


def _another(text: str, margin: float) -> str | None:
    """The likeliest language, if it is likelier than English by the margin, and without the shared words as well."""
    found = _likelier(text.lower(), margin)
    return found if found and _likelier(_telling_words(text), margin) else None


def _likelier(text: str, margin: float) -> str | None:
    scores = dict(_identifiers()[0].rank(text))
    english = scores.pop(ENGLISH)
    likelihood, language = max((score - RARER_BY * (name in RARER), name) for name, score in scores.items())
    return None if likelihood - english <= margin or _is_no_evidence(english) else language


def _is_no_evidence(score: float) -> bool:
    """The identifier gives a text that has nothing it knows the least of all numbers for every language."""
    return score < -1e30


def _is_before_a_name(word: str) -> bool:
    """Whether it is a title or an initial, or says whose work something is."""
    return word.lower() in _BEFORE_A_NAME or (len(word) == 1 and word.isupper())


def _telling_words(text: str) -> str:
    """In small letters, without words that many languages share, abbreviations, names and what was masked (XXXX)."""
    all_capitals = text.isupper()
    words = []
    before_a_name = False
    for word in _WORD.findall(text):
        small = word.lower()
        abbreviation = word.isupper() and not all_capitals and len(word) <= _ABBREVIATION
        if before_a_name and word[0].isupper():  # and the next word may be the rest of the name
            continue
        before_a_name = _is_before_a_name(word) and not (all_capitals and len(word) == 1)
        if not (abbreviation or before_a_name or small in SHARED_WORDS or set(small) == {"x"}):
            words.append(small)
    return " ".join(words)
