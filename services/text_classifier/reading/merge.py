"""From the scores of a text's windows to one verdict, as mentions are merged in a report.

The window in which a label is most present speaks for it: present before uncertain before absent. What a window of a
higher rank states of a label goes before what those of lower ranks do: the impression before the findings, an addendum
before the impression.

No Finding is a statement about the whole text, so there the window that denies it most speaks. A section that says
nothing ("As above.", "Called to the ward.") denies it too when it is read alone; so where no section states a finding,
the model is asked about them together. Where a higher rank overruled the findings of the others, only its own word
counts. Whatever the model says, No Finding is not present beside a finding that is present or uncertain.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.text_classifier.reading.reading import Verdict
from services.text_classifier.reading.scorer import NOT_MENTIONED, PRESENT, UNCERTAIN, Floats, Score
from shared.labels import LABELS, NO_FINDING, SUPPORT_DEVICES

Places = NDArray[np.int64]
Decide = Callable[[Floats], Places]

_NO_FINDING = LABELS.index(NO_FINDING)
_IS_FINDING = np.array([label not in (NO_FINDING, SUPPORT_DEVICES) for label in LABELS])
_LABELS = np.arange(len(LABELS))
_NOTHING_SAID = np.tile([0.0, 0.0, 0.0, 1.0], (len(LABELS), 1))
_STEP = 1e-6
"""Of a probability: they are given in millionths."""


def merge(
    scores: Sequence[Score], ranks: Sequence[int], together: Sequence[Score], decide: Decide, thresholds: Floats
) -> Verdict:
    """`scores` and `ranks` of the windows; `together`: scores of several sections read as one, if there are several."""
    if not scores:
        return Verdict(_NOTHING_SAID, _NOTHING_SAID.argmax(axis=-1), np.zeros(len(LABELS), np.int64), ())
    posteriors = np.stack([score.posterior for score in scores])  # (W, 14, 4)
    states = decide(posteriors)  # (W, 14)
    speaker = _speakers(posteriors, states, np.array(ranks))
    verdict = Verdict(posteriors[speaker, _LABELS], states[speaker, _LABELS], speaker, tuple(scores))
    if together and not _finds(verdict.states):
        verdict = _with_no_finding(verdict, posteriors, np.array(ranks), together, decide)
    return _without_contradiction(verdict, thresholds)


def _speakers(posteriors: Floats, states: Places, ranks: Places) -> Places:
    """For each label the window that speaks for it."""
    lowest, *higher = np.unique(ranks)
    speaker = _speakers_of(posteriors, states, np.flatnonzero(ranks == lowest))
    for rank in higher:
        first = _speakers_of(posteriors, states, np.flatnonzero(ranks == rank))
        speaker = np.where(states[first, _LABELS] != NOT_MENTIONED, first, speaker)
    speaker[_NO_FINDING] = posteriors[:, _NO_FINDING, PRESENT].argmin()
    return speaker


def _speakers_of(posteriors: Floats, states: Places, among: Places) -> Places:
    # State is in order of precedence, so the speaker has the lowest state, then the highest probability of present.
    speaker: Places = among[(states - posteriors[..., PRESENT] / 2)[among].argmin(axis=0)]
    return speaker


def _with_no_finding(
    verdict: Verdict, posteriors: Floats, ranks: Places, together: Sequence[Score], decide: Decide
) -> Verdict:
    """Of a text of several sections in which no finding stands."""
    states, of_no_finding = decide(posteriors), posteriors[:, _NO_FINDING]
    if _finds(states):  # and was overruled
        own = np.flatnonzero((ranks > ranks.min()) & (states != NOT_MENTIONED).any(axis=1))
        speaks = int(own[of_no_finding[own, PRESENT].argmin()])
        chosen = of_no_finding[speaks]
    else:
        speaks = int(of_no_finding[:, PRESENT].argmax())
        chosen = min((score.posterior[_NO_FINDING] for score in together), key=lambda of_state: of_state[PRESENT])
    posterior, speaker = verdict.posterior.copy(), verdict.speaker.copy()
    posterior[_NO_FINDING], speaker[_NO_FINDING] = chosen, speaks
    return replace(verdict, posterior=posterior, states=decide(posterior), speaker=speaker)


def _without_contradiction(verdict: Verdict, thresholds: Floats) -> Verdict:
    """That nothing is found is at most as probable as that the likeliest finding is not."""
    if verdict.states[_NO_FINDING] != PRESENT or not _finds(verdict.states):
        return verdict
    found = verdict.posterior[_IS_FINDING, PRESENT : UNCERTAIN + 1].sum(axis=-1).max()
    most = min(verdict.posterior[_NO_FINDING, PRESENT], 1 - found, thresholds[_NO_FINDING] - _STEP)
    posterior, states = verdict.posterior.copy(), verdict.states.copy()
    present = max(0.0, round(float(most), 6))
    posterior[_NO_FINDING] = (present, 0.0, 0.0, 1 - present)
    states[_NO_FINDING] = NOT_MENTIONED
    return replace(verdict, posterior=posterior, states=states)


def _finds(states: Places) -> bool:
    """Whether anything but a device is present or uncertain, in (14,) or (W, 14) states."""
    return bool((states[..., _IS_FINDING] <= UNCERTAIN).any())
