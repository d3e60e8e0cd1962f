"""What people write beside the stems of `terms`: short forms, British words, everyday words; and their look-alikes.

All of it belongs to the clinical convention: the published labeler knows none of it.
"""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

from services.text_classifier.rules.lexicon import Kind, LookAlike, Term
from services.text_classifier.rules.patterns import any_of, up_to
from shared.labels import LabelName

_BONE = "(?:ribs?|clavicles?|collar-?bones?|bones?|humerus|sternum|scapula|vertebrae?)"
_ELSEWHERE = "(?:thyroid|adrenal|hepatic|liver|renal|kidney|breast|bone|bony|osseous|skin|splenic|spleen|axillary|neck|pancreatic|ovarian|abdominal|tissue|wall|subcutaneous|scalp|rib|vertebral)"
_LIMBS = "(?:legs?|limbs?|extremit(?:y|ies)|peripheral|facial|scalp|neck|skin|brain|cerebral|laryngeal|airway|body wall|dependent|periorbital|arms?|hands?|f(?:oo|ee)t|ankles?|bowel wall|breast|mucosal|subglottic)"
_LUNG_PLACE = "(?:lungs?|lobes?|lingula|apex|apices|bases?|hil(?:um|a)|zones?)"

_FINDINGS: tuple[tuple[LabelName | None, tuple[str, ...]], ...] = (
    ("Atelectasis", ("atx",)),
    ("Cardiomegaly", ("cardiomeg",)),
    ("Edema", ("cardiac failure", "(?:acute )?hf", r"(?<=in\s)failure", "(?:mild|moderate|severe|early|worsening|improving|acute|biventricular|frank|ventricular) failure")),
    ("Fracture", ("fxs", "cortical breaks?", rf"broken {up_to(3)}{_BONE}", rf"{_BONE} (?:is|are|appears?) broken")),
    (
        "Lung Lesion",
        (
            "mets", "(?:coin|mass-?like) lesions?", "masslike", "lung ca", rf"lesions? (?:in|within|at) (?:the )?{up_to(2)}{_LUNG_PLACE}",
            "(?:lobe|lobar|lung|apical|hilar|perihilar|cavitated) lesions?",
        ),
    ),
    (
        "Lung Opacity",
        (
            "opacs?", "alveolar (?:filling )?process(?:es)?", "infil(?:t|s)?", "shadowing", r"(?:air[\s-]?space|alveolar|patchy|fluffy|ill-defined|lung|pulmonary|interstitial) shadows?",
            r"(?:hazy|haziness|(?<!hilar\s)haze)(?! (?:margins?|outlines?|borders?|vessels?))", r"white?d?[\s-]?outs?", r"ground[\s-]?glass", "ggos?", r"crazy[\s-]paving",
            r"opaque (?:left |right )?(?:hemi-?thorax|lung)", r"(?:hemi-?thorax|lung) is (?:completely )?opaque", "honeycombing",
        ),
    ),
    ("Pleural Effusion", ("effs?", "pleural (?!air)(?:[\\w-]+ )?collections?", "(?:layering|loculated|subpulmonic) fluid",
                          rf"fluid (?:(?:layer|track|collect|extend)\w* )?(?:in|into|within|along) {up_to(3)}(?:fissures?|pleural (?:space|cavity)|costophrenic (?:angles?|sulcus|recess))")),
    ("Pneumonia", ("pnas?", r"(?:broncho)?pneumonic", "(?<!non-)infective(?: (?:changes?|process))?", "superinfections?")),
    ("Pneumothorax", ("ptxs", "haemo-?pneumothora(?:x|ces)", rf"air (?:in|within) {up_to(3)}pleural (?:space|cavity)")),
    (
        "Support Devices",
        (
            "pigtails?", "ppm", "cv[cl]s?", "piccs", "(?:ett|[no]gt)s", "ecmo", "intubated", "trach", "hickman", "perma?-?cath", "sheaths?",
            r"(?<=left\s)ij", r"(?<=right\s)ij", r"(?<=\b[lr]\s)ij",
        ),
    ),
    (None, ("ha?emothora(?:x|ces)", rf"enlarged {up_to(2)}nodes?", "nodes? (?:is|are|appears?) enlarged")),
)  # fmt: skip

EVERYDAY_TERMS: tuple[Term, ...] = (
    *(Term(label, Kind.FINDING, any_of(*phrases), "clinical") for label, phrases in _FINDINGS),
    Term("Cardiomegaly", Kind.ANATOMY, any_of(r"(?:cardio-?\s?thoracic|c/?t) ratio"), "clinical"),
    Term("Edema", Kind.SIGN, any_of("upper lobe (?:blood |venous )?diversion", r"kerley[\s-](?:[abc][\s-])?lines?", "septal lines"), "clinical"),
    Term("Support Devices", Kind.REMOVED, any_of(r"extubat\w+", r"decannulat\w+"), "clinical"),
)  # fmt: skip

_NO_MENTION: tuple[tuple[LabelName, tuple[str, ...]], ...] = (
    ("Edema", (rf"(?:{_LIMBS}|tissue|subcutaneous|marrow|wall|pedal) o?edema", rf"o?edema (?:of|in) (?:the )?{up_to(2)}(?:{_LIMBS}|walls?|tissues?)",
               "(?:respiratory|ventilatory|renal|kidney|hepatic|liver|organ|treatment|hardware|device) failure", "failure (?:of|to)")),
    ("Pleural Effusion", ("(?:hip|ankle|wrist|sternoclavicular|ear|subdural|bursal|synovial|glenohumeral) effusions?",
                          rf"effusions? (?:in|of) (?:the )?{up_to(1)}(?:knee|shoulder|elbow|hip|wrist|ankle|joint)")),
    (
        "Lung Lesion",
        (
            rf"{_ELSEWHERE} (?:mass(?:es)?|nodules?|tumou?rs?|mets|lesions?)", rf"(?:mass|nodule|tumou?r|lesion)s? (?:in|of) (?:the )?{up_to(1)}{_ELSEWHERE}",
            rf"nodul\w+ {up_to(8)}(?:is|are|represents?) (?:an? |the |likely |probably )*(?:nipples?|vessels?|artefacts?|artifacts?)",
            rf"nipple shadows? {up_to(2)}(?:simulat|mimic|resembl)\w+ {up_to(2)}nodules?",
        ),
    ),
    ("Lung Opacity", ("(?:nipple|breast|cardiac|heart) shadow(?:s|ing)?", rf"opacit\w+ {up_to(6)}(?:is|are|represents?) (?:an? |the )*nipples?")),
)  # fmt: skip

EVERYDAY_LOOK_ALIKES: tuple[LookAlike, ...] = tuple(
    LookAlike(label, any_of(*phrases), "clinical") for label, phrases in _NO_MENTION
)
