"""Whatever is typed, the labeler answers, and its spans lie in the text as typed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.text_classifier.rules.labeler import find_mentions, label_report
from shared.labels import LABELS, NO_FINDING, State

WORDS = (
    "no not without possible may represent or and/or , . ; : ? - / ( ) \n 1. 2) effusion pneumothorax opacity XXXX ___ "
    "edema cardiomegaly heart size normal stable removed resolved picc line versus efusion nopneumothorax İ ﬁ"
)
FRAGMENTS = st.sampled_from(WORDS.split(" "))
TEXTS = st.text(max_size=200) | st.lists(FRAGMENTS, max_size=25).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_every_text_is_labelled(text: str) -> None:
    states = label_report(text)
    assert tuple(states) == LABELS
    assert states[NO_FINDING] in (State.PRESENT, State.NOT_MENTIONED)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_spans_lie_in_the_text(text: str) -> None:
    for mention in find_mentions(text):
        assert 0 <= mention.start < mention.end <= len(text)


def test_span_of_a_misspelt_word_is_the_word_as_typed() -> None:
    text = "XXXX small rigth efusions, nopneumothorax"
    effusion, pneumothorax = find_mentions(text)
    assert text[effusion.start : effusion.end] == "efusions"
    assert text[pneumothorax.start : pneumothorax.end] == "pneumothorax"
    assert pneumothorax.state is State.ABSENT
