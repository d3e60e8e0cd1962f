"""Sentences around findings. `{finding}`, `{others}`, `{be}` are given; every other name is in the vocabulary."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

PRESENT = (
    "{finding}", "{finding}", "{finding}", "{finding}", "there {be} {finding}", "{finding} {be} again noted", "again seen {be} {finding}",
    "interval development of {finding}", "redemonstration of {finding}", "no change in {finding}", "no significant interval change in {finding}",
    "{finding}, not significantly changed {since}", "interval increase in {finding}", "interval decrease in {finding}",
    "{finding}, unchanged {since}", "partial interval resolution of {finding}", "there {be} {now} {finding}", "findings consistent with {finding}",
    "{finding} {be} present", "{finding}, {course}", "interval improvement in {finding}", "findings most consistent with {finding}",
    "slight interval worsening of {finding}", "no interval change in {finding} {since}", "persistence of {finding}",
)  # fmt: skip
# Gone on one side, there on the other: present.
PRESENT_ON_ONE_SIDE = (
    "{finding} has resolved on the {one}, persistent on the {other}",
    "{one} {finding} has resolved. persistent {other} {finding}",
    "{finding} on the {other} is unchanged. no {finding} on the {one}",
    "no {one} {finding}. {other} {finding} has increased",
    "the {one} {finding} is no longer seen, but the {other} {finding} persists",
)
PAIR = (
    "{finding} with {others}", "{finding} with associated {others}", "{finding} and adjacent {others}", "{finding} {surely} {others}",
    "{finding}, {surely} {others}",
)  # fmt: skip
WITH_DOUBT = (
    "{finding}, {may_be} {others}", "{finding} {may_be} {others}", "{finding} which {may_be_verb} {others}",
    "{finding}. {subject} {may_be_verb} {others}", "{finding}; {others} {doubted}", "{finding}, cannot exclude {others}",
    "{finding}. differential includes {others}", "{finding}, less likely {others}", "{finding} {may_be} {others}",
    "{finding}. differential considerations include {others}", "{finding}, and {others} {doubted}", "{finding} that {may_be_verb} {others}",
)  # fmt: skip
WITH_DENIAL = (
    "{finding} without {others}", "{finding} without evidence of {others}", "{finding} but {deny_noun} {others}", "{finding}, with no {others}",
    "{finding}, rather than {others}", "{finding}{turn} {deny_noun} {others}",
)  # fmt: skip
DOUBT = (
    "{doubt} {others}", "{doubt} {others}", "{others} {doubted}", "{subject} {may_be_verb} {others}", "rule out {others}",
    "evaluate for {others}", "findings concerning for {others}", "findings suspicious for {others}", "low lung volumes, {others} {doubted}",
    "early or developing {others} {doubted}", "appearance suspicious for {others}", "correlate clinically for {others}",
    "if there is continued clinical concern for {others}, further imaging is recommended", "? {others}", "{others}?",
    "recommend follow up to exclude {others}", "cannot completely exclude {others}", "{subject} may represent early {others}",
    "cannot exclude the possibility of {others}", "differential includes {others}",
)  # fmt: skip
DENIAL = (
    "{deny} {others}", "{deny} {others}", "{deny} {others}", "there is {deny} {others}", "{deny_noun} {others} is seen", "negative for {others}",
    "no {others} identified", "the lungs are clear without {others}", "the lungs are free of {others}", "{deny_noun} {others} to suggest active disease",
    "no {others} is identified", "lungs are clear with no {others}", "{deny_noun} {others} at this time", "no typical findings of {others}",
    "{deny_noun} {others} or other acute abnormality", "there has been interval resolution of {others}", "absence of {others}",
    "no visible {others}", "without {others}",
)  # fmt: skip
GONE = (
    "{others} {gone}",
    "the {others} {gone}",
    "previously seen {others} {gone}",
    "the previously noted {others} {gone}",
)
