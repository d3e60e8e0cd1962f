"""Short forms, British and everyday words of the findings and devices, and texts that say nothing of a chest."""
# ruff: noqa: E501 - folded tables of phrases read worse than long ones

from collections.abc import Mapping

from shared.labels import LabelName

EVERYDAY: Mapping[LabelName, tuple[str, ...]] = {
    "Atelectasis": ("atx", "{lobe} atx", "bibasilar atx", "collapse", "collapsed {lobe}", "lobar collapse", "plate atelectasis", "postobstructive collapse"),
    "Cardiomegaly": ("cardiomeg", "enlarged heart", "big heart", "large heart", "enlarged cardiac silhouette"),
    "Consolidation": ("consolidation", "dense consolidation", "consolidative opacity", "consolidated {lobe}"),
    "Edema": ("oedema", "pulmonary oedema", "chf", "cardiac failure", "heart failure", "{degree} chf", "interstitial oedema", "alveolar oedema"),
    "Enlarged Cardiomediastinum": ("widened mediastinum", "wide mediastinum", "mediastinal enlargement"),
    "Fracture": ("fx", "rib fx", "{one_side} rib fxs", "broken rib", "broken ribs", "clavicle fracture", "vertebral fracture", "old fractures"),
    "Lung Lesion": ("mets", "lung mets", "tumour", "lung tumour", "coin lesion", "{mm} lesion {place}", "metastases in the lungs", "nodules", "lung cancer", "cavitating lesion", "mass lesion", "tumor"),
    "Lung Opacity": (
        "ggo", "ggos", "ground glass", "ground glass opacity", "ground-glass change", "haziness", "hazy {lobe} opacity", "hazy density", "patchy shadowing", "air space shadowing", "alveolar shadowing", "infil", "white-out", "white out of the {one_side} lung",
        "complete whiteout", "opaque {one_side} hemithorax", "interstitial shadowing", "fluffy shadows", "honeycombing", "opacs", "hazy {one_side} lung base", "reticular shadowing", "shadowing {place}", "airspace process",
    ),
    "Pleural Effusion": ("eff", "effs", "pl eff", "pl effs", "pleural eff", "{one_side} pl eff", "fluid in the pleural space", "pleural collection", "layering fluid in the {one_side} pleural space", "fluid in the fissure", "fissural fluid", "hydrothorax"),
    "Pleural Other": ("pleural plaques", "thickened pleura", "thickening of the pleura", "pleural plaque", "apical pleural cap"),
    "Pneumonia": ("pna", "pneumonic change", "infective change", "infective process", "{lobe} pna", "chest infection", "bronchopneumonia", "covid-19 pneumonia", "covid pneumonia", "viral pneumonia", "pneumonias"),
    "Pneumothorax": ("ptx", "{one_side} ptx", "apical ptx", "{size} {one_side} ptx", "pneumothoraces", "hydropneumothorax", "tiny apical ptx"),
}  # fmt: skip

DEVICES = (
    "ett", "et tube", "ngt", "ng tube", "ogt", "picc", "the picc", "r picc", "l ij cvl", "right ij line", "left ij", "cvl", "cvc", "central line", "ppm", "pacer", "pacemaker", "icd", "port", "mediport", "swan", "chest tube", "left chest tube", "right chest tube",
    "pigtail", "the right pigtail", "pigtail drain", "trach", "tracheostomy", "dialysis catheter", "hickman line", "permacath", "iabp", "the endotracheal tube", "the left chest tube", "the right picc", "the ng tube", "ecmo cannula", "feeding tube", "pleural drain", "the drain", "port-a-cath",
)  # fmt: skip

NOTHING = (
    ".", "-", "--", "n/a", "none", "nil", "?", "...", "___", "XXXX", "XXXX XXXX", "1.", "1. 2. 3.", "test", "testing", "stable", "unchanged", "stable appearance", "no change", "no interval change", "as above", "see above", "see below", "as before", "as described", "as dictated", "see report", "see findings",
    "same", "same as before", "no comment", "pending", "to follow", "report to follow", "awaiting prior films", "addendum", "addendum: none", "dictated but not read", "end of report", "no report", "not reported", "not performed", "study not performed", "exam not done", "study cancelled", "examination cancelled",
    "patient did not attend", "wrong patient", "duplicate order", "non-diagnostic study", "nondiagnostic", "technically inadequate", "image not available", "images not available for review", "no images", "limited study", "limited by rotation", "repeat film please", "please repeat", "follow up as clinically indicated",
    "clinical correlation recommended", "correlate clinically", "discussed with the team", "findings discussed with dr. ___", "called to the floor at ___", "please see separate ct report", "see ct report of the same day", "compared to ___", "comparison: none", "comparison is made with ___", "technique: portable ap",
    "single view of the chest", "two views of the chest", "pa and lateral chest", "portable chest radiograph", "portable ap upright", "chest x-ray", "cxr", "hello", "hello world", "good morning", "thank you", "thank you for this referral", "lorem ipsum dolor sit amet", "the quick brown fox jumps over the lazy dog", "asdf", "asdf qwer",
    "xyz", "abc", "foo bar", "blah blah", "12345", "2.5 cm", "3/4/2011", "10:45", "yes", "no", "ok", "okay", "done", "unknown", "null", "nan", "patient", "doctor", "left", "right", "left lung", "chest", "heart", "lungs", "ribs", "the weather is fine today", "please call me back tomorrow", "lunch is at noon", "my dog is brown",
    "where is the train station", "this is a test", "this sentence is about nothing", "invoice attached", "knee x-ray", "left hand, three views", "abdomen, single view", "mri of the brain", "derrame pleural izquierdo", "sin cambios", "radiografia de torax",
    "silueta cardiaca aumentada", "sin alteraciones", "pulmones sin alteraciones", "epanchement pleural gauche", "pas d'anomalie", "cardiomegalie moderee", "kein erguss", "stauung", "kein nachweis", "linksseitiger pleuraerguss", "versamento pleurico",
    "nessuna lesione", "cuore nei limiti", "polmoni espansi", "derrame a esquerda", "geen afwijkingen", "hart niet vergroot", "vocht rechts", "bez zmian", "incelenen akciger",
)  # fmt: skip
