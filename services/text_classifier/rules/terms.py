"""What counts as a mention of each observation, and the look-alikes that do not.

The stems are those of the CheXpert labeler (Irvin et al., AAAI 2019); the look-alikes and the terms marked `clinical`
are ours. A phrase is a pattern in the notation of `patterns`.
"""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

from services.text_classifier.rules.everyday import EVERYDAY_LOOK_ALIKES, EVERYDAY_TERMS
from services.text_classifier.rules.lexicon import Convention, Kind, Lexicon, LookAlike, Term
from services.text_classifier.rules.patterns import any_of, up_to

_NOT_OVER = r"(?<!over\sthe\s)(?<!overlying\sthe\s)(?<!in\sthe\s)(?<!behind\sthe\s)(?<!within\sthe\s)(?<!border\sof\sthe\s)(?<!on\sthe\s)"
_SHAPE = "(?:size|shadow|contours?|silhouettes?|configuration)"
_MEDIASTINAL_SHAPE = "(?:silhouettes?|contours?|configuration|width|borders?|size|structures?|shadow)"
_ONE_THING = r"(?:(?!(?:and|or|with|of)\b)[\w-]+ ){0,4}"  # the words of one noun phrase
_PLEURAL = "pleur(?:al|o)"

TERMS: tuple[Term, ...] = (
    Term("Atelectasis", Kind.FINDING, any_of(r"(?:micro)?atelecta\w*", rf"collapse[ds]?(?! (?:of )?{up_to(2)}(?:vertebr|disc))")),
    Term("Cardiomegaly", Kind.FINDING, any_of("cardiomegaly", "cardiac enlargement", r"enlarge(?:d|ment of the) heart(?!\ssize)")),
    Term("Cardiomegaly", Kind.ANATOMY, any_of(rf"{_NOT_OVER}(?:heart|cardiac) {_SHAPE}")),
    Term("Cardiomegaly", Kind.ANATOMY, any_of(rf"{_NOT_OVER}(?:heart|cardiac) and (?:cardio)?mediastinal {_SHAPE}"), "clinical"),
    Term("Cardiomegaly", Kind.ANATOMY, any_of(rf"(?<!over\s)(?<!overlying\s)(?<!in\s)the heart(?! (?:failure|{_SHAPE}))"), "reference"),
    Term(
        "Cardiomegaly",
        Kind.WEAK_ANATOMY,
        any_of(
            rf"{_NOT_OVER}(?<!left\s)(?<!right\s)heart(?! (?:failure|disease|borders?|valves?|rate|transplant|attack|catheter|surgery|sounds?|{_SHAPE}|and (?:cardio)?mediastinal {_SHAPE}))",
            "cardiac and(?= mediastinal)",
        ),
        "clinical",
    ),
    Term("Consolidation", Kind.FINDING, any_of(r"consolidat\w*")),
    Term("Edema", Kind.FINDING, any_of(r"o?edema(?:tous)?", "heart failure", "chf")),
    Term("Edema", Kind.FINDING, any_of("congestive (?:cardiac )?failure", r"(?<=for\s)failure", r"(?<=of\s)failure", r"(?<=no\s)failure", r"(?<=overt\s)failure"), "clinical"),
    Term(
        "Edema",
        Kind.SIGN,
        any_of(
            rf"(?:vascular|pulmonary|venous|central|interstitial|hilar) {up_to(1)}congestion", "congestion",
            "congestive (?:changes?|pattern|findings?)", "vascular(?:ity)? prominence", rf"prominence of (?:the )?{up_to(2)}vascul\w+",
            rf"indistinct(?:ness)?(?: {up_to(2)}vascul\w+)?",
        ),
    ),
    Term(
        "Edema",
        Kind.SIGN,
        any_of(
            rf"prominent {up_to(2)}vascul\w+", rf"vascul(?:ature|arity) (?:is|appears|remains) {up_to(1)}prominent",
            "vascular engorgement", rf"engorge\w+ (?:of )?(?:the )?{up_to(1)}vascul\w+",
        ),
        "clinical",
    ),
    Term(
        "Enlarged Cardiomediastinum",
        Kind.FINDING,
        any_of(rf"(?:widening|prominence|enlargement|fullness) of (?:the )?{up_to(2)}(?:cardio)?mediastin(?:um|al)"),
    ),
    Term("Enlarged Cardiomediastinum", Kind.FINDING, any_of("mediastinal (?:widening|prominence|enlargement|fullness)"), "clinical"),
    Term(
        "Enlarged Cardiomediastinum",
        Kind.ANATOMY,
        any_of(
            rf"{_NOT_OVER}(?:cardio-?)?mediastinum",
            rf"(?<!over\sthe\s)(?:cardio-?)?mediastinal (?:(?:and|or) {up_to(2)}|/\s*\w+ )?{_MEDIASTINAL_SHAPE}",
            rf"cardiomediastinal(?! (?:{_MEDIASTINAL_SHAPE}|and|or))",
        ),
    ),
    Term("Enlarged Cardiomediastinum", Kind.ANATOMY, any_of(r"(?<!mediastinal\s)contours?"), "reference"),
    Term("Fracture", Kind.FINDING, any_of("fracture[ds]?", "fx")),
    Term(
        "Lung Lesion",
        Kind.FINDING,
        any_of(
            "mass(?:es)?(?! effect)", "(?:micro)?nodules?", rf"nodular {up_to(1)}(?:densit|opaci|lesion)\w*", "lumps?", "cavitary lesions?",
            r"carcinoma\w*", r"neoplas\w+", "tumou?rs?",
        ),
    ),
    Term(
        "Lung Lesion",
        Kind.FINDING,
        any_of(
            "(?:lung|pulmonary|mass|cavitating|spiculated) lesions?", "(?:lung|bronchogenic|pulmonary) cancer",
            r"(?:lung|pulmonary|thoracic|intrathoracic|parenchymal) metast\w+(?: (?:disease|lesions?|foci))?",
            "metasta(?:tic (?:disease|lesions?|foci)|s[ei]s)(?! (?:to|in|of|involving) (?:the )?(?:bone|liver|spine|rib|brain|skeleton))",
        ),
        "clinical",
    ),
    Term(
        "Lung Opacity",
        Kind.FINDING,
        any_of(
            r"opaci(?:t|fi)\w*", "infiltrat(?:e|es|ion|ions)", r"air\s?-?\s?space (?:disease|process)", "interstitial (?:lung|markings?|patterns?|disease)",
            "reticul(?:ar|ation|ations|onodular)", "scar(?:s|ring|red)?", "(?:peribronchial|bronchial|bronchial wall|airway|wall) thickening",
            rf"increased {up_to(2)}densit(?:y|ies)", "decreased translucency",
        ),
    ),
    Term("Lung Opacity", Kind.FINDING, any_of(r"interstitial (?:\w+ ){1,2}(?:markings?|patterns?)"), "clinical"),
    Term("Pleural Effusion", Kind.FINDING, any_of("(?:hydro)?effusions?", "pleural fluid", "pleural(?= (?:or|and) pericardial effusions?)")),
    Term(
        "Pleural Effusion",
        Kind.FINDING,
        any_of(
            "hydro(?:pneumo)?thora(?:x|ces)", rf"(?:re-?)?accumulation of {up_to(1)}fluid", "fissural fluid",
            rf"fluid (?:in|within|along) the {up_to(2)}(?:fissures?|pleural space)",
        ),
        "clinical",
    ),
    Term(
        "Pleural Other",
        Kind.FINDING,
        any_of("pleural (?:and parenchymal |parenchymal )?(?:thickening|scar(?:s|ring)?)", "fibrothorax", "fibrosis",
               r"pleuro-?\s?(?:parenchymal|pericardial) scar(?:s|ring)?"),
    ),
    Term(
        "Pleural Other",
        Kind.FINDING,
        any_of(
            rf"{_PLEURAL}[\s-]*(?:pulmonary|parenchymal) {up_to(1)}(?:thickening|scar(?:s|ring)?)", rf"pleural(?:[ -]based)? {up_to(1)}plaques?",
            rf"asbestos(?:-related)? {up_to(1)}plaques?", rf"thicken(?:ing|ed) (?:of )?(?:the )?{up_to(2)}pleura",
            "(?:scarring|thickening) of the pleura", "pleural (?:capping|caps?)",
        ),
        "clinical",
    ),
    Term("Pneumonia", Kind.FINDING, any_of("(?:broncho)?pneumonias?", "infections?", "infectious(?: process(?:es)?| etiology)?")),
    Term("Pneumothorax", Kind.FINDING, any_of("(?:hydro|hemo)?pneumothora(?:x|xes|ces)", "ptx")),
    Term("Pneumothorax", Kind.FINDING, any_of("pleural air"), "clinical"),
    Term(
        "Support Devices",
        Kind.FINDING,
        any_of(
            r"lines?(?! (?:at \W*\d|of\b))",
            "picc", "tubes?", "catheters?", "pace(?:r|rs|maker|makers)(?: leads?)?", "pacing (?:wires?|leads?)", "a?icds?(?: leads?)?", r"defib\w*",
            "hardware", r"plates?(?!-?\s?(?:like|atelect))", "screws?", "drains?", "devices?", r"port(?:s|-?\s?a-?\s?caths?|acaths?)?(?! (?:of|views?|film))",
            "medi-?ports?", "stents?", "coils?", "cannulas?", r"arthroplast\w+", "equipment",
            rf"support(?:ive)? {up_to(1)}(?:devices?|apparatus|lines?|tubes?|hardware|equipment)",
        ),
    ),
    Term("Support Devices", Kind.FINDING, any_of("valves?", "support"), "reference"),
    Term(
        "Support Devices",
        Kind.FINDING,
        any_of(
            "valves?(?! (?:calcif|disease|stenosis|insufficiency|leaflet|plane))", r"swan(?:-?\s?ganz)?", "dobb?-?hoff", "tracheostomy", "iabp",
            "balloon pump", "[lr]?vad", "ett", "[no]gt", "loop recorder", "stimulators?", "(?:ivc|vena cava) filter", "prosthes[ei]s", rf"prosthetic(?! {up_to(1)}valve)",
            "(?:ventriculoperitoneal|vp) shunt", "cordis", "introducer", "impella",
        ),
        "clinical",
    ),
    Term(
        None,
        Kind.FINDING,
        any_of(
            r"emphysema\w*", r"blunt\w*", "density", "elevation", "eventration", "scoliosis", r"degenera\w*", r"calcifi\w*", "bronchospasm", "asthma",
            "hernia", "copd", "plaques?", "osteophytosis", "aortic disease", "bronchiolitis", "airways disease", "thickening", "cephalization",
            "aspiration", "bullae", r"hyper-?inflat\w*", "contusions?", r"atherosclero\w*", "osteopenia", "metastasis", r"granuloma\w*",
            "pneumomediastinum", "pneumoperitoneum", "cuffing", "irregular lucency", r"inflam\w*", "hypertension", r"prominen\w*", "kyphosis",
            "hyper-?expansion", "bullets?", "bronchitis", "volume loss", "deformity", "hemorrhage", "hematoma", "radiopaque", "arthropathy",
        ),
    ),
    Term(None, Kind.FINDING, any_of("fissures?", "thoracentesis", "tracheostomy", r"defib\w*"), "reference"),
    Term(
        None,
        Kind.FINDING,
        any_of(
            "densities", "elevated", r"\w*scolio\w+", r"calcific\w*", r"hyper-?expan\w+", r"hernia\w+", "obstructive", r"osteophyt\w+", "airway disease",
            "bull(?:a|ous)", "blebs?", r"osteopenic", r"osteoporo\w+", "lucenc(?:y|ies)", "kyphotic", r"bronchiecta\w+", "deformities",
            "(?:free|intraperitoneal) air", "pericardial effusions?", "tuberculosis", "(?:lymph)?adenopathy", r"aneurysm\w*", r"ectas\w+", "ectatic",
            r"tortuo\w+", "unfolded", "dissection", r"sarcoid\w*", r"spondyl\w+", "spurring", r"arthri\w+", r"dislocat\w+", r"metasta\w+", "lytic",
            "sclero(?:tic|sis)", "cysts?", "cystic fibrosis", "pectus", "pneumonitis", "pneumatocele", "abscess", "empyema", "hemothorax", "shift",
            "volume overload", "dilat(?:ed|ation)", "fibrotic", "lesions?", "compression", r"sequela\w*", "granulomatous",
        ),
        "clinical",
    ),
)  # fmt: skip

LOOK_ALIKES: tuple[LookAlike, ...] = (
    LookAlike("Edema", any_of("(?:tissue|subcutaneous|marrow|wall|ankle|pedal) edema")),
    LookAlike("Enlarged Cardiomediastinum", any_of("(?:in|over|overlying|within|behind) the (?:anterior|middle|posterior|superior|upper|left|right) mediastinum")),
    LookAlike("Pleural Effusion", any_of("(?:peri|endo)cardial effusions?", "(?:joint|knee|elbow|shoulder|suprapatellar) effusions?")),
    LookAlike("Lung Lesion", any_of(rf"(?<!non\s)(?<!non-)(?:calcified|calcific) {_ONE_THING}nodul\w+", rf"calcified {up_to(1)}mass", "body mass", r"breast mass\w*")),
    LookAlike("Lung Lesion", any_of(r"(?:bony|osseous|bone|skeletal|hepatic|liver|nodal|spinal|brain) metasta\w+",
                                  "(?:breast|renal|colon|esophageal|thyroid|prostate|ovarian|squamous cell|head and neck) (?:cell )?(?:carcinoma|cancer|neoplasm|tumor)s?"), "clinical"),
    LookAlike("Fracture", any_of(rf"fracture[ds]? of (?:the )?{up_to(3)}(?:wires?|leads?|catheters?|sternotomy)", rf"fractured {up_to(3)}(?:wires?|leads?|catheters?|sternotomy)",
                                 rf"(?:wires?|leads?|catheters?|sternotomy) {up_to(2)}fracture[ds]?"), "clinical"),
    LookAlike("Lung Opacity", any_of(r"pleural scar\w*")),
    LookAlike("Lung Opacity", any_of(r"pleur(?:al|o)[\s-]*(?:and )?(?:pulmonary|parenchymal) scar\w*"), "clinical"),
    LookAlike("Pleural Other", any_of("cystic fibrosis"), "clinical"),
    LookAlike("Pneumonia", any_of(r"granulomatous infections?", "(?:old|prior|previous|remote) infections?"), "clinical"),
    LookAlike(
        "Support Devices",
        any_of(
            r"physician\s*-?\s*to\s*-?\s*physician\b.*", r"sternotomy \w+", "surgical (?:clips?|staples?)", "eustachian tubes?",
            r"(?:kerley|kerley b|kerley-b|consult|consultation|fracture|pleural|lucent|suture|staple|joint|skin|mid|clavicular|midclavicular|phone|hair|fat|dense|fissure|septal|a|b|c)[ -]lines?",
            "in line", "support(?:s|ed|ing)? (?:the )?(?:diagnosis|impression)",
        ),
    ),
    LookAlike("Support Devices", any_of(rf"calcified {up_to(1)}valves?", "valvular"), "clinical"),
    LookAlike(None, any_of(r"bone densit\w+", r"soft tissue densit\w+")),
)  # fmt: skip

_LEXICONS: dict[Convention, Lexicon] = {
    "clinical": Lexicon(TERMS + EVERYDAY_TERMS, LOOK_ALIKES + EVERYDAY_LOOK_ALIKES, "clinical"),
    "reference": Lexicon(TERMS, LOOK_ALIKES, "reference"),
}


def lexicon(convention: Convention) -> Lexicon:
    return _LEXICONS[convention]
