"""Writes a report differently without changing what it says: as another hospital's typing and anonymisation would."""

import random
import re

from services.text_classifier.reading.sentences import sentence_spans

_NUMBER = re.compile(r"^(?:\d{1,2}[.)]|[-*•])\s*")
_WORD = re.compile(r"[A-Za-z]{5,}")
_BLANK_MARKS = ("XXXX", "___", "XXX", "[**]")
_BACK_REFERENCE = re.compile(r"\b(?:this|these|it|which|otherwise|other|above|latter|former|same)\b", re.IGNORECASE)


def augmented(text: str, rng: random.Random) -> str:
    """A variant of the text. About a third of the texts come back as they are."""
    if rng.random() < 0.35:
        return text
    if rng.random() < 0.35:
        text = _reordered(text, rng)
    if rng.random() < 0.25:
        text = _with_typing_errors(text, rng)
    if rng.random() < 0.1:
        text = _WORD.sub(lambda m: m[0] if rng.random() > 0.5 else m[0].upper(), text)
    if rng.random() < 0.15:
        text = _blanked(text, rng)
    if rng.random() < 0.1:
        text = text.replace(". ", "  ").rstrip(".") if rng.random() < 0.5 else text.replace(". ", ".\n")
    return text


def _reordered(text: str, rng: random.Random) -> str:
    """The sentences in another order, numbered or not. Sentences that point back stay where they are."""
    sentences = [_NUMBER.sub("", text[start:end]) for start, end in sentence_spans(text)]
    sentences = [sentence for sentence in sentences if sentence.strip(" .")]
    if not sentences or any(_BACK_REFERENCE.search(sentence) for sentence in sentences):
        return text
    if not all(sentence[-1] in ".!?" for sentence in sentences[:-1]):
        return text
    rng.shuffle(sentences)
    if rng.random() < 0.5:
        return "\n".join(f"{i}. {sentence}" for i, sentence in enumerate(sentences, 1))
    return " ".join(sentences)


def _with_typing_errors(text: str, rng: random.Random) -> str:
    """One or two letters swapped, dropped or doubled, never the first letters of a word."""
    for _ in range(rng.randint(1, 2)):
        words = list(_WORD.finditer(text))
        if not words:
            return text
        word = rng.choice(words)
        at = rng.randrange(word.start() + 2, word.end() - 1)
        left, a, b, right = text[:at], text[at], text[at + 1], text[at + 2 :]
        text = left + rng.choice((b + a, b, a + a + b)) + right
    return text


def _blanked(text: str, rng: random.Random) -> str:
    """A mark of anonymisation is put in at a random place between two words: nothing that was said is removed."""
    gaps = [m.start() for m in re.finditer(r"(?<=[.:]) ", text)]
    if not gaps:
        return text
    at = rng.choice(gaps)
    return f"{text[:at]} {rng.choice(_BLANK_MARKS)}{text[at:]}"
