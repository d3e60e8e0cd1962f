"""Word a plan (label -> state) as sentences: findings, denials, doubts, devices, the heart, and what surrounds them."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import random
from collections.abc import Sequence

from services.text_classifier.training import findings
from services.text_classifier.training.findings import WORDINGS
from services.text_classifier.training.grammar import expand
from shared.labels import SUPPORT_DEVICES, LabelName, State

CARDIOMEGALY: LabelName = "Cardiomegaly"
MEDIASTINUM: LabelName = "Enlarged Cardiomediastinum"


class Writer:
    """Words one impression. `stated` holds what has been said; it may say more than planned (heart failure)."""

    def __init__(self, rng: random.Random, planned: dict[LabelName, State]) -> None:
        self._rng = rng
        self._todo = dict(planned)
        self.stated: dict[LabelName, State] = {}
        self.other_abnormality = False

    def write(self) -> list[str]:
        """Sentences without capitals and full stops, in the order of the impression."""
        said = [*self._devices(), *self._heart_and_mediastinum(), *self._special_words()]
        said += self._findings()
        said += self._doubts(self._take(State.UNCERTAIN))
        said += self._denials(self._take(State.ABSENT))
        said += self._surroundings(empty=not said)
        self._rng.shuffle(said)
        return self._joined(said)

    # --- bookkeeping

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _take(self, state: State, limit: int | None = None) -> list[LabelName]:
        """Take labels of this state off the plan, in random order, and note them as said."""
        labels = [label for label, planned in self._todo.items() if planned is state]
        self._rng.shuffle(labels)
        return [self._say(label) for label in labels[:limit]]

    def _say(self, label: LabelName) -> LabelName:
        self.stated[label] = self._todo.pop(label)
        return label

    def _open(self, label: LabelName, state: State) -> bool:
        return self._todo.get(label) is state

    def _word(self, options: Sequence[str]) -> str:
        return expand(self._rng, self._rng.choice(options))

    def _phrase(self, label: LabelName) -> str:
        return self._word(WORDINGS[label].phrases)

    def _noun(self, label: LabelName) -> str:
        return self._word(WORDINGS[label].nouns)

    def _bare_noun(self, label: LabelName) -> str:
        """A noun without size or side: "no effusion, left pneumothorax" would be read as two statements."""
        return self._rng.choice([noun for noun in WORDINGS[label].nouns if "{" not in noun])

    # --- devices, heart, mediastinum, words that say two labels at once

    def _devices(self) -> list[str]:
        if self._open(SUPPORT_DEVICES, State.PRESENT):
            self._say(SUPPORT_DEVICES)
            said = [self._word(["{device_present}"]) for _ in range(self._rng.choice((1, 1, 1, 2)))]
            if self._chance(0.12):
                said.append(self._word(["{device_absent}"]))
            return said
        if self._open(SUPPORT_DEVICES, State.ABSENT):
            self._say(SUPPORT_DEVICES)
            return [self._word(["{device_absent}"])]
        return []

    def _heart_and_mediastinum(self) -> list[str]:
        """Statements on size; a part of the plan is left to be worded as a finding ("no cardiomegaly or effusion")."""
        heart, mediastinum = self._todo.get(CARDIOMEGALY), self._todo.get(MEDIASTINUM)
        both = {State.ABSENT: findings.BOTH_NORMAL, State.UNCERTAIN: findings.BOTH_DOUBTFUL}
        if heart is mediastinum and heart in both and self._chance(0.6):
            self._say(CARDIOMEGALY)
            self._say(MEDIASTINUM)
            return [self._word(both[heart])]
        said = []
        for label, statements, share in (
            (CARDIOMEGALY, {State.PRESENT: findings.HEART_LARGE, State.ABSENT: findings.HEART_NORMAL,
                            State.UNCERTAIN: findings.HEART_DOUBTFUL}, {State.PRESENT: 0.35, State.ABSENT: 0.85, State.UNCERTAIN: 0.9}),
            (MEDIASTINUM, {State.PRESENT: findings.MEDIASTINUM_LARGE, State.ABSENT: findings.MEDIASTINUM_NORMAL,
                           State.UNCERTAIN: findings.MEDIASTINUM_DOUBTFUL}, {State.PRESENT: 0.4, State.ABSENT: 0.9, State.UNCERTAIN: 0.9}),
        ):  # fmt: skip
            state = self._todo.get(label)
            if state is not None and self._chance(share[state]):
                self._say(label)
                said.append(self._word(statements[state]))
        return said

    def _special_words(self) -> list[str]:
        """One word that says two labels (hydropneumothorax, heart failure), or a soft sign of one (congestion)."""
        said = []
        if (
            self._open("Edema", State.PRESENT)
            and CARDIOMEGALY not in {*self._todo, *self.stated}
            and self._chance(0.25)
        ):
            self._say("Edema")
            self.stated[CARDIOMEGALY] = State.UNCERTAIN
            said.append(self._word(findings.HEART_FAILURE))
        if self._open("Edema", State.UNCERTAIN) and self._chance(0.5):
            self._say("Edema")
            said.append(self._word(findings.CONGESTION))
        if all(self._open(label, State.PRESENT) for label in ("Pneumothorax", "Pleural Effusion")) and self._chance(
            0.4
        ):
            self._say("Pneumothorax")
            self._say("Pleural Effusion")
            said.append(self._word(findings.HYDROPNEUMOTHORAX))
        if all(self._open(label, State.PRESENT) for label in ("Lung Lesion", "Lung Opacity")) and self._chance(0.5):
            self._say("Lung Lesion")
            self._say("Lung Opacity")
            said.append(self._word(findings.NODULAR_OPACITY))
        return said

    # --- findings

    def _findings(self) -> list[str]:
        labels, said = self._take(State.PRESENT), []
        while labels:
            group = [labels.pop() for _ in range(min(len(labels), self._rng.choice((1, 1, 1, 2, 2, 3))))]
            said.append(self._group(group) if len(group) > 1 else self._single(group[0]))
        return said

    def _single(self, label: LabelName) -> str:
        if self._chance(0.3):
            noun = self._noun(label)
            if self._chance(0.12):
                return self._on_two_sides(label)
            return expand(self._rng, f"{{course}} {noun} {{{'stays' if _plural(noun) else 'stay'}}}")
        phrase = self._phrase(label)
        if self._todo and self._chance(0.45):
            return self._with_remark(phrase)
        return self._framed(phrase)

    def _on_two_sides(self, label: LabelName) -> str:
        """Gone on one side, there on the other: present."""
        noun = self._bare_noun(label)
        one, other = self._rng.sample(("left", "right"), 2)
        return self._rng.choice(
            (
                f"{noun} has resolved on the {one}, persistent on the {other}",
                f"{one} {noun} has resolved. persistent {other} {noun}",
                f"{noun} on the {other} is unchanged. no {noun} on the {one}",
                f"no {one} {noun}. {other} {noun} has increased",
                f"the {one} {noun} is no longer seen, but the {other} {noun} persists",
            )
        )

    def _framed(self, phrase: str) -> str:
        be = "are" if _plural(phrase) else "is"
        return self._word(
            (
                phrase, phrase, phrase, phrase, f"there {be} {phrase}", f"{phrase} {be} again noted", f"again seen {be} {phrase}",
                f"interval development of {phrase}", f"redemonstration of {phrase}", f"no change in {phrase}",
                f"no significant interval change in {phrase}", f"{phrase}, not significantly changed {{since}}",
                f"interval increase in {phrase}", f"interval decrease in {phrase}", f"{phrase}, unchanged {{since}}",
                f"partial interval resolution of {phrase}", f"there {be} {{now}} {phrase}", f"findings consistent with {phrase}",
                f"{phrase} {be} present", f"{phrase}, {{course}}", f"interval improvement in {phrase}", f"findings most consistent with {phrase}",
                f"slight interval worsening of {phrase}", f"no interval change in {phrase} {{since}}", f"persistence of {phrase}",
            )
        )  # fmt: skip

    def _with_remark(self, phrase: str) -> str:
        """A finding with what it may be, what it is likely, or what it is without."""
        doubted = self._take(State.UNCERTAIN, 2)
        if doubted:
            others = self._alternatives(doubted)
            return self._word(
                (
                    f"{phrase}, {{may_be}} {others}", f"{phrase} {{may_be}} {others}", f"{phrase} which {{may_be_verb}} {others}",
                    f"{phrase}. {{subject}} {{may_be_verb}} {others}", f"{phrase}; {others} {{doubted}}", f"{phrase}, cannot exclude {others}",
                    f"{phrase}. differential includes {others}", f"{phrase}, less likely {others}", f"{phrase} {{may_be}} {others}",
                    f"{phrase}. differential considerations include {others}", f"{phrase}, and {others} {{doubted}}",
                    f"{phrase} that {{may_be_verb}} {others}",
                )
            )  # fmt: skip
        denied = self._take(State.ABSENT, self._rng.choice((1, 2, 3)))
        others = self._listed([self._bare_noun(label) for label in denied], "or")
        return self._word((f"{phrase} without {others}", f"{phrase} without evidence of {others}", f"{phrase} but {{deny_noun}} {others}",
                           f"{phrase}, with no {others}", f"{phrase}, rather than {others}", f"{phrase}{{turn}} {{deny_noun}} {others}"))  # fmt: skip

    def _group(self, labels: list[LabelName]) -> str:
        phrases = [self._phrase(label) if self._chance(0.7) else self._noun(label) for label in labels]
        if len(phrases) == 2 and self._chance(0.5):
            return self._word((f"{phrases[0]} with {phrases[1]}", f"{phrases[0]} with associated {phrases[1]}", f"{phrases[0]} and adjacent {phrases[1]}",
                               f"{phrases[0]} {{surely}} {self._noun(labels[1])}", f"{phrases[0]}, {{surely}} {self._noun(labels[1])}"))  # fmt: skip
        return self._framed(self._listed(phrases, "and"))

    # --- doubts

    def _doubts(self, labels: list[LabelName]) -> list[str]:
        said = []
        while labels:
            group = [labels.pop() for _ in range(min(len(labels), self._rng.choice((1, 1, 2, 2, 3))))]
            others = self._alternatives(group)
            said.append(
                self._word(
                    (
                        f"{{doubt}} {others}", f"{{doubt}} {others}", f"{others} {{doubted}}", f"{{subject}} {{may_be_verb}} {others}",
                        f"no new {others}" if len(group) == 1 else f"differential includes {others}", f"rule out {others}", f"evaluate for {others}",
                        f"findings concerning for {others}", f"findings suspicious for {others}", f"low lung volumes, {others} {{doubted}}",
                        f"early or developing {others} {{doubted}}", f"appearance suspicious for {others}", f"correlate clinically for {others}",
                        f"if there is continued clinical concern for {others}, further imaging is recommended", f"? {others}", f"{others}?",
                        f"recommend follow up to exclude {others}", f"cannot completely exclude {others}", f"{{subject}} may represent early {others}",
                        f"cannot exclude the possibility of {others}",
                    )
                )
            )  # fmt: skip
        return said

    def _alternatives(self, labels: list[LabelName]) -> str:
        nouns = [self._noun(label) for label in labels]
        if len(nouns) == 2:
            return (
                f" {self._rng.choice(('or', 'or', 'versus', 'vs', 'and/or'))} ".join(nouns)
                if self._chance(0.9)
                else "/".join(nouns)
            )
        return self._listed(nouns, "or")

    # --- denials

    def _denials(self, labels: list[LabelName]) -> list[str]:
        said = []
        while labels:
            group = [labels.pop() for _ in range(min(len(labels), self._rng.choice((1, 1, 2, 2, 3, 4))))]
            nouns = [self._noun(group[0])] if len(group) == 1 else [self._bare_noun(label) for label in group]
            if self._chance(0.06):
                nouns.append(self._word(["{other_denied}"]))
            said.append(self._denial(nouns))
        return said

    def _denial(self, nouns: list[str]) -> str:
        listed = self._listed(nouns, "or")
        if len(nouns) == 1 and self._chance(0.25):
            gone = expand(self._rng, "{gone}")
            noun = f"{self._word(['', 'the', 'previously seen', 'the previously noted'])} {nouns[0]}"
            return expand(self._rng, f"{noun} {_plural_verb(gone) if _plural(nouns[0]) else gone}")
        return self._word(
            (
                f"{{deny}} {listed}", f"{{deny}} {listed}", f"{{deny}} {listed}", f"there is {{deny}} {listed}", f"{{deny_noun}} {listed} is seen",
                f"negative for {listed}", f"no {listed} identified", f"the lungs are clear without {listed}", f"interval resolution of {listed}" if len(nouns) == 1 else f"no {listed}",
                f"the lungs are free of {listed}", "no " + ", no ".join(nouns), f"{{deny_noun}} {listed} to suggest active disease",
                f"no {' or '.join(nouns)} is identified", f"{{deny}} {self._listed(nouns, 'and')}", f"lungs are clear with no {listed}",
                f"{{deny_noun}} {listed} at this time", f"no typical findings of {listed}", f"{{deny_noun}} {listed} or other acute abnormality",
                f"there has been interval resolution of {listed}", f"neither {' nor '.join(nouns)} is seen" if len(nouns) == 2 else f"no {listed}", f"absence of {listed}", f"no visible {listed}", f"without {listed}",
            )
        )  # fmt: skip

    # --- what surrounds the findings

    def _surroundings(self, *, empty: bool) -> list[str]:
        said = []
        nothing = all(s is State.ABSENT for label, s in self.stated.items() if label != SUPPORT_DEVICES)
        if self._chance(0.6 if nothing else 0.12):
            said.append(self._word(["{clear}"]))
        if self._chance(0.18):
            self.other_abnormality = True
            said += [self._word(["{other}"]) for _ in range(self._rng.choice((1, 1, 2)))]
        if self._chance(0.05):
            said.append(self._word(["no {other_denied}", "no evidence of {other_denied}"]))
        if self._chance(0.35) or (empty and not said):
            said.append(self._word(["{neutral}"]))
        return said

    def _joined(self, said: list[str]) -> list[str]:
        """Now and then two sentences become one, at a word where the reach of a denial ends."""
        joined: list[str] = []
        for sentence in said:
            if joined and len(joined[-1]) + len(sentence) < 140 and self._chance(0.08):
                joined[-1] += expand(self._rng, f"{{turn}} {sentence}")
            else:
                joined.append(sentence)
        return joined

    def _listed(self, items: list[str], word: str) -> str:
        if len(items) == 1:
            return items[0]
        comma = "," if len(items) > 2 and self._chance(0.5) else ""
        return f"{', '.join(items[:-1])}{comma} {word} {items[-1]}"


def _plural(phrase: str) -> bool:
    return phrase.endswith("s") and not phrase.endswith(("is", "us", "ss"))


def _plural_verb(verb: str) -> str:
    first, rest = verb.split(" ", 1)
    return f"{ {'has': 'have', 'is': 'are'}[first] } {rest}"
