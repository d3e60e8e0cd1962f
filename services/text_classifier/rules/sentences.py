"""Cut a report into sentences as radiologists write them: numbered, run together, in lower case."""

import itertools
import re
from collections.abc import Iterator

# A full stop ends a sentence unless it stands in a number ("1.5 cm", "T9.") or behind an abbreviation. Some reports
# leave out the space behind it ("effusion.Stable").
_STOP = re.compile(
    r"(?<!\bdr)(?<!\bvs)(?<!\bv)(?<!\bapprox)(?<!\be\.g)(?<!\bi\.e)(?<!\bno)(?:[.!]+|(?<=\w)\?+(?!\s*(?:no|none|yes|small|mild|moderate|large|trace)\b)[.!]*)"
    r"(?=\s|$|[A-Za-z]{2})(?!g\.|e\.)|(?<=[a-z]{3})\.(?=\d)",
    re.IGNORECASE,
)
# A line that ends in one of these goes on in the next.
_GOES_ON = re.compile(
    r"\b(?:of|for|the|an|and|or|nor|with|to|in|at|on|by|from|without|is|are|evidence)[ \t]*$", re.IGNORECASE
)
# "2." or "2)" or "#2": an item of a numbered list.
_ITEM = re.compile(
    r"(?:(?<=\s)|^)#?(\d{1,2})(?:[.)/]|\s?-)\s*(?=[A-Za-z_\[(])|(?:(?<=\s)|^)#(\d{1,2})\s+(?=[A-Za-z])"
    r"|(?<=[a-z]{3})(\d)[.)]\s*(?=[A-Za-z])"  # glued: "effusion2. edema"
)
_BULLET = re.compile(r"(?:^|\n)[ \t]*[-*•]\s+|\s(?:•\s*|\*\s+)|^•")
_BLANK_LINE = re.compile(r"\n\s*\n")
# Dictation drops full stops: "no pneumothorax Stable cardiomegaly". A capital behind a lower-case word opens a sentence
# if it is a word that reports like to begin with.
_RUN_ON = re.compile(
    r"(?<=[a-z\d)])\s+(?=(?:No|There|The|Stable|Unchanged|Mild|Moderate|Small|Large|Heart|Lungs?|Interval|Persistent|New"
    r"|Bilateral|Cardiac|Mediastinum|Cardiomegaly|Cardiomediastinal|Again|Status|Degenerative|Otherwise|Normal|Clear"
    r"|Improved|Increased|Decreased|Possible|Probable|Minimal|Low|Bibasilar|Recommend|Findings?|This|These|Bones?"
    r"|Pleural|Pulmonary|Atelectasis|Without|Negative|Right-sided|Left-sided|Tip)\s+[a-z])"
)
_NARROWEST = 40  # characters: nobody wraps lines shorter than this
_FIRST_WORD = re.compile(r"\S+")
_LINE_STARTS = re.compile(r"(?:[A-Z(\[]|(?:no|there|stable|the|heart|lungs?|mild|small|interval|unchanged)\b)")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each sentence; list numbers and bullets lie outside the spans."""
    cuts: list[tuple[int, int]] = [(0, 0), (len(text), len(text))]  # (where a sentence ends, where the next begins)
    cuts += [(m.end(), m.end()) for m in _STOP.finditer(text)]
    cuts += [m.span() for m in _BLANK_LINE.finditer(text)]
    cuts += [m.span() for m in _BULLET.finditer(text)]
    cuts += [m.span() for m in _RUN_ON.finditer(text)]
    cuts += _line_ends(text)
    cuts += _list_items(text)
    cuts.sort()
    for (_, start), (end, _) in itertools.pairwise(cuts):
        if text[start:end].strip():
            yield start, end


def _list_items(text: str) -> list[tuple[int, int]]:
    """Only numbers that count up are list items: "within 2. " or "rib 7. " are not."""
    spans, expected = [], 1
    for match in _ITEM.finditer(text):
        number = int(match[1] or match[2] or match[3])
        if number in (1, expected):
            spans.append(match.span())
            expected = number + 1
    return spans


def _line_ends(text: str) -> list[tuple[int, int]]:
    """A line break ends a sentence where the next line opens like one, or where its first word would have fitted on the
    line before: else the line was only wrapped.
    """
    width = max(_NARROWEST, *map(len, text.split("\n")))
    ends = []
    for match in re.finditer(r"(?<![ \t])[ \t]*\n\s*", text):
        line_start = text.rfind("\n", 0, match.start()) + 1
        if _GOES_ON.search(text, line_start, match.start()):
            continue
        next_word = _FIRST_WORD.match(text, match.end())
        would_fit = next_word is not None and match.start() - line_start + 1 + len(next_word[0]) <= width
        if would_fit or _LINE_STARTS.match(text, match.end()):
            ends.append(match.span())
    return ends
