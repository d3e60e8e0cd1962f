"""The table of the words that deny, doubt or qualify a mention."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import re

from services.text_classifier.rules.cue import Cue, CueSpot
from services.text_classifier.rules.cuts import SEEN
from services.text_classifier.rules.lexicon import Convention
from services.text_classifier.rules.patterns import any_of, several, up_to

_BE = "(?:is|are|was|were|be|been|being|has|have|had|appears?|remains?)"
_MODAL = "(?:may|might|could|would|can)"
_CANNOT = r"(?:can\s?not|can't|could not|not|difficult to|hard to|unable to|impossible to)"
_WHOLLY = several(
    "completely?",
    "entirely",
    "definitely",
    "totally",
    "reliably",
    "fully",
    "to",
    "be",
    "been",
    "yet",
    "confidently",
    "absolutely",
    "safely",
    "certainly",
)
_PRIOR = "(?:prior|previous|earlier|old|older|last|preceding|outside|comparison)"
_FILM = "(?:films?|stud(?:y|ies)|exam\\w*|radiographs?|x-?rays?|images?|ct)"
_ANATOMY_CLEAR = "(?:clear|sharp|normal|unremarkable|expanded|none|gone|resolved|absent)"
# "... ; today the angles are sharp": what an earlier film showed is over.
_NOW_CLEAR = rf"(?=[^.]*\b(?:(?:now|today|currently)\b[^.]*\b{_ANATOMY_CLEAR}|{_ANATOMY_CLEAR} (?:[\w-]+ ){{0,3}}(?:now|today))\b)"
_PARTLY = "(?:near(?:ly)?|almost|all but|virtual(?:ly)?|partial(?:ly)?|incomplete(?:ly)?|large(?:ly)?|mostly|some|not complete(?:ly)?|substantial(?:ly)?|considerabl[ey]|significant(?:ly)?|marked(?:ly)?|moderate(?:ly)?|mild(?:ly)?|minimal(?:ly)?|slight(?:ly)?|further|continued|ongoing|progressive|gradual(?:ly)?)"
_SHADE = "(?:mild|moderate|severe|small|large|tiny|trace|minimal|marked|frank|overt|gross|focal|true|acute|new|old|left|right|bilateral|apical|basilar|bibasilar|dense|patchy|hazy|enlarged|big|definite|significant)"
_QUALITY = "(?:significant|appreciable|interval|substantial|definite|obvious|overt|major|gross|large|acute|convincing)"
_EVIDENCE = several("evidence", "signs?", "indication", "findings?", "development", "focus", "areas?", "suggestion", "radiographic", "plain", "film",
                    "convincing", "definite", "obvious", "specific", "x-?ray", "interval", "current", "clear", "secondary", "discrete")  # fmt: skip
_CHANGE = "(?:changed?|changes|increased?|increases|progression|progressed|worsening|worsened|enlargement|enlarging|improvement|improved|difference|decreased?|growth|migration|displacement|kinking|complication|complicating)"
_NO_NEW = r"no (?:definite(?:ly)? |evidence (?:of|for) (?:a )?)?new(?: (?:area|focus|region)s? of)?"
_END = r"(?=\s*(?:[.,;)]|$|(?:and|but|at|in|given|on|with|as|although|however|though|based|if)\b))"

# Where two cues overlap, the one listed first stands: "cannot exclude" hides the "exclude" in it, "no change in" its "no".
_TABLE: tuple[tuple[Cue, re.Pattern[str]], ...] = (
    # The fields of a template: "Effusion: none", "Pneumothorax (no)", "Pneumonia: possible".
    (
        Cue.DENY_BEHIND,
        re.compile(
            r"(?:[:=?]|\s[-–])\s*(?:none|no|absent|negative|nil|not|n|resolved|cleared|gone)\b(?:\s+(?:seen|identified|present|noted|visible|detected|evident|evidence))?(?=\s*(?:[.;,\n]|$)|\s+[a-z][\w /-]{2,30}:)|\(\s*(?:no|none|absent|negative|nil|-)\s*\)",
            re.IGNORECASE,
        ),
    ),
    (
        Cue.DOUBT_BEHIND,
        re.compile(
            r"(?:[:=]|\s[-–])\s*(?:possibl[ey]|probabl[ey]|questionable|suspected|equivocal|uncertain|(?:can\s?not be|not) (?:excluded|ruled out)|\?)(?=\s*(?:[.;,\n]|$))",
            re.IGNORECASE,
        ),
    ),
    (
        Cue.NEUTRAL,
        any_of(
            rf"(?:no|without|not|little|minimal) {several('evidence of', 'evidence for', _QUALITY, 'other', 'further', 'short term', 'in')}{_CHANGE}(?: (?:in|of|from|since)(?: the)?)?",
            rf"not {several(_QUALITY + 'ly', 'much', 'yet')}(?:changed?|increased|decreased|improved|only|fully|completely|entirely|yet|resolved)(?! exclude| rule| without)",
            rf"{_PARTLY}(?:[ -](?:complete(?:ly)?|total(?:ly)?))?(?: interval)? (?:resolution|resolved|clearing|cleared|gone|disappeared)(?: of)?",
            r"(?:not|no longer|never) (?:(?:entirely|completely|fully) )?(?:free|clear) (?:of|from)", "(?:not|never) (?:(?:entirely|completely|quite) )?without", "no absence of", "(?:has|have) not (?:significantly |further )?enlarged",
            "(?:no (?:reason|cause|need) to|do not|without|beyond|no) (?:an? )?doubt(?: (?:about|of|that|as to))?", "(?:not (?:true|correct|the case)|wrong|incorrect|misleading|false)(?: to (?:say|state))? (?:that )?there (?:is|are) no",
            "(?:is|are) not absent",
            "fail(?:s|ed|ing)? to (?:resolve|clear|improve|disappear)", "(?:not|never) (?:(?:appear|seem|yet|quite|been|to|have) )*(?:resolved?|cleared?|disappear(?:ed)?|gone)",
            "(?:without|no|not yet) (?:complete |full |interval |further )?(?:resolution|clearing)(?: of)?",
            "(?:document|ensure|confirm|assess|until|to|for|demonstrate|verify) (?:the )?(?:complete )?(?:resolution|clearing)(?: of)?",
            "no (?:prior|previous|comparison|priors|old|recent)(?! or)",
            "without (?:contrast|prior|previous)",
            "favou?red to (?:be|represent|reflect)",
            rf"not (?:well |clearly |definitely )?{SEEN} (?:on|in) (?:the |any )?{up_to(1)}(?:prior|previous|earlier|older|comparison|outside|recent)",
        ),
    ),
    # Doubts that hold a negation come before the negations.
    (
        Cue.DOUBT_BEHIND,
        any_of(
            rf"(?:(?:is|are|was|were|has|have) )?{_CANNOT} {_WHOLLY}(?:excluded|ruled out)",
            "(?:should|must|(?:(?:needs?|has|have|ought) )?to) be (?:excluded|ruled out)",
            rf"{_CANNOT} {_WHOLLY}(?:confirmed|verified|substantiated|proven)",
            "remains? (?:an? )?(?:\\w+ )?(?:possib(?:le|ility)|consideration|concern|suspected|questionable|uncertain)",
            "(?:is|are|would be|seems?|appears?) not (?:improbable|impossible|implausible|inconceivable|unlikely)", "(?:is|are|remains?) (?:uncertain|doubtful|in doubt|unclear|unproven)",
            r"(?:difficult|hard) to (?:evaluate|assess)(?=\s*(?:[.;,]|$))",
            rf"not (?:well|clearly|optimally|adequately|fully)[ -](?:{SEEN}|evaluated|assessed|defined|delineated|imaged)",
            "(?:poorly|incompletely|suboptimally) (?:visuali[sz]ed|seen)",
        ),
    ),
    (
        Cue.DOUBT_AHEAD,
        any_of(
            rf"{_CANNOT} {_WHOLLY}(?:exclude|rule out)(?: (?:the )?(?:possibility|presence) of)?",
            rf"{_CANNOT} (?:\w+ )?rule(?= (?:[\w-]+ ){{1,7}}out\b)",
            "(?:does|do|did) not (?:(?:entirely|completely|reliably|fully) )?(?:exclude|rule out)",
            r"(?:absence|exclusion|lack) of(?=[^.;]*\b(?:can\s?not|not|difficult|impossible)\b[^.;]*\b(?:assured?|guaranteed?|confirmed|certain|established|determined|possible|difficult|impossible|proven|made)\b)",
            rf"{_CANNOT} (?:be )?(?:say|said|stated?|certain|sure|confirm(?:ed)?|guaranteed?|assured?) (?:that )?(?:(?:there (?:is|are) )?no|{up_to(4)}(?:free|clear) of)",
            "(?:not |un)(?:clear|certain|sure) (?:that|whether|if) there (?:is|are)(?: no| an?)?",
            "to exclude",
        ),
    ),
    (
        Cue.DENY_BEHIND,
        any_of(
            rf"(?:{_BE} )?(?:no longer|not) {several('been', 'definite(?:ly)?', 'convincingly', 'currently', 'now', 'again', 'clearly', 'well', _BE)}{SEEN}",
            r"(?:is|are|was|were) absent", r"absent(?=\s*(?:[.;,]|$))", r"(?<!left\s)(?<!right\s)(?<!other\s)(?:is|are) not(?=\s*(?:[.;]|$))", r"no(?=\s*(?:[.;]|$))", "none (?:seen|identified|visible|present|noted)", "neither seen nor \\w+", rf"(?:(?:seen|visible|present|noted) )?on (?:the )?{_PRIOR} {_FILM},? (?:but )?not (?:on|in) (?:this|today|the (?:current|present))", rf"(?:can\s?not|could not) be {SEEN}", "(?:is|are) no more(?=\\s*(?:[.;,]|$))",
            r"(?:(?:is|are|has|have|now|been|completely|since) )*(?:gone|vanished)(?! up| down| from)", r"and not (?:seen|present) (?:now|today)",
            rf"(?:was|were) (?:present|seen|noted|visible) (?:only )?(?:on|in) (?:the |an? )?{_PRIOR} {_FILM},? but (?:is |are )?(?:not|no longer|absent)",
            rf"(?:(?:is|are|was|were|seen|visible|present|only) )+on (?:the )?{_PRIOR} {_FILM} (?:only|alone)", rf"(?:(?:is|are|was|were) )?(?:seen |visible |present |noted )?only (?:seen |visible |present |noted )?on (?:the )?{_PRIOR} {_FILM}",
            rf"(?:{_BE} )*(?:excluded|ruled out)(?! for)",
            "not enlarged",
            rf"{several('has', 'have', 'had', 'is', 'are', 'was', 'were', 'now', 'since', 'been', 'completely', 'apparently', 'essentially', 'intervally', 'interval', 'previously', 'subsequently', 'entirely', 'fully')}(?:resolved|cleared|disappeared)",
            "(?:with|shows?|showing|interval|complete|demonstrates?) (?:(?:complete|interval|apparent) )*(?:resolution|clearing)(?! of)",
        ),
    ),
    (
        Cue.DENY_AHEAD,
        any_of(
            "(?:resolution|clearing|disappearance|absence|lack) of",
            _NO_NEW,
            "clear of",
            "clear(?= (?:focal )?(?:airspace|infiltrat|consolid|effus))",  # dictation loses the "of"
            rf"(?:no|without|w/o|neither|nor|denies|never)(?: {_EVIDENCE}(?:of|for|to suggest))?",
            "(?:negative|neg|unremarkable) for", "nothing to (?:suggest|indicate)",
            "free (?:of|from)",
            "(?:rather than|instead of|as opposed to|excluding|excludes)", "(?:has|have) (?:ruled out|excluded)",
            rf"{_PRIOR} {_FILM} (?:\w+ )?(?:show\w*|demonstrat\w+|had|with|reveal\w*){_NOW_CLEAR}", rf"(?:{_FILM} (?:from \w+ )?(?:showing|with)){_NOW_CLEAR}",
            rf"(?:{_PRIOR} (?:week|month|night|year)|yesterday|previously|formerly) there (?:was|were){_NOW_CLEAR}",
            r"(?:apparent|what (?:looks like|appears to be|seems to be))(?= [^.;,]*\b(?:is|are|was|were|represents?|reflects?|due to)\b)",
            rf"(?:does|do|did|is|are|was|were) not {up_to(1)}(?:represent|show|suggest|demonstrate|reveal|reflect|indicate|have|see|identify|visualize|appreciate|suspicious|consistent|concerning|compatible|typical|characteristic)\w*",
            "not (?:suggestive|suspicious|consistent|concerning|compatible|typical|characteristic|due to|secondary to|related to)",
            rf"not (?:an? |any )?(?:(?:{_SHADE}|to|of|{up_to(1)}lobe) ){{0,4}}(?=(?:consolid|pneumon|edema|effus|infiltr|atelect|mass|infect|fract|pneumot|nodul|opaci|tumo|cardiomeg|haz|rib|pleural|pulmonary|interstitial|air ?space|alveolar|collaps|scar|widen|superimposed))",
        ),
    ),
    (
        Cue.GONE_AHEAD,
        any_of(
            "(?:removal|extraction|withdrawal|discontinuation) of",
            rf"removed(?= (?:the )?{up_to(2)}(?:line|tube|cathet|picc|drain|pace))",
        ),
    ),
    (Cue.GONE_BEHIND, any_of("(?:removed|removal|pulled(?! back| up)|withdrawn(?! (?:by|to|slightly|\\w+ cm|\\d))|discontinued|explanted|taken out|(?:is|are|has come|now) out)(?! of)")),
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
    (Cue.DENY_BEHIND, re.compile(r"[;,]\s*(?:but\s+)?now\s+(?:none|gone|absent|clear)\b", re.IGNORECASE)),
    (Cue.DOUBT_AHEAD, re.compile(r"\+\s?/\s?-")),
    (Cue.DOUBT_BEHIND, re.compile(r"\?(?=[\s.]*$|,)")),
    (Cue.DOUBT_AHEAD, re.compile(r"\?\s*(?=[a-z])", re.IGNORECASE)),
    (
        Cue.DOUBT_AHEAD,
        any_of(
            rf"{_MODAL} {several('also', 'all', 'simply', 'potentially', 'possibly', 'well', 'partially', 'in part', 'just', 'still', 'either', 'merely', 'partly', 'at least')}"
            r"(?:be|have|also|(?:represent|reflect|indicate|include|suggest|relate|result|account|correspond|signify|mimic|obscure|mask|contain|explain|harbor|simulate|imply|denote|cause)\w*)"
            rf"(?: {several('partially', 'partly', 'also', 'either', 'all', 'simply', 'at least', 'in part')}(?:due|secondary|related|attributable|attributed|caused|consistent|compatible|representative|indicative|suggestive|on the basis)(?: (?:to|with|by|of))?(?: (?:the )?presence of)?)?",
            "(?:possibly|probably|presumably|potentially|perhaps|maybe) (?:(?:due|secondary|related) to|with)", "doubtful", "doubt", "query", f"{_MODAL} (?:help )?(?:confirm|show|reveal)", "c/f", "possib(?:le|ly|ility of)", "probabl[ey]",
            "presum(?:ably|ed|e|ptive)", "questionabl[ey]", "question(?: of)?",
            "suspect(?:ed|s)?", "suspicious (?:for|of)", "suspicion(?: (?:for|of))?", "concern(?:ing)? (?:for|of)", "worrisome (?:for|of)",
            "suggestion of", "perhaps", "maybe", "potential(?:ly)?", "conceivabl[ey]", "equivocal", "favou?r(?:s|ed|ing)?", "borderline",
            "less likely(?: to (?:be|represent|reflect))?", "unlikely(?: to (?:be|represent|reflect))?", "versus", r"v(?:s\.?|(?=\.? [a-z]))",
            "differential(?: diagnos[ie]s)?(?: (?:considerations?|possibilities))?(?: (?:would|could|may))?(?: (?:includ(?:es?|ing)|is))?", "ddx",
            "consider(?:ation|ations)?(?: (?:of|for|would include|include|includes))?", "rule out", "r/o", "(?:evaluate|assess|assessment|evaluation) for",
            rf"correlat\w+ {up_to(1)}for(?: (?:signs?|symptoms?|evidence) of)?", rf"correlat\w+ {up_to(4)}(?:signs?|symptoms?) of", "if there is",
            "rais(?:es?|ing) (?:the )?(?:question|possibility|concern|suspicion)(?: (?:of|for))?",
        ),
    ),
)  # fmt: skip

# Words that the reference labeler doubts and a reader does not.
_REFERENCE_DOUBTS: tuple[tuple[Cue, re.Pattern[str]], ...] = (
    (Cue.DOUBT_AHEAD, any_of(_NO_NEW)),
    (Cue.DOUBT_AHEAD, any_of("secondary to", "obscuring")),
    (Cue.DOUBT_BEHIND, any_of("(?:is|are) obscured", "(?:poorly|incompletely) evaluated")),
)


def find_cues(sentence: str, convention: Convention) -> list[CueSpot]:
    """Cues in order of appearance."""
    taken: list[CueSpot] = []
    for cue, pattern in _TABLE if convention == "clinical" else _REFERENCE_DOUBTS + _TABLE:
        for match in pattern.finditer(sentence):
            if not any(match.start() < other.end and other.start < match.end() for other in taken):
                taken.append(CueSpot(cue, match.start(), match.end(), match[0].strip()))
    return sorted(taken, key=lambda spot: spot.start)
