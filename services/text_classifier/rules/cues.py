"""The words that deny, doubt or qualify a mention, and the words at which their reach ends."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import re
from dataclasses import dataclass
from enum import Enum, auto

from services.text_classifier.rules.lexicon import Convention
from services.text_classifier.rules.patterns import any_of, several, spaced, up_to


class Cue(Enum):
    NEUTRAL = auto()  # looks like a denial and is none: "no change in"
    DOUBT_BEHIND = auto()  # "... cannot be excluded"
    DOUBT_AHEAD = auto()  # "possible ..."
    DENY_BEHIND = auto()  # "... has resolved"
    DENY_AHEAD = auto()  # "no ..."
    GONE_BEHIND = auto()  # "... has been removed": devices only
    GONE_AHEAD = auto()  # "removal of ..."
    KEEP = auto()  # "persistent": undoes a denial before it


@dataclass(frozen=True, slots=True)
class CueSpot:
    cue: Cue
    start: int
    end: int
    text: str


_SEEN = "(?:seen|identified|visuali[sz]ed|noted|present|evident|appreciated|demonstrated|detected|observed|apparent|found|recogni[sz]ed|shown|suggested|felt|visible)"
_BE = "(?:is|are|was|were|be|been|being|has|have|had|appears?|remains?)"
_MODAL = "(?:may|might|could|would|can)"
_CANNOT = r"(?:can\s?not|can't|could not|not|difficult to|hard to|unable to|impossible to)"
_WHOLLY = several("completely?", "entirely", "definitely", "totally", "reliably", "fully", "be")
_QUALITY = "(?:significant|appreciable|interval|substantial|definite|obvious|overt|major|gross|large|acute|convincing)"
_EVIDENCE = several("evidence", "signs?", "indication", "findings?", "development", "focus", "areas?", "suggestion", "radiographic", "plain", "film",
                    "convincing", "definite", "obvious", "specific", "x-?ray", "interval", "current", "clear", "secondary", "discrete")  # fmt: skip
_CHANGE = "(?:changed?|changes|increased?|increases|progression|progressed|worsening|worsened|enlargement|enlarging|improvement|improved|difference|decreased?|growth|migration|displacement|kinking|complication|complicating)"
_END = r"(?=\s*(?:[.,;)]|$|(?:and|but|at|in|given|on|with|as|although|however|though|based|if)\b))"

# Where two cues overlap, the one listed first stands: "cannot exclude" hides the "exclude" in it, "no change in" its "no".
_TABLE: tuple[tuple[Cue, re.Pattern[str]], ...] = (
    (
        Cue.NEUTRAL,
        any_of(
            rf"(?:no|without|not|little|minimal) {several('evidence of', 'evidence for', _QUALITY, 'other', 'further', 'short term', 'in')}{_CHANGE}(?: (?:in|of|from|since)(?: the)?)?",
            rf"not {several(_QUALITY + 'ly', 'much', 'yet')}(?:changed?|increased|decreased|improved|only|fully|completely|entirely|yet|resolved)(?! exclude)",
            "(?:near(?:ly)?|almost|partial(?:ly)?|incomplete(?:ly)?|largely|mostly|some|not complete(?:ly)?)(?:[ -]complete(?:ly)?)?(?: interval)? (?:resolution|resolved|clearing|cleared)(?: of)?",
            "(?:without|no|not yet) (?:complete |full )?resolution(?: of)?",
            "(?:document|ensure|confirm|assess|until|to|for|demonstrate|verify) (?:the )?(?:complete )?(?:resolution|clearing)(?: of)?",
            "no (?:prior|previous|comparison|priors|old|recent)",
            "without (?:contrast|prior|previous)",
            "favou?red to (?:be|represent|reflect)",
            rf"not (?:well |clearly |definitely )?{_SEEN} (?:on|in) (?:the |any )?{up_to(1)}(?:prior|previous|earlier|older|comparison|outside|recent)",
        ),
    ),
    # Doubts that hold a negation come before the negations.
    (
        Cue.DOUBT_BEHIND,
        any_of(
            rf"(?:(?:is|are|was|were) )?{_CANNOT} {_WHOLLY}(?:excluded|ruled out)",
            r"(?:difficult|hard) to (?:evaluate|assess)(?=\s*(?:[.;,]|$))",
            rf"not (?:well|clearly|optimally|adequately|fully)[ -](?:{_SEEN}|evaluated|assessed|defined|delineated|imaged)",
            "(?:poorly|incompletely|suboptimally) (?:visuali[sz]ed|seen)",
        ),
    ),
    (
        Cue.DOUBT_AHEAD,
        any_of(
            rf"{_CANNOT} {_WHOLLY}(?:exclude|rule out)(?: (?:the )?(?:possibility|presence) of)?",
            r"no (?:definite(?:ly)? |evidence (?:of|for) (?:a )?)?new(?: (?:area|focus|region)s? of)?",
            "to exclude",
        ),
    ),
    (
        Cue.DENY_BEHIND,
        any_of(
            rf"(?:{_BE} )?(?:no longer|not) {several('been', 'definite(?:ly)?', 'convincingly', 'currently', 'now', 'again', 'clearly', 'well', _BE)}{_SEEN}",
            "(?:is|are|was|were) absent",
            rf"(?:{_BE} )*(?:excluded|ruled out)(?! for)",
            "not enlarged",
            rf"{several('has', 'have', 'had', 'is', 'are', 'was', 'were', 'now', 'since', 'been', 'completely', 'apparently', 'essentially', 'intervally', 'interval', 'previously', 'subsequently', 'entirely', 'fully')}(?:resolved|cleared|disappeared)",
            "(?:with|shows?|showing|interval|complete|demonstrates?) (?:(?:complete|interval|apparent) )*(?:resolution|clearing)(?! of)",
        ),
    ),
    (
        Cue.DENY_AHEAD,
        any_of(
            "(?:resolution|clearing|disappearance|absence) of",
            "clear of",
            "clear(?= (?:focal )?(?:airspace|infiltrat|consolid|effus))",  # dictation loses the "of"
            rf"(?:no|without|w/o|neither|nor|denies|never)(?: {_EVIDENCE}(?:of|for|to suggest))?",
            "(?:negative|neg|unremarkable) for",
            "free (?:of|from)",
            "(?:rather than|instead of|excluding|excludes)",
            rf"(?:does|do|did|is|are|was|were) not {up_to(1)}(?:represent|show|suggest|demonstrate|reveal|reflect|indicate|have|see|identify|visualize|appreciate|suspicious|consistent|concerning|compatible|typical|characteristic)\w*",
            "not (?:suggestive|suspicious|consistent|concerning|compatible|typical|characteristic)",
            r"not (?:an? |any )?(?=(?:consolid|pneumon|edema|effus|infiltr|atelect|mass|infect|fract))",
        ),
    ),
    (
        Cue.GONE_AHEAD,
        any_of(
            "(?:removal|extraction|withdrawal|discontinuation) of",
            rf"removed(?= (?:the )?{up_to(2)}(?:line|tube|cathet|picc|drain|pace))",
        ),
    ),
    (Cue.GONE_BEHIND, any_of("(?:removed|removal|pulled|discontinued|explanted|taken out)(?! of)")),
    (Cue.KEEP, any_of(r"(?:persist\w*|residual|remain(?:s|ing)?|recurr\w*|still)")),
    (
        Cue.DOUBT_BEHIND,
        any_of(
            rf"(?:is|are|was|were|also|remains?) {several('also', 'an?', 'another', 'not un', 'felt to be', 'considered', 'certainly', 'less', 'the main', 'likely less')}(?:possib(?:le|ility|ilities)|suspected|questioned|questionable|probable|consider(?:ed|ations?)|suspicious|concerning|equivocal|unlikely|likely|concern|in the differential){_END}"
            .replace("|likely|", "|less likely|"),
            rf"{_MODAL} (?:also )?(?:be )?(?:considered|present|possible|have (?:a similar|this|the same) appearance|appear|questioned|suspected|contribut\w*|coexist|underlie)(?! to)",
            "(?:considered )?(?:less likely|unlikely)(?=\\s*(?:[.,;)]|$))",
            "suspected(?=\\s*(?:[.,;)]|$))",
            r"is not (?:definite|certain)\w*",
        ),
    ),
    (Cue.DENY_BEHIND, re.compile(r":\s*(?:none|no|absent|negative)\b(?=\s*(?:[.;,]|$))", re.IGNORECASE)),
    (Cue.DOUBT_BEHIND, re.compile(r"\?(?=[\s.]*$|,)")),
    (Cue.DOUBT_AHEAD, re.compile(r"\?\s*(?=[a-z])", re.IGNORECASE)),
    (
        Cue.DOUBT_AHEAD,
        any_of(
            rf"{_MODAL} {several('also', 'all', 'simply', 'potentially', 'possibly', 'well', 'partially', 'in part', 'just', 'still', 'either', 'merely', 'partly', 'at least')}"
            r"(?:be|have|also|(?:represent|reflect|indicate|include|suggest|relate|result|account|correspond|signify|mimic|obscure|mask|contain|explain|harbor|simulate|imply|denote|cause)\w*)"
            rf"(?: {several('partially', 'partly', 'also', 'either', 'all', 'simply', 'at least', 'in part')}(?:due|secondary|related|attributable|attributed|caused|consistent|compatible|representative|indicative|suggestive|on the basis)(?: (?:to|with|by|of))?(?: (?:the )?presence of)?)?",
            "(?:possibly|probably|presumably|potentially|perhaps|maybe) (?:due|secondary|related) to", "possib(?:le|ly|ility of)", "probabl[ey]",
            "presum(?:ably|ed|e|ptive)", "questionabl[ey]", "question(?: of)?",
            "suspect(?:ed|s)?", "suspicious (?:for|of)", "suspicion(?: (?:for|of))?", "concern(?:ing)? (?:for|of)", "worrisome (?:for|of)",
            "suggestion of", "perhaps", "maybe", "potential(?:ly)?", "conceivabl[ey]", "equivocal", "favou?r(?:s|ed|ing)?", "borderline",
            "less likely(?: to (?:be|represent|reflect))?", "unlikely(?: to (?:be|represent|reflect))?", "versus", r"vs\.?",
            "differential(?: diagnos[ie]s)?(?: (?:considerations?|possibilities))?(?: (?:would|could|may))?(?: (?:includ(?:es?|ing)|is))?", "ddx",
            "consider(?:ation|ations)?(?: (?:of|for|would include|include|includes))?", "rule out", "r/o", "(?:evaluate|assess|assessment|evaluation) for",
            rf"correlat\w+ {up_to(1)}for(?: (?:signs?|symptoms?|evidence) of)?", rf"correlat\w+ {up_to(4)}(?:signs?|symptoms?) of", "if there is",
            "rais(?:es?|ing) (?:the )?(?:question|possibility|concern|suspicion)(?: (?:of|for))?",
        ),
    ),
)  # fmt: skip

# A word that begins a new statement: ", stable cardiomegaly" behind "no pneumothorax" is not denied. Sizes and sides do
# so too, unless an "or" shows that the list goes on: "no consolidation, left effusion or pneumothorax".
_MEASURE = (
    r"(?:mild(?:ly)?|moderate(?:ly)?|small|minimal(?:ly)?|trace|tiny|slight(?:ly)?|right|left|bilateral|bibasilar)"
)
_TURN = r"(?:stable|unchanged|persist\w*|improv\w+|increas\w+|decreas\w+|worsen\w+|similar|chronic|again|recurrent|residual|enlarging|developing|interval|resolving|marked(?:ly)?|extensive|severe)"
_ORGAN = "(?:heart|lungs|cardiac (?:silhouette|size|contour)|mediastinum|mediastinal contour)"
_OPENER = "(?:there|the|this|these|it|also|status|post|which|with|likely|consistent|compatible)"
CUT = re.compile(
    "|".join(
        spaced(word)
        for word in (
            r"\b(?:but|however|although|though|except(?: for)?|otherwise|while|whereas|yet|nevertheless|aside from|apart from|other than|besides|in addition)\b",
            r"\b(?:which|there (?:is|are|has|have|was|were)|given|since|despite|because|following|after|in the setting of)\b",
            r"\b(?:overlying|superimposed (?:on|upon)|adjacent to|obscur(?:ing|ed by)|status post|s/p|compared (?:to|with)|due to|secondary to|related to)\b",
            r"(?<!consistent\s)(?<!compatible\s)(?<!keeping\s)(?<!associated\s)\bwith\b(?! respect)",
            r"\b(?:and )?(?:re)?(?:placement|insertion) of\b",
            r"\blikely (?:represent\w*|reflect\w*|due|related|secondary)\b",
            r"[;:()]",
            r" [-–—]+ ",
            rf",\s*(?:and )?(?=(?:{_TURN}|{_OPENER})\b)",
            rf",\s*(?:and )?(?=(?:{_MEASURE}|{_ORGAN})\b)(?![^.;]*\b(?:or|nor)\b)",
            rf"\band (?=(?:{_TURN}|{_MEASURE}|there|the)\b)",
            rf"\b(?:is|are|was|were) (?:now |again |currently )?{_SEEN}\b",
        )
    ),
    re.IGNORECASE,
)  # fmt: skip


# Words that the reference labeler doubts and a reader does not.
_REFERENCE_DOUBTS: tuple[tuple[Cue, re.Pattern[str]], ...] = (
    (Cue.DOUBT_AHEAD, any_of("secondary to", "obscuring")),
    (Cue.DOUBT_BEHIND, any_of("(?:is|are) obscured", "(?:poorly|incompletely) evaluated")),
)


def find_cues(sentence: str, convention: Convention) -> list[CueSpot]:
    """Cues in order of appearance."""
    taken: list[CueSpot] = []
    for cue, pattern in _TABLE if convention == "clinical" else _TABLE + _REFERENCE_DOUBTS:
        for match in pattern.finditer(sentence):
            if not any(match.start() < other.end and other.start < match.end() for other in taken):
                taken.append(CueSpot(cue, match.start(), match.end(), match[0].strip()))
    return sorted(taken, key=lambda spot: spot.start)
