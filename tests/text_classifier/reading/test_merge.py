"""What the windows of a text make of it together."""

import numpy as np
import pytest

from services.text_classifier.reading.merge import merge
from services.text_classifier.reading.scorer import PRESENT, Floats, Score
from shared.labels import LABELS, LabelName, State

THRESHOLDS = np.full(len(LABELS), 0.5)
STATES = tuple(State)
NF: LabelName = "No Finding"


def decide(posterior: Floats) -> np.ndarray:
    other = 1 + posterior[..., 1:].argmax(axis=-1)
    return np.where(posterior[..., PRESENT] >= THRESHOLDS, PRESENT, other)


def score(**stated: tuple[State, float]) -> Score:
    """A window that states labels (`_` for a blank in their names), each with the probability of its state."""
    posterior = np.tile([0.0, 0.0, 0.0, 1.0], (len(LABELS), 1))
    for name, (state, probability) in stated.items():
        row = LABELS.index(name.replace("_", " "))  # type: ignore[arg-type]
        posterior[row, -1] = 1 - probability
        posterior[row, STATES.index(state)] += probability
    return Score(posterior, None)


def merged(windows: list[tuple[Score, int]], *together: Score) -> dict[str, tuple[State, float]]:
    verdict = merge([window for window, _ in windows], [rank for _, rank in windows], together, decide, THRESHOLDS)
    return {
        label: (STATES[verdict.states[row]], float(verdict.posterior[row, PRESENT]))
        for row, label in enumerate(LABELS)
        if STATES[verdict.states[row]] is not State.NOT_MENTIONED
    }


@pytest.mark.parametrize("state", [State.PRESENT, State.UNCERTAIN])
def test_no_finding_is_not_present_beside_a_finding(state: State) -> None:
    one = score(No_Finding=(State.PRESENT, 0.9), Edema=(state, 0.8))
    verdict = merge([one], [0], [], decide, THRESHOLDS)
    of_no_finding = verdict.posterior[LABELS.index(NF)]
    assert STATES[verdict.states[LABELS.index(NF)]] is State.NOT_MENTIONED
    assert of_no_finding[PRESENT] == pytest.approx(0.2)
    assert of_no_finding.sum() == pytest.approx(1)


def test_no_finding_is_present_beside_a_device_and_a_denial() -> None:
    one = score(No_Finding=(State.PRESENT, 0.9), Support_Devices=(State.PRESENT, 1), Edema=(State.ABSENT, 1))
    assert merged([(one, 0)])[NF] == (State.PRESENT, pytest.approx(0.9))


def test_a_silent_section_does_not_deny_no_finding() -> None:
    windows = [(score(No_Finding=(State.PRESENT, 0.99)), 0), (score(), 1)]
    assert merged(windows, score(No_Finding=(State.PRESENT, 0.97)))[NF] == (State.PRESENT, pytest.approx(0.97))
    assert merged(windows, score()) == {}


def test_a_finding_in_any_section_denies_it() -> None:
    windows = [(score(No_Finding=(State.PRESENT, 0.99)), 1), (score(Edema=(State.UNCERTAIN, 0.7)), 0)]
    together = score(No_Finding=(State.PRESENT, 0.99))
    assert merged(windows, together) == {"Edema": (State.UNCERTAIN, 0)}


def test_what_was_overruled_does_not_deny_it() -> None:
    findings = score(Edema=(State.UNCERTAIN, 0.7))
    impression = score(No_Finding=(State.PRESENT, 0.9), Edema=(State.ABSENT, 1))
    silent_addendum = score()
    assert merged([(findings, 0), (impression, 1), (silent_addendum, 2)], findings) == {
        "Edema": (State.ABSENT, 0),
        NF: (State.PRESENT, pytest.approx(0.9)),
    }


def test_the_highest_rank_that_states_a_label_speaks_for_it() -> None:
    windows = [
        (score(Edema=(State.PRESENT, 0.9), Fracture=(State.PRESENT, 0.8)), 0),
        (score(Edema=(State.ABSENT, 1)), 1),
        (score(Edema=(State.UNCERTAIN, 1)), 2),
    ]
    assert merged(windows) == {"Edema": (State.UNCERTAIN, 0), "Fracture": (State.PRESENT, pytest.approx(0.8))}
