"""Words that radiographers put into a picture and that name nobody: sides, positions, technique, devices, warnings."""

from operator import ne
from pathlib import Path

WORDS = frozenset(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split())
# Common, and long: of other words, a surname is often but a letter away (MARKER, PARKER).
_OFTEN = (
    "BEDSIDE", "DECUBITUS", "EXPIRATION", "INSPIRATION", "LATERAL", "PORTABLE", "RECUMBENT", "SEMIERECT", "SEMIUPRIGHT",
    "SITTING", "STANDING", "STRETCHER", "UPRIGHT",
)  # fmt: skip
_LEAST_JOINED, _MOST_JOINED = 4, 30  # letters of a word, and of all together
_BESIDE_JOINED = ("AP", "PA", "LT", "RT", "L", "R")  # what is read together with the word that it stands beside


def is_marker(word: str) -> bool:
    """`word` in capitals: one of ours, with one letter misread, or several that were read as one."""
    return word in WORDS or _is_misread(word) or (len(word) <= _MOST_JOINED and _is_joined(word))


def _is_misread(word: str) -> bool:
    """One letter is another, or one is missing."""
    return any(
        (len(known) == len(word) and sum(map(ne, known, word)) == 1)
        or (len(known) == len(word) + 1 and any(known[:at] + known[at + 1 :] == word for at in range(len(known))))
        for known in _OFTEN
    )


def _is_joined(word: str) -> bool:
    """One or more of ours, and perhaps a side or a view before or after them."""
    if any(
        len(known) >= _LEAST_JOINED and word.startswith(known) and _may_follow(word[len(known) :]) for known in WORDS
    ):
        return True
    return any(word.startswith(side) and _is_joined(word[len(side) :]) for side in _BESIDE_JOINED)


def _may_follow(rest: str) -> bool:
    return not rest or rest in _BESIDE_JOINED or _is_joined(rest)
