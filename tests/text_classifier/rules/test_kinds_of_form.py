"""How a report is laid out: templates, lists, lines, headings, capitals, gaps and slips."""

import pytest

from tests.text_classifier.rules.shorthand import differences


@pytest.mark.parametrize(
    ("text", "shorthand"),
    [
        # fields of a template
        ("Pneumothorax: no\nEffusion: none\nEdema: yes", "px- ef- ed+"),
        ("Pleural effusion: negative. Consolidation: positive.", "ef- co+"),
        ("Fracture - none. Effusion - small left.", "fr- ef+"),
        ("Pneumothorax: absent\nPleural effusion: present", "px- ef+"),
        ("Effusion: nil. Edema: mild.", "ef- ed+"),
        ("Pneumothorax: not seen. Pneumonia: possible.", "px- pn?"),
        ("Nodules: none seen. Heart: normal.", "ll- ca- nf+"),
        ("Pneumothorax (no), effusion (yes)", "px- ef+"),
        ("EFFUSION: NONE\nPNEUMOTHORAX: NONE\nHEART SIZE: ENLARGED", "ef- px- ca+"),
        ("Effusion = none; pneumothorax = small right", "ef- px+"),
        ("Support devices: none.", "sd- nf+"),
        ("Lines and tubes: None. Effusion: None.", "sd- ef- nf+"),
        ("Pleura: small left effusion, no pneumothorax.", "ef+ px-"),
        ("Heart: not enlarged. Mediastinum: normal.", "ca- ec- nf+"),
        ("Effusion: no change", "ef+"),
        ("Pneumonia: cannot be excluded", "pn?"),
        # glued list numbers
        ("1.No effusion2.Mild edema3.Cardiomegaly", "ef- ed+ ca+"),
        ("1)no pneumothorax 2)large effusion", "px- ef+"),
        ("(1) No edema (2) Right effusion (3) Enlarged heart", "ed- ef+ ca+"),
        ("A) no effusion B) left base consolidation", "ef- co+"),
        ("i. no edema ii. left effusion", "ed- ef+"),
        ("- no effusion - cardiomegaly", "ef- ca+"),
        ("* No edema * Small effusion", "ed- ef+"),
        ("1 no edema\n2 small effusion", "ed- ef+"),
        # lines
        ("No effusion\nLeft nodule\nNo edema", "ef- ll+ ed-"),
        ("No pneumothorax\nPICC in place\nSmall effusion", "px- sd+ ef+"),
        ("No evidence of\npneumonia", "pn- nf+"),
        ("no pneumothorax\nfractures of the left ribs", "px- fr+"),
        # capitals
        ("NO EFFUSION. LARGE LEFT PNEUMOTHORAX.", "ef- px+"),
        ("CARDIOMEGALY WITHOUT EDEMA", "ca+ ed-"),
        ("PNEUMONIA CANNOT BE EXCLUDED. ETT IN PLACE.", "pn? sd+"),
        # slips
        ("smal left plueral effussion", "ef+"),
        ("no pnuemothorax, hart size is nromal", "px- ca- nf+"),
        ("bibasilar atelectsis and cardiomegally", "at+ ca+"),
        ("posible consoldiation", "co?"),
        ("no evidnece of odema or pnuemonia", "ed- pn- nf+"),
        ("stable cardiomegly wihtout edma", "ca+ ed-"),
        ("rib fractrue, no pneumothroax", "fr+ px-"),
        # history and indication
        ("Indication: pneumonia. Lungs are clear.", "nf+"),
        ("INDICATION: rule out pneumothorax\nIMPRESSION: Small left effusion.", "ef+"),
        ("Reason for study: CHF, effusion. Impression: No edema.", "ed- nf+"),
        ("History: lung cancer, pneumonia.\nNo edema.", "ed- nf+"),
        ("Hx of CHF. Clear lungs.", "nf+"),
        ("Clinical information: shortness of breath, ?pneumonia. Findings: left consolidation.", "co+"),
        ("Indication: fever. Left lower lobe pneumonia.", "pn+"),
        ("Patient with history of CHF and pneumonia. No effusion.", "ef- nf+"),
        ("Treated for pneumonia last month. Lungs are clear.", "nf+"),
        ("Impression: Pneumonia.", "pn+"),
        # comparison with a prior
        ("The previous radiograph showed edema; the lungs are clear today.", "ed- nf+"),
        ("Effusion on the prior study is not present now.", "ef- nf+"),
        ("Compared with the study showing pneumothorax, both lungs are now expanded.", "px- nf+"),
        ("The nodule seen previously is now larger.", "ll+"),
        ("Last week there was a left effusion; now none.", "ef- nf+"),
        ("Yesterday's pneumothorax is not seen.", "px- nf+"),
        ("The prior film showed a small effusion, which has increased.", "ef+"),
        ("Compared to the prior film, the effusion is larger.", "ef+"),
        ("Previously seen left effusion has increased.", "ef+"),
        ("Edema was present on the earlier film but not today.", "ed- nf+"),
        # gaps
        ("XXXX effusion is XXXX on the left. No XXXX edema.", "ef+ ed-"),
        ("Compared to ___, the ___ lobe consolidation has not changed.", "co+"),
        ("[**Name**] was told of the pneumothorax.", "px+"),
    ],
)
def test_form(text: str, shorthand: str) -> None:
    assert differences(text, shorthand) == {}


@pytest.mark.parametrize(
    "text",
    [
        "Stable.",
        "See above.",
        "Study not performed.",
        "Hello world",
        ".",
        "-",
        "Unchanged.",
        "Comparison: none.",
        "12345",
        "As above",
        "See report.",
        "History of CHF.",
        "Indication: pneumonia.",
        "No images available.",
        "Not done",
        "No prior.",
    ],
)
def test_no_finding_needs_a_statement_of_normality(text: str) -> None:
    assert differences(text, "") == {}


@pytest.mark.parametrize(
    "text",
    [
        "Normal.",
        "Normal chest.",
        "Negative.",
        "Unremarkable.",
        "Clear lungs.",
        "No acute disease.",
        "No abnormality.",
        "No acute cardiopulmonary process.",
        "Lungs are clear.",
        "No active disease.",
        "Within normal limits.",
        "WNL",
        "No significant findings.",
        "Nothing acute.",
        "No radiographic evidence of acute cardiopulmonary disease.",
        "lungs clear",
        "Chest without acute abnormality.",
        "Lungs are well aerated and clear.",
        "Healthy chest.",
        "No cause for cough identified.",
        "NAD",
        "Sternotomy wires.",
    ],
)
def test_no_finding_where_normality_is_stated(text: str) -> None:
    assert differences(text, "nf+") == {}
