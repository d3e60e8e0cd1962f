"""Word one finding, or several, in one sentence: said, doubted or denied."""

import random
from collections.abc import Sequence

from services.text_classifier.examples.writer import frames
from services.text_classifier.examples.writer.findings import WORDINGS
from services.text_classifier.examples.writer.grammar import expand
from shared.labels import LabelName


class Wording:
    """All choices are drawn from one random stream, so that a seed fixes every word."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, options: Sequence[str], **given: str) -> str:
        return expand(self.rng, self.rng.choice(options), **given)

    def phrase(self, label: LabelName) -> str:
        """The finding with its modifiers: "stable small left pleural effusion"."""
        return self.pick(WORDINGS[label].phrases)

    def noun(self, label: LabelName) -> str:
        return self.pick(WORDINGS[label].nouns)

    def bare_noun(self, label: LabelName) -> str:
        """A noun without size or side: "no effusion, left pneumothorax" would be read as two statements."""
        return self.rng.choice([noun for noun in WORDINGS[label].nouns if "{" not in noun])

    def listed(self, items: Sequence[str], word: str) -> str:
        if len(items) == 1:
            return items[0]
        comma = "," if len(items) > 2 and self.chance(0.5) else ""
        return f"{', '.join(items[:-1])}{comma} {word} {items[-1]}"

    def alternatives(self, labels: Sequence[LabelName]) -> str:
        nouns = [self.noun(label) for label in labels]
        if len(nouns) != 2:
            return self.listed(nouns, "or")
        return self.rng.choices(("/", " or ", " versus ", " vs ", " and/or "), (1, 4, 2, 2, 2))[0].join(nouns)

    def present(self, finding: str) -> str:
        return self.pick(frames.PRESENT, finding=finding, be="are" if _is_plural(finding) else "is")

    def changing(self, label: LabelName) -> str:
        noun = self.noun(label)
        return self.pick(("{course} {noun} {stays}" if _is_plural(noun) else "{course} {noun} {stay}",), noun=noun)

    def on_one_side(self, label: LabelName) -> str:
        one, other = self.rng.sample(("left", "right"), 2)
        return self.pick(frames.PRESENT_ON_ONE_SIDE, finding=self.bare_noun(label), one=one, other=other)

    def together(self, labels: Sequence[LabelName]) -> str:
        phrases = [self.phrase(label) if self.chance(0.7) else self.noun(label) for label in labels]
        if len(phrases) == 2 and self.chance(0.5):
            return self.pick(frames.PAIR, finding=phrases[0], others=phrases[1])
        return self.present(self.listed(phrases, "and"))

    def doubt(self, labels: Sequence[LabelName]) -> str:
        return self.pick(frames.DOUBT, others=self.alternatives(labels))

    def denial(self, nouns: Sequence[str]) -> str:
        if len(nouns) == 1:
            if self.chance(0.25):
                gone = self.pick(("{gone}",))
                return self.pick(frames.GONE, others=nouns[0], gone=_in_plural(gone) if _is_plural(nouns[0]) else gone)
            return self.pick((*frames.DENIAL, "interval resolution of {others}"), others=nouns[0])
        if len(nouns) == 2 and self.chance(0.06):
            return f"neither {' nor '.join(nouns)} is seen"
        if self.chance(0.06):
            return f"no {', no '.join(nouns)}"
        return self.pick(frames.DENIAL, others=self.listed(nouns, "or" if self.chance(0.95) else "and"))


def _is_plural(phrase: str) -> bool:
    return phrase.endswith("s") and not phrase.endswith(("is", "us", "ss"))


def _in_plural(verb: str) -> str:
    first, rest = verb.split(" ", 1)
    return f"{'have' if first == 'has' else 'are'} {rest}"
