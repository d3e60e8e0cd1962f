"""The words at which the reach of a cue ends, since a new statement begins there."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

import re

from services.text_classifier.rules.patterns import spaced

SEEN = "(?:seen|identified|visuali[sz]ed|noted|present|evident|appreciated|demonstrated|detected|observed|apparent|found|recogni[sz]ed|shown|suggested|felt|visible)"
# A word that begins a new statement: ", stable cardiomegaly" behind "no pneumothorax" is not denied. Sizes and sides do
# so too, unless an "or" shows that the list goes on: "no consolidation, left effusion or pneumothorax".
_MEASURE = r"(?:mild(?:ly)?|moderate(?:ly)?|small|minimal(?:ly)?|trace|tiny|slight(?:ly)?|right|left|bilateral|bibasilar|large(?= (?:left|right|bilateral)| [^,.;]* (?:on|in) the (?:left|right)| [^,.;]*,\s*(?:and )?no\b)|new|subtle|multiple|several|enlarged|bilat|patchy|streaky|hazy|diffuse|scattered|healed|healing|old|remote|calcified|degenerative|sm|[lr])"
_TURN = r"(?:stable|unchanged|persist\w*|improv\w+|increas\w+|decreas\w+|worsen\w+|similar|chronic|again|recurrent|residual|enlarging|developing|interval|resolving|marked(?:ly)?|extensive|severe)"
_ORGAN = "(?:heart|lungs|cardiac (?:silhouette|size|contour)|mediastinum|mediastinal contour)"
_OPENER = "(?:there|only|just|the|this|these|it|also|status|post|which|with|likely|consistent|compatible)"
CUT = re.compile(
    "|".join(
        spaced(word)
        for word in (
            r"\b(?:but|however|although|though|except(?: for)?|otherwise|while|whereas|yet|nevertheless|aside from|apart from|other than|outside of|but for|save (?:for)?|with the exception of|besides|in addition)\b",
            r"\b(?:which|there (?:is|are|has|have|was|were)|given|since|despite|because|following|after|in the setting of)\b",
            r"\b(?:overlying|superimposed (?:on|upon)|adjacent to|obscur(?:ing|ed by)|status post|s/p|compared (?:to|with)|due to|secondary to|related to)\b",
            r"(?<!consistent\s)(?<!compatible\s)(?<!keeping\s)(?<!associated\s)\bwith\b(?! respect)",
            r"\b(?:and )?(?:re)?(?:placement|insertion) of\b",
            r"\blikely (?:represent\w*|reflect\w*|due|related|secondary)\b",
            r"[;:()]",
            r" [-–—]+ ",
            rf",\s*(?:and )?(?=(?:{_TURN}|{_OPENER})\b)",
            rf",\s*(?:and )?(?=(?:{_MEASURE}|{_ORGAN})\b)(?!(?:(?!\bno\b)[^.;])*\b(?:or|nor)\b)",
            rf"\band (?=(?:{_TURN}|{_MEASURE}|there|the|definite(?:ly)?|obvious)\b)",
            rf"\b(?:is|are|was|were) (?:now |again |currently )?{SEEN}\b",
        )
    ),
    re.IGNORECASE,
)  # fmt: skip
