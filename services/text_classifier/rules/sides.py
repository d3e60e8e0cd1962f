"""What is denied on one side and found on the other: "no effusion on the right, small one on the left"."""

import re

_SIDE = r"(?:on|in|at)\s+the\s+(?:left|right|other|contralateral|opposite)\b"
_FOUND = r"(?:small|tiny|trace|minimal|mild|moderate|large|persistent|stable|unchanged|one|two|some|present|seen)"
# Behind the mention: its own side, then a comma or "but", then a size or "one" with the other side.
_FOUND_ELSEWHERE = re.compile(
    rf"[^.;,:]{{0,40}}?(?:[;,]|\bbut\b)\s*(?:(?:but|and|there\s+(?:is|are)|with|an?|only)\s+)*(?:{_FOUND}\s+)+(?:(?:is|are|persists|remains)\s+)*{_SIDE}"
    rf"|[^.;,:]{{0,40}}?[;,]\s*(?:but\s+)?(?:{_FOUND}\s+)+(?:left|right)(?:\s+one)?(?=\s*(?:[.;,]|$))"
    rf"|[^.;,:]{{0,40}}?[;,]\s*(?:(?:but|and|there\s+(?:is|are)|an?|only)\s+)*(?:{_FOUND}\s+)*(?:left|right)\s+one(?=\s*(?:[.;,]|$))"
    # "clear of edema, the left is not"
    r"|[^.;,:]{0,20}?[;,]\s*(?:but\s+)?(?:the\s+)?(?:left|right|other)\s+(?:\w+\s+)?is\s+not(?=\s*(?:[.;,]|$))"
    # and an exception of the same kind: "except a tiny apical one"
    r"|\s*,?\s*(?:except|other\s+than|apart\s+from|aside\s+from|save|but)\s+(?:for\s+)?(?:an?\s+|the\s+)?(?:[\w-]+\s+){0,3}ones?\b",
    re.IGNORECASE,
)
_ITS_SIDE = re.compile(r"\s*(?:on|in|at)\s+the\s+(left|right)\b")
_NOT_THE_OTHER = re.compile(
    r"[^.;,]{0,20}[;,]\s*(?:but\s+|and\s+)?(?:the\s+)?(?:left|right|other)(?:\s+(?:one|side))?\s+(?:is\s+|has\s+)?(?:unchanged|stable|not|still|persist|remain)"
    r"|[^.;]{0,30}\bbut\s+not\s+(?:on\s+|in\s+|at\s+)?(?:the\s+)?(?:left|right|other)\b",
    re.IGNORECASE,
)


def on_another_side(sentence: str, mention_end: int, start: int, end: int) -> bool:
    """E.g. "effusion on the right, not seen on the left": the denial from `start` to `end` is of the other side."""
    of_mention, of_denial = _ITS_SIDE.search(sentence, mention_end, start), _ITS_SIDE.match(sentence, end)
    return bool(of_mention and of_denial and of_mention[1] != of_denial[1])


def found_elsewhere(sentence: str, start: int, next_mention: int) -> bool:
    """Whether what was denied just before `start` is found on the other side, with no other mention between."""
    match = _FOUND_ELSEWHERE.match(sentence, start)
    return match is not None and match.end() <= next_mention


def only_on_one_side(sentence: str, start: int) -> bool:
    """E.g. "has cleared on the right" is followed by "but not the left"."""
    return _NOT_THE_OTHER.match(sentence, start) is not None
