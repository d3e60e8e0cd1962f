"""Short texts in the turns of phrase that a model gets wrong first: what has half resolved, what one thing may make of
another, what a denial does not reach. They are composed blindly of findings and turns; the rules say what they mean.
"""

import random
from collections.abc import Iterator

from services.text_classifier.examples.writer.findings import WORDINGS
from services.text_classifier.examples.writer.grammar import expand
from services.text_classifier.examples.writer.scrawl import scrawl
from shared.labels import LABELS

TURNS = (
    # Change
    "<a> has nearly resolved", "near complete resolution of <a>", "near-complete clearing of <a>", "resolving <a>",
    "<a> has almost completely cleared", "<a> is decreased but still present", "partial clearing of <a>",
    "residual <a>", "incomplete resolution of <a>", "<a> has completely resolved", "complete resolution of <a>",
    "interval clearing of <a>", "<a> is no longer identified", "previously described <a> has cleared",
    "complete resolution of <a> with reaccumulation of <b>", "resolution of <a> with new <b>",
    "<a> has resolved, <b> remains", "<a> has resolved on the right and persists on the left",
    "<a> persists on the right and has cleared on the left", "recurrence of <a>", "<a> has recurred",
    "<a> has reaccumulated",
    "no change in <a> or <b>", "no interval change in <a> and <b>", "no increase in <a>",
    "no significant change in <a>",
    "no worsening of <a>", "no new <a>", "no new <a> or <b>", "no new <a>, persistent <b>", "<a> is less conspicuous",
    "increasing <a>, decreasing <b>", "<a>, slightly improved, with <b>", "no recurrent <a>", "<a> unchanged, no <b>",
    "<a> is unchanged and there is no <b>", "interval improvement in <a>, <b> is unchanged", "worsening <a>",
    # What may be what
    "<a>, which may represent <b>", "<a> may represent <b>", "<a> may represent <b> or <c>", "<a>, possibly <b>",
    "<a>, <b> versus <c>", "<a>, likely <b>", "<a>, likely <b>, although <c> is possible", "<a>, favor <b> over <c>",
    "<a> consistent with <b>", "<a> compatible with <b>", "<a> suggestive of <b>", "<a> concerning for <b>",
    "<a> suspicious for <b>", "<a> could reflect <b>", "<a>, most likely <b>, less likely <c>",
    "<a>, <b> not excluded",
    "<a>, probably <b>", "<a> likely due to <b>", "<a> likely related to <b> and/or <c>", "<a> reflecting <b>",
    "<a> and/or <b>", "<a> or <b>", "<a>/<b>", "<a> vs. <b>", "possible <a>", "probable <a>", "questionable <a>",
    "<a> is possible", "<a> is likely", "<a> cannot be entirely excluded", "underlying <a> cannot be excluded",
    "superimposed <a> would be difficult to exclude", "a component of <a> is not excluded", "<a> with possible <b>",
    "<a> with superimposed <b>", "<a>, cannot rule out <b>", "findings may reflect <a>",
    "early <a> is a consideration",
    "this could represent <a> in the appropriate clinical setting", "suspect <a>", "suggestion of <a>",
    "<a> suspected",
    # What a denial reaches
    "<a> without <b>", "<a> without <b> or <c>", "<a> but no <b>", "no <a> but <b> is present", "no <a>. <b>",
    "no <a>, <b>, or <c>", "no <a> or <b>; <c>", "without <a> or <b>", "<a> rather than <b>", "neither <a> nor <b>",
    "no <a> to suggest <b>", "<a>, with no evidence of <b>", "no <a> however there is <b>", "no large <a>",
    "no evidence of <a> with <b> again seen", "negative for <a>", "no definite <a>", "no <a> is seen. <b> is noted",
    "not seen is <a>", "there is <a>. there is no <b>", "<a> and <b> without <c>",
    "no focal <a>, <b> or <c> is present",
    # Heart failure, in few words
    "chf", "mild chf", "chf with <a>", "worsening chf", "findings of chf", "no chf", "no evidence of chf",
    "possible chf",
    "congestive heart failure", "congestive heart failure with <a>", "no congestive heart failure", "improving chf",
    "cardiomegaly without chf", "cardiomegaly with chf", "<a>, consistent with chf", "<a>, may represent chf",
    # Plain
    "<a>", "<a>", "<a> is present", "<a> and <b>", "<a> with <b>", "there is <a>", "small <a>", "stable <a>",
    "mild <a>",
    "<a> on the left", "right <a>", "bilateral <a>", "minimal <a>", "<a>, <b>, and <c>", "<a> as before", "known <a>",
)  # fmt: skip
_NAMED = tuple(label for label in LABELS if label in WORDINGS)


def hard_texts(seed: int, count: int) -> Iterator[str]:
    rng = random.Random(f"phrasebook-{seed}")
    for _ in range(count):
        yield scrawl(rng, [_turn(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4)))])


def _turn(rng: random.Random) -> str:
    turn = rng.choice(TURNS)
    for slot, label in zip(("<a>", "<b>", "<c>"), rng.sample(_NAMED, 3), strict=True):
        wording = WORDINGS[label]
        turn = turn.replace(slot, rng.choice(wording.nouns if rng.random() < 0.8 else wording.phrases))
    return expand(rng, turn)
