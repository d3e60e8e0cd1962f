"""The words that deny, doubt or qualify a mention, and the words at which their reach ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_SEEN = (
    r"(?:seen|identified|visuali[sz]ed|noted|present|evident|appreciated|demonstrated|detected|observed|apparent|found"
    r"|recognized|shown|suspected|suggested|felt|visible)"
)
_BE = r"(?:is|are|was|were|be|been|being|has|have|had|appears?|remains?)"
_MODAL = r"(?:may|might|could|would|can)"
_QUALITY = (
    r"(?:significant|appreciable|interval|substantial|definite|obvious|overt|major|gross|evidence\s+of|large|acute)"
)


class Cue(Enum):
    """What a cue does to the mentions it reaches; the order is the order in which competing cues win."""

    NEUTRAL = auto()  # looks like a denial and is none: "no change in"
    DOUBT_BEHIND = auto()  # "... cannot be excluded"
    DOUBT_AHEAD = auto()  # "possible ..."
    DENY_BEHIND = auto()  # "... has resolved"
    DENY_AHEAD = auto()  # "no ..."
    GONE_BEHIND = auto()  # "... has been removed": devices only
    GONE_AHEAD = auto()  # "removal of ..."
    KEEP = auto()  # "persistent": undoes a denial behind it


@dataclass(frozen=True, slots=True)
class CueSpot:
    cue: Cue
    start: int
    end: int
    text: str


_PATTERNS: tuple[tuple[Cue, str], ...] = (
    # --- look like denials, are none
    (
        Cue.NEUTRAL,
        rf"""\b(?:no|without|not|little|minimal)\s+(?:(?:evidence\s+(?:of|for)|{_QUALITY}|other|further|longer|short\s+term|in)\s+)*
            (?:change[ds]?|increase[ds]?|progress(?:ion|ed)|worsening|worsened|enlargement|improvement|improved|difference|decrease[ds]?|growth
            |migration|displacement|kinking|complicat\w+|interval\s+change)\b(?:\s+(?:in|of|from|since)(?:\s+the)?\b)?""",
    ),
    (
        Cue.NEUTRAL,
        rf"\bnot\s+(?:{_QUALITY}ly\s+|significantly\s+|appreciably\s+|substantially\s+|much\s+|yet\s+)*(?:change[ds]?|increased|decreased|improved|only|fully|completely|entirely|yet|resolved)\b(?!\s+exclude)",
    ),
    (
        Cue.NEUTRAL,
        r"\b(?:near(?:ly)?|almost|partial(?:ly)?|incomplete(?:ly)?|largely|mostly|some|not\s+complete(?:ly)?)(?:[\s-]+complete(?:ly)?)?(?:\s+interval)?\s+(?:resolution|resolved|clearing|cleared)(?:\s+of)?\b",
    ),
    (
        Cue.NEUTRAL,
        r"\b(?:document|ensure|confirm|assess|until|to|for|demonstrate|verify)\s+(?:the\s+)?(?:complete\s+)?(?:resolution|clearing)(?:\s+of)?\b",
    ),
    (Cue.NEUTRAL, r"\bno\s+(?:prior|previous|comparison|priors|old|recent)\b"),
    (Cue.NEUTRAL, r"\bwithout\s+(?:contrast|prior|previous)\b"),
    # --- doubts that hold a negation in them: these come before the negations
    (
        Cue.DOUBT_AHEAD,
        r"""\b(?:can\s?not|can't|could\s+not|not|difficult\s+to|hard\s+to|unable\s+to|impossible\s+to)\s+(?:be\s+)?(?:(?:completely|entirely|definitely|totally|reliably|fully)\s+)?
            (?:exclude|rule\s+out)\b(?!d)(?:\s+(?:the\s+)?(?:possibility|presence)\s+of)?""",
    ),
    (
        Cue.DOUBT_BEHIND,
        rf"""(?:\b(?:is|are|was|were)\s+)?\b(?:can\s?not|can't|could\s+not|not|difficult\s+to|hard\s+to)\s+(?:be\s+)?(?:(?:completely|entirely|definitely|totally|reliably|fully)\s+)?(?:be\s+)?
            (?:excluded|ruled\s+out)\b | \b(?:difficult|hard)\s+to\s+(?:exclude|evaluate|assess)\s*(?=[.;,]|$) | \bnot\s+(?:well|clearly|optimally|adequately|fully)\s+(?:{_SEEN}|evaluated|assessed|defined|delineated|imaged)\b
            | \b(?:poorly|incompletely|suboptimally)\s+(?:evaluated|assessed|visualized|seen|imaged)\b""",
    ),
    (
        Cue.DOUBT_AHEAD,
        r"\bno\s+(?:definite(?:ly)?\s+|evidence\s+(?:of|for)\s+(?:a\s+)?)?new\b(?:\s+(?:area|focus|region)s?\s+of)?",
    ),
    # --- denials
    (
        Cue.DENY_BEHIND,
        rf"""\b(?:{_BE}\s+)?(?:no\s+longer|not)\s+(?:(?:been|definite(?:ly)?|convincingly|currently|now|again|well\s+enough)\s+)*{_SEEN}\b
            | \b(?:is|are)\s+absent\b | \b(?:{_BE}\s+)?(?:not\s+)?no\s+longer\s+(?:{_BE}\s+)?{_SEEN}\b | \b(?:{_BE}\s+)*(?:been\s+)?(?:excluded|ruled\s+out)\b
            | \b(?:not)\s+(?:enlarged)\b""",
    ),
    (
        Cue.DENY_BEHIND,
        r"""\b(?:(?:has|have|had|is|are|was|were|now|since|been|completely|apparently|essentially|interval(?:ly)?|previously|subsequently|entirely|fully)\s+)*
            (?:resolved|cleared|disappeared)\b | \b(?:with|shows?|showing|interval|complete|demonstrates?)\s+(?:(?:complete|interval|apparent)\s+)*(?:resolution|clearing)\b(?!\s+of)""",
    ),
    (Cue.DENY_AHEAD, r"\b(?:resolution|clearing|disappearance)\s+of\b | \b(?:clear|cleared)\s+of\b"),
    (
        Cue.DENY_AHEAD,
        r"""\b(?:no|without|w/o|nor|denies|never)\b(?:\s+(?:(?:evidence|sign|signs|indication|finding|findings|development|focus|area|areas|suggestion|radiographic|plain|film|convincing
            |definite|obvious|specific|x-?\s?ray|interval|current|clear|secondary)\s+)*(?:of|for|to\s+suggest)\b)?
            | \b(?:negative|neg)\s+for\b | \bfree\s+(?:of|from)\b | \babsence\s+of\b | \b(?:rather|other)\s+than\b(?=\s+(?:an?\s+|true\s+|focal\s+)*(?:consolid|pneumon|edema|effus|infiltr|atelect|pneumothor|mass|infect|fract))
            | \b(?:does|do|did|is|are|was|were)\s+not\s+(?:\w+\s+){0,1}(?:represent|show|suggest|demonstrate|reveal|reflect|indicate|see|have|suggestive|suspicious|consistent|concerning|compatible|typical|characteristic)\w*\b
            | \bnot\s+(?:an?\s+|any\s+)?(?=(?:consolid|pneumon|edema|effus|infiltr|atelect|pneumothor|mass|infect|fract))
            | \bnot\s+(?:suggestive|suspicious|consistent|concerning|compatible|typical|characteristic)\b | \bunremarkable\s+for\b | \bexclud(?:es|ing)\b | \binstead\s+of\b""",
    ),
    # --- devices taken out
    (
        Cue.GONE_AHEAD,
        r"\b(?:removal|extraction|withdrawal|discontinuation)\s+of\b | \bremoved\b(?=\s+(?:the\s+)?(?:\w+\s+){0,2}(?:line|tube|cathet|picc|drain|pace))",
    ),
    (Cue.GONE_BEHIND, r"\b(?:removed|removal|pulled|discontinued|explanted|taken\s+out)\b(?!\s+of\b)"),
    (Cue.KEEP, r"\b(?:persist\w*|residual|remain(?:s|ing)?|recurr\w*|still)\b"),
    # --- doubts
    (
        Cue.DOUBT_BEHIND,
        rf"""\b(?:is|are|was|were|also|remains?)\s+(?:(?:also|a|another|not\s+un|felt\s+to\s+be|an?\s+less\s+likely|less|considered|certainly|the\s+main)\s+)*(?:possib(?:le|ility|ilities)|suspected|questioned|questionable|probable|consider(?:ed|ations?)|likely\s+less|suspicious|concerning|equivocal|unlikely|less\s+likely|concern)\b(?=\s*(?:[.,;)]|$|(?:and|but|at|in|given|on|with|as|although|however|though|based|if|,)\b))
            | \b(?:{_MODAL})\s+(?:also\s+)?(?:be\s+)?(?:considered|present|possible|have\s+(?:a\s+similar|this|the\s+same)\s+appearance|appear|questioned|suspected|contribute\w*|coexist|underlie|not\s+be\s+excluded)\b
            | \bnot\s+excluded\b | \bconsidered\s+less\s+likely\b | \bless\s+likely\s*(?=[.,;)]|$) | \bunlikely\s*(?=[.,;)]|$) | \?\s*$ | \bsuspected\s*(?=[.,;)]|$) | \b(?:not|difficult\s+to)\s+(?:entirely\s+)?exclude\s*(?=[.,;]|$)
            | \bis\s+not\s+(?:definite|certain)\w*\b | \bsuspicious\s+in\s+appearance\b""",
    ),
    (
        Cue.DOUBT_AHEAD,
        r"""\b(?:possib(?:le|ly|ility\s+of)|probabl[ey]|presum(?:ably|ed|e|ptive)|questionabl[ey]|question(?:able)?(?:\s+of)?|suspect(?:ed|s)?|suspicio(?:us|n)\s+(?:for|of)|concern(?:ing)?\s+(?:for|of)
            |worrisome\s+(?:for|of)|suggestion\s+of|perhaps|maybe|potential(?:ly)?|conceivabl[ey]|equivocal|favou?r(?:s|ed|ing)?\b(?!\s+to\s+(?:be|represent|reflect))|less\s+likely(?:\s+to\s+(?:be|represent|reflect))?|unlikely(?:\s+to\s+(?:be|represent|reflect))?
            |differential(?:\s+diagnos[ie]s)?(?:\s+(?:considerations?|possibilities))?(?:\s+(?:would|could|may))?\s*(?:includ(?:es?|ing)|is|:|-)?|ddx|consider(?:ation|ations)?(?:\s+(?:of|for|would\s+include|include))?|rule\s+out|r/o|to\s+exclude|evaluate\s+for|correlat\w+\s+(?:\w+\s+)?for(?:\s+(?:signs?|symptoms?|evidence)\s+of)?
            |assess(?:ment)?\s+for|suspicion(?:\s+(?:for|of))?|raises?\s+(?:the\s+)?(?:question|possibility|concern|suspicion)(?:\s+(?:of|for))?|borderline|vs\.?\s+|versus|if\s+there\s+is)""",
    ),
    (
        Cue.DOUBT_AHEAD,
        rf"""\b{_MODAL}\s+(?:(?:also|all|simply|potentially|possibly|well|partially|in\s+part|just|still|either|merely|partly|at\s+least)\s+)*(?:(?:be|have|also)\b|(?:represent|reflect|indicate|include|suggest|relate|result|account|correspond|signify|mimic|obscure|mask|contain|reflecting|explain|harbor|simulate|imply|denote|cause)\w*\b)
            (?:\s+(?:(?:partially|partly|also|either|all|simply|at\s+least|in\s+part)\s+)*(?:due|secondary|related|attributable|attributed|caused|consistent|compatible|representative|indicative|suggestive|on\s+the\s+basis)\s*(?:to|with|by|of)?(?:\s+(?:the\s+)?presence\s+of)?)?""",
    ),
    (Cue.DOUBT_AHEAD, r"\?\s*(?=[a-z])"),
)
_COMPILED = tuple((cue, re.compile(pattern, re.IGNORECASE | re.VERBOSE)) for cue, pattern in _PATTERNS)

_TURN = r"(?:stable|unchanged|persist\w*|mild(?:ly)?|moderate(?:ly)?|small|minimal(?:ly)?|trace|tiny|improv\w+|increas\w+|decreas\w+|worsen\w+|slight(?:ly)?|similar|chronic|again|recurrent|residual|enlarging|developing|interval|resolving|marked(?:ly)?|extensive|severe)"
CUT = re.compile(
    rf"""\b(?:but|however|although|though|except(?:\s+for)?|otherwise|while|whereas|yet|nevertheless|aside\s+from|apart\s+from|other\s+than|besides|in\s+addition
        |which|there\s+(?:is|are|has|have|was|were)|(?<!consistent\s)(?<!compatible\s)(?<!keeping\s)(?<!associated\s)with(?!\s+respect|out)|given|since|despite|because|following|after|(?:and\s+)?(?:re)?(?:placement|insertion)\s+of|as\s+well\s+as\s+(?=stable|mild|small)|in\s+the\s+setting\s+of
        |overlying|superimposed\s+(?:on|upon)|adjacent\s+to|obscur(?:ing|ed\s+by)|status\s+post|s/p|compared\s+(?:to|with)|due\s+to|secondary\s+to|related\s+to|likely\s+(?:represent\w*|reflect\w*|due|related|secondary))\b
        | [;:] | \s[-–—]+\s | \( | \) | \s-(?=[a-z])
        | ,\s*(?:and\s+)?(?=(?:{_TURN}|there|the|heart|lungs?|cardiac|this|these|it|however|also|status|post|which|with|likely|consistent|compatible|right|left|bilateral|otherwise)\b)
        | \band\s+(?=(?:{_TURN}|there|the)\b) | \b(?:is|are|was|were)\s+(?:now\s+|again\s+|currently\s+)?{_SEEN}\b""",
    re.IGNORECASE | re.VERBOSE,
)


def find_cues(sentence: str) -> list[CueSpot]:
    """Cues in order of appearance. Where two overlap the pattern listed first wins: "cannot exclude" before "exclude"."""
    taken: list[CueSpot] = []
    for cue, start, end in _matches(sentence):
        if not any(start < other.end and other.start < end for other in taken):
            taken.append(CueSpot(cue, start, end, sentence[start:end].strip()))
    return sorted(taken, key=lambda spot: spot.start)


def _matches(sentence: str) -> Iterator[tuple[Cue, int, int]]:
    for cue, pattern in _COMPILED:
        for match in pattern.finditer(sentence):
            yield cue, match.start(), match.end()
