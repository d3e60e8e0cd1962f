"""Turn a plan (label -> state) into the sentences of an impression."""

import random
from collections.abc import Mapping

from services.text_classifier.examples.writer import findings, frames
from services.text_classifier.examples.writer.wording import Wording
from shared.labels import SUPPORT_DEVICES, LabelName, State

CARDIOMEGALY: LabelName = "Cardiomegaly"
MEDIASTINUM: LabelName = "Enlarged Cardiomediastinum"
EDEMA: LabelName = "Edema"

# Statements on size, and how often they are preferred to a finding ("no cardiomegaly or effusion").
_SIZE: Mapping[LabelName, Mapping[State, tuple[tuple[str, ...], float]]] = {
    CARDIOMEGALY: {
        State.PRESENT: (findings.HEART_LARGE, 0.35),
        State.ABSENT: (findings.HEART_NORMAL, 0.85),
        State.UNCERTAIN: (findings.HEART_DOUBTFUL, 0.9),
    },
    MEDIASTINUM: {
        State.PRESENT: (findings.MEDIASTINUM_LARGE, 0.4),
        State.ABSENT: (findings.MEDIASTINUM_NORMAL, 0.9),
        State.UNCERTAIN: (findings.MEDIASTINUM_DOUBTFUL, 0.9),
    },
}
_BOTH_SIZES: Mapping[State, tuple[str, ...]] = {
    State.ABSENT: findings.BOTH_NORMAL,
    State.UNCERTAIN: findings.BOTH_DOUBTFUL,
}


class Writer:
    """Words one impression. `stated` holds what has been said; it may say more than planned (heart failure).

    `normality` is True where something outside the labels is called normal, `other_abnormality` where not.
    """

    def __init__(self, rng: random.Random, planned: Mapping[LabelName, State]) -> None:
        self._words = Wording(rng)
        self._todo = dict(planned)
        self.stated: dict[LabelName, State] = {}
        self.normality = False
        self.other_abnormality = False

    def write(self) -> list[str]:
        """Sentences without capitals and full stops, in the order of the impression."""
        said = [*self._devices(), *self._sizes(), *self._double_words(), *self._findings()]
        said += [self._words.doubt(group) for group in self._groups(self._take(State.UNCERTAIN), (1, 1, 2, 2, 3))]
        said += [self._denial(group) for group in self._groups(self._take(State.ABSENT), (1, 1, 2, 2, 3, 4))]
        said += self._surroundings(empty=not said)
        self._words.rng.shuffle(said)
        return self._joined(said)

    def _say(self, *labels: LabelName) -> None:
        for label in labels:
            self.stated[label] = self._todo.pop(label)

    def _take(self, state: State, limit: int | None = None) -> list[LabelName]:
        """Take labels of this state off the plan, in random order, and note them as said."""
        labels = [label for label, planned in self._todo.items() if planned is state]
        self._words.rng.shuffle(labels)
        self._say(*labels[:limit])
        return labels[:limit]

    def _groups(self, labels: list[LabelName], sizes: tuple[int, ...]) -> list[list[LabelName]]:
        groups = []
        while labels:
            size = self._words.rng.choice(sizes)
            groups.append(labels[:size])
            labels = labels[size:]
        return groups

    def _planned(self, state: State, *labels: LabelName) -> bool:
        return all(self._todo.get(label) is state for label in labels)

    def _devices(self) -> list[str]:
        words = self._words
        if self._planned(State.PRESENT, SUPPORT_DEVICES):
            self._say(SUPPORT_DEVICES)
            said = [words.pick(("{device_present}",)) for _ in range(words.rng.choice((1, 1, 1, 2)))]
            return said + [words.pick(("{device_absent}",))] * words.chance(0.12)
        if self._planned(State.ABSENT, SUPPORT_DEVICES):
            self._say(SUPPORT_DEVICES)
            return [words.pick(("{device_absent}",))]
        return []

    def _sizes(self) -> list[str]:
        """Statements on the size of heart and mediastinum."""
        for state, statements in _BOTH_SIZES.items():
            if self._planned(state, CARDIOMEGALY, MEDIASTINUM) and self._words.chance(0.6):
                self._say(CARDIOMEGALY, MEDIASTINUM)
                return [self._words.pick(statements)]
        said = []
        for label, by_state in _SIZE.items():
            if label in self._todo:
                statements, share = by_state[self._todo[label]]
                if self._words.chance(share):
                    self._say(label)
                    said.append(self._words.pick(statements))
        return said

    def _double_words(self) -> list[str]:
        """One word that says two labels (hydropneumothorax, heart failure), or a soft sign of one (congestion)."""
        chance, said = self._words.chance, []
        if self._planned(State.PRESENT, EDEMA) and CARDIOMEGALY not in {*self._todo, *self.stated} and chance(0.25):
            self._say(EDEMA)
            self.stated[CARDIOMEGALY] = State.UNCERTAIN
            said.append(self._words.pick(findings.HEART_FAILURE))
        if self._planned(State.UNCERTAIN, EDEMA) and chance(0.5):
            self._say(EDEMA)
            said.append(self._words.pick(findings.CONGESTION))
        if self._planned(State.PRESENT, "Pneumothorax", "Pleural Effusion") and chance(0.4):
            self._say("Pneumothorax", "Pleural Effusion")
            said.append(self._words.pick(findings.HYDROPNEUMOTHORAX))
        if self._planned(State.PRESENT, "Lung Lesion", "Lung Opacity") and chance(0.5):
            self._say("Lung Lesion", "Lung Opacity")
            said.append(self._words.pick(findings.NODULAR_OPACITY))
        return said

    def _findings(self) -> list[str]:
        groups = self._groups(self._take(State.PRESENT), (1, 1, 1, 2, 2, 3))
        return [self._words.together(group) if len(group) > 1 else self._single(group[0]) for group in groups]

    def _single(self, label: LabelName) -> str:
        words = self._words
        if words.chance(0.04):
            return words.on_one_side(label)
        if words.chance(0.27):
            return words.changing(label)
        if self._todo and words.chance(0.45):
            return self._with_remark(words.phrase(label))
        return words.present(words.phrase(label))

    def _with_remark(self, finding: str) -> str:
        """A finding with what it may be, or with what it is without."""
        if doubted := self._take(State.UNCERTAIN, 2):
            return self._words.pick(frames.WITH_DOUBT, finding=finding, others=self._words.alternatives(doubted))
        denied = self._take(State.ABSENT, self._words.rng.choice((1, 2, 3)))
        others = self._words.listed([self._words.bare_noun(label) for label in denied], "or")
        return self._words.pick(frames.WITH_DENIAL, finding=finding, others=others)

    def _denial(self, labels: list[LabelName]) -> str:
        words = self._words
        nouns = [words.noun(labels[0])] if len(labels) == 1 else [words.bare_noun(label) for label in labels]
        return words.denial(nouns + [words.pick(("{other_denied}",))] * words.chance(0.06))

    def _surroundings(self, *, empty: bool) -> list[str]:
        words, said = self._words, []
        nothing = all(s is State.ABSENT for label, s in self.stated.items() if label != SUPPORT_DEVICES)
        if words.chance(0.6 if nothing else 0.12):
            self.normality = True
            said.append(words.pick(("{clear}",)))
        if words.chance(0.18):
            self.other_abnormality = True
            said += [words.pick(("{other}",)) for _ in range(words.rng.choice((1, 1, 2)))]
        if words.chance(0.05):
            self.normality = True
            said.append(words.pick(("no {other_denied}", "no evidence of {other_denied}")))
        if words.chance(0.12):
            self.normality = True
            said.append(words.pick(("{harmless}",)))
        if words.chance(0.25) or (empty and not said):
            said.append(words.pick(("{neutral}",)))
        return said

    def _joined(self, said: list[str]) -> list[str]:
        """Now and then two sentences become one, at a word where the reach of a denial ends."""
        joined: list[str] = []
        for sentence in said:
            if joined and len(joined[-1]) + len(sentence) < 140 and self._words.chance(0.08):
                joined[-1] += self._words.pick(("{turn}",)) + f" {sentence}"
            else:
                joined.append(sentence)
        return joined
