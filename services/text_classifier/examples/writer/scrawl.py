"""Put sentences on paper as dictation does: capitals or none, numbers, lost full stops, blanks, typing errors."""

import random
import string

# Words that de-identification or a template may blank without changing what is said.
_BLANKABLE_TEXT = """
    small moderate mild large minimal trace left right bilateral lower upper middle lobe
prior     since apical basilar again interval study examination patchy hazy linear chest tip
"""
_BLANKABLE = frozenset(_BLANKABLE_TEXT.split())
_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def scrawl(rng: random.Random, sentences: list[str]) -> str:
    sentences = [s.strip(" ,;") for s in sentences if s.strip(" ,;")]
    if rng.random() < 0.12:
        sentences = [_blanked(rng, sentence, rng.choice(("XXXX", "XXXX", "___"))) for sentence in sentences]
    if rng.random() < 0.15:
        sentences = [_mistyped(rng, sentence) for sentence in sentences]
    sentences = [_capitalised(sentence) for sentence in sentences]
    text = _laid_out(rng, sentences)
    case = rng.random()
    if case < 0.2:
        return text.lower()
    return text.upper() if case < 0.23 else text


def _laid_out(rng: random.Random, sentences: list[str]) -> str:
    layout = rng.random()
    if layout < 0.35 and len(sentences) > 1:
        mark = rng.choice((". ", ". ", ".", ") "))
        separator = rng.choice((" ", " ", "\n", "\n\n"))
        return separator.join(f"{number}{mark}{s}{_end(rng, 0.85)}" for number, s in enumerate(sentences, 1))
    if layout < 0.40:
        return "\n".join(f"- {sentence}" for sentence in sentences)
    if layout < 0.44:
        return "\n".join(sentences)
    separator = rng.choices((" ", "  ", ""), (0.88, 0.08, 0.04))[0]
    text = separator.join(f"{sentence}." for sentence in sentences)
    return text if rng.random() < 0.85 else text.rstrip(".")


def _end(rng: random.Random, chance: float) -> str:
    return "." if rng.random() < chance else ""


def _capitalised(sentence: str) -> str:
    parts = sentence.split(". ")
    return ". ".join(part[:1].upper() + part[1:] for part in parts)


def _blanked(rng: random.Random, sentence: str, blank: str) -> str:
    words = sentence.split(" ")
    return " ".join(blank if word in _BLANKABLE and rng.random() < 0.3 else word for word in words)


def _mistyped(rng: random.Random, sentence: str) -> str:
    return " ".join(
        _slip(rng, word) if len(word) > 5 and word.isalpha() and rng.random() < 0.2 else word
        for word in sentence.split(" ")
    )


def _slip(rng: random.Random, word: str) -> str:
    """One letter doubled, lost, swapped with its neighbour, or hit beside its key; the first letter is mostly right."""
    at = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.3:
        return word[:at] + word[at + 1 :]
    if kind < 0.6:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.75:
        return word[:at] + word[at] + word[at:]
    if word[at] not in string.ascii_lowercase:
        return word
    return word[:at] + rng.choice(_NEIGHBOURS[word[at]]) + word[at + 1 :]
