"""Short texts in the turns of phrase that a model gets wrong first: what has half resolved, what one thing may make of
another, what a denial does not reach, what is written short. They are composed blindly; the rules say what they mean.
"""

import random
from collections.abc import Iterator
from string import ascii_lowercase

from services.text_classifier.examples.writer.everyday import DEVICES, EVERYDAY, NOTHING
from services.text_classifier.examples.writer.findings import WORDINGS
from services.text_classifier.examples.writer.grammar import expand
from services.text_classifier.examples.writer.scrawl import scrawl
from services.text_classifier.examples.writer.turns import TURNS
from shared.labels import LABELS, LabelName

_NAMED = tuple(label for label in LABELS if label in WORDINGS)
_KINDS = tuple(TURNS)
_SLOTS = ("a", "b", "c")
_NOTHING_SHARE = 0.05


def hard_texts(seed: int, count: int) -> Iterator[str]:
    rng = random.Random(f"phrasebook-{seed}")
    for _ in range(count):
        yield scrawl(rng, _sentences(rng))


def _sentences(rng: random.Random) -> list[str]:
    if rng.random() < _NOTHING_SHARE:
        return [_nothing(rng) for _ in range(rng.choice((1, 1, 1, 2)))]
    return [_turn(rng) for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 4)))]


def _nothing(rng: random.Random) -> str:
    """A text that says nothing of a chest, or no words at all."""
    if rng.random() < 0.8:
        return rng.choice(NOTHING)
    return " ".join("".join(rng.choices(ascii_lowercase, k=rng.randint(2, 8))) for _ in range(rng.randint(1, 5)))


def _turn(rng: random.Random) -> str:
    turn = rng.choice(TURNS[rng.choice(_KINDS)])
    for slot, label in zip(_SLOTS, rng.sample(_NAMED, len(_SLOTS)), strict=True):
        finding = _finding(rng, label)
        turn = turn.replace(f"<{slot}>", finding).replace(f"<{slot.upper()}>", _field(rng, finding))
    while "<d>" in turn:
        turn = turn.replace("<d>", rng.choice(DEVICES), 1)
    return expand(rng, turn)


def _finding(rng: random.Random, label: LabelName) -> str:
    wording = WORDINGS[label]
    words = rng.choices((wording.nouns, EVERYDAY[label], wording.phrases), (0.5, 0.3, 0.2))[0]
    return expand(rng, rng.choice(words))


def _field(rng: random.Random, finding: str) -> str:
    """A finding as the name of a template's field."""
    return rng.choice((str.upper, str.capitalize, str.capitalize, str))(finding)
