"""Every row of the labeling rules, one sentence each."""

import pytest

from services.text_classifier.rules.labeler import find_mentions
from shared.labels import State
from tests.text_classifier.rules.shorthand import differences


@pytest.mark.parametrize(
    ("text", "shorthand"),
    [
        # doubt that holds a negation
        ("Cannot exclude pneumonia.", "pn?"),
        ("Underlying pneumonia cannot be excluded.", "pn?"),
        ("Pneumonia is not excluded.", "pn?"),
        ("Can not rule out small effusion.", "ef?"),
        ("No new consolidation.", "co-"),
        ("No new area of consolidation or effusion.", "co- ef-"),
        # denials
        ("No pneumothorax.", "px- nf+"),
        ("Lungs are free of consolidation.", "co- nf+"),
        ("Negative for pneumothorax.", "px- nf+"),
        ("Absence of edema.", "ed- nf+"),
        ("No evidence of pneumonia.", "pn- nf+"),
        ("No focus of consolidation.", "co- nf+"),
        ("Left pneumothorax has resolved.", "px- nf+"),
        ("The effusion has cleared.", "ef- nf+"),
        ("The right pneumothorax is no longer seen.", "px- nf+"),
        ("Pneumothorax is not visualized.", "px- nf+"),
        ("Opacity represents atelectasis rather than pneumonia.", "lo+ at+ pn-"),
        ("No opacity to suggest pneumonia.", "lo- pn- nf+"),
        ("No consolidation, effusion or pneumothorax.", "co- ef- px- nf+"),
        ("No pneumonia, pleural effusion, or edema.", "pn- ef- ed- nf+"),
        ("No pleural effusions or pneumothoraces.", "ef- px- nf+"),
        ("Resolution of the left pneumothorax.", "px- nf+"),
        # denials of change
        ("No change in right pleural effusion.", "ef+"),
        ("No significant interval change in cardiomegaly.", "ca+"),
        ("No increase in the pneumothorax.", "px+"),
        ("Effusion is not significantly changed.", "ef+"),
        ("Partial resolution of the left effusion.", "ef+"),
        ("Near complete resolution of edema.", "ed+"),
        # the heart and the mediastinum
        ("Heart size is normal.", "ca- nf+"),
        ("The heart is not enlarged.", "ca- nf+"),
        ("Normal heart size and mediastinal contours.", "ca- ec- nf+"),
        ("Heart and mediastinum are unremarkable.", "ca- ec- nf+"),
        ("Cardiac and mediastinal contours are within normal limits.", "ca- ec- nf+"),
        ("Heart size is at the upper limits of normal.", "ca- nf+"),
        ("Cardiac silhouette is stable.", "ca?"),
        ("Unchanged cardiomediastinal silhouette.", "ec?"),
        ("Cardiomediastinal silhouette is similar to prior.", "ec?"),
        ("Stable enlarged cardiac silhouette.", "ca+"),
        ("The heart is mildly enlarged.", "ca+"),
        ("Widened mediastinum.", "ec+"),
        ("Mediastinal widening.", "ec+"),
        ("Mild cardiomegaly is present.", "ca+"),
        ("Slight cardiomegaly.", "ca+"),
        ("Borderline cardiomegaly.", "ca?"),
        ("Borderline heart size.", "ca?"),
        ("Congestive heart failure.", "ed+ ca?"),
        ("Findings of CHF.", "ed+ ca?"),
        ("No evidence of congestive heart failure.", "ed- nf+"),
        ("Pulmonary vascular congestion.", "ed?"),
        ("Mild vascular prominence.", "ed?"),
        ("Indistinctness of the pulmonary vasculature.", "ed?"),
        ("No vascular congestion.", "ed- nf+"),
        # doubts
        ("Possible left lower lobe pneumonia.", "pn?"),
        ("Findings are suspicious for pneumonia.", "pn?"),
        ("Right basilar opacity concerning for pneumonia.", "lo+ pn?"),
        ("Questionable small right effusion.", "ef?"),
        ("Left effusion is suspected.", "ef?"),
        ("Right basilar opacity may represent atelectasis.", "lo+ at?"),
        ("Differential includes edema and infection.", "ed? pn?"),
        ("Opacity, less likely pneumonia.", "lo+ pn?"),
        ("Opacity likely representing atelectasis.", "lo+ at+"),
        ("Opacity consistent with pneumonia.", "lo+ pn+"),
        ("Right upper lobe mass is suspicious for carcinoma.", "ll+"),
        ("Atelectasis or pneumonia.", "at? pn?"),
        ("Left base atelectasis and/or consolidation.", "at? co?"),
        ("Bibasilar atelectasis/infiltrate.", "at? lo?"),
        ("Atelectasis versus early infiltrate.", "at? lo?"),
        ("Atelectasis, scarring, or pneumonia.", "at? lo? pn?"),
        # abnormal, no label
        ("Blunting of the left costophrenic angle.", ""),
        ("Emphysema.", ""),
        ("Calcified granuloma.", ""),
        ("Degenerative changes of the spine.", ""),
        ("No adenopathy.", "nf+"),
        # devices
        ("Right PICC line with tip in the SVC.", "sd+ nf+"),
        ("Interval removal of the left chest tube.", "sd- nf+"),
        ("The PICC line has been removed.", "sd- nf+"),
        ("Interval removal of PICC line. Endotracheal tube in place.", "sd+ nf+"),
        ("Sternotomy wires and surgical clips.", "nf+"),
        ("No pneumothorax following line placement.", "px- sd+ nf+"),
        ("Please call the physician to physician radiology consult line with questions.", ""),
        ("Platelike atelectasis.", "at+"),
        ("Portable chest. Kerley B lines.", "ed?"),
        # look-alikes
        ("Pericardial effusion.", ""),
        ("Massive pleural effusion.", "ef+"),
        ("Calcified nodule in the left apex.", ""),
        ("Noncalcified nodule in the left apex.", "ll+"),
        ("Apical pleural scarring.", "po+"),
        ("Pleuroparenchymal scarring.", "po+"),
        ("Asbestos plaques.", "po+"),
        ("Hydropneumothorax on the left.", "px+ ef+"),
        ("Pulmonary metastatic disease.", "ll+"),
        ("Cystic fibrosis.", ""),
        ("Healed rib fracture.", "fr+"),
        ("Nodular density in the left apex.", "ll+"),
        # scopes end
        ("No pleural effusion. Small pneumothorax.", "ef- px+"),
        ("No pneumothorax but small effusion.", "px- ef+"),
        ("No pneumothorax; stable cardiomegaly.", "px- ca+"),
        ("No pneumothorax, stable small effusion.", "px- ef+"),
        ("no pneumothorax and stable cardiomegaly", "px- ca+"),
        ("Pneumothorax resolved on the right, persistent on the left.", "px+"),
        ("Complete resolution of pneumothorax with reaccumulation of fluid.", "px- ef+"),
        ("1. no pneumothorax 2. small left effusion 3. picc line in place", "px- ef+ sd+"),
        ("No pneumothorax Stable cardiomegaly", "px- ca+"),
        ("no pleural effusion.small pneumothorax", "ef- px+"),
        ("XXXX opacity, XXXX atelectasis.", "lo+ at+"),
        ("", ""),
    ],
)
def test_rule_of_the_clinical_convention(text: str, shorthand: str) -> None:
    assert differences(text, shorthand) == {}


@pytest.mark.parametrize(
    ("text", "shorthand"),
    [
        ("1.STABLE RETROCARDIAC OPACITY, WHICH MAY REPRESENT ATELECTASIS OR CONSOLIDATION.", "lo+ at? co?"),
        ("Bibasilar opacities, atelectasis versus infiltrate.", "lo+ at?"),
        (
            "Residual opacities are likely atelectasis, however superimposed infection cannot be excluded.",
            "lo+ at+ pn?",
        ),
        ("No pneumothorax status post removal of the left-sided chest tube.", "px- sd- nf+"),
        ("Removal of the endotracheal tube and right internal jugular catheter.", "sd- nf+"),
        ("The tip of the feeding tube is not seen.", "sd+ nf+"),
        ("No acute fracture. Hardware intact.", "fr- sd+ nf+"),
        ("No hardware complication.", "sd+ nf+"),
        ("Right pleural effusion is decreased, but not completely resolved.", "ef+"),
        ("Interval decrease without complete resolution of the left effusion.", "ef+"),
        ("A 9 mm nodule, not seen on the prior examination.", "ll+"),
        ("Cardiomegaly, which is stable. No edema, effusion or consolidation.", "ca+ ed- ef- co-"),
        ("Effusions: none. Pneumothorax: none. Lines: right PICC.", "ef- px- sd+ nf+"),
        ("? pneumonia. Left effusion?", "pn? ef?"),
        ("Neither effusion nor pneumothorax is seen.", "ef- px- nf+"),
        ("No consolidation, left effusion or pneumothorax.", "co- ef- px- nf+"),
        ("No focal consolidation, lung mass, or acute fracture is seen.", "co- ll- fr- nf+"),
        ("No findings suspicious for pneumonia.", "pn- nf+"),
        ("No change in cardiomegaly or bilateral effusions.", "ca+ ef+"),
        ("Cardiomegaly versus pericardial effusion.", "ca?"),
        ("Consolidation, and edema would be difficult to exclude.", "co+ ed?"),
        ("Small effusion, atelectasis, or scarring.", "ef? at? lo?"),
        ("The cardiomediastinal contours, lungs, pleura and visualized upper abdomen are normal.", "ec- nf+"),
        ("Views of the chest show normal size and configuration of the cardiac silhouette.", "ca- nf+"),
        ("Stable and normal mediastinal contours.", "ec- nf+"),
        ("Heart size is upper normal to mildly enlarged.", "ca?"),
        ("Enlargement of the cardiac silhouette cannot be excluded. Surgical clips in the mediastinum.", "ca+"),
        ("Catheter tip projects over the cardiac silhouette.", "sd+ nf+"),
        ("No other nodules or masses.", "ll- nf+"),
        ("History of pneumonia. Clear lungs.", "nf+"),
        ("Residuals of prior granulomatous infection.", ""),
        ("Known breast carcinoma. Bone metastases.", ""),
        ("Fractured sternotomy wires.", "nf+"),
        ("The lungs are clear and there is no evidence of a\npleural effusion.\nSmall pneumothorax", "ef- px+"),
        ("no adenopathy\nslight scoliosis", ""),
        ("left pluerl efusion with atelctasis, nopneumothorax", "ef+ at+ px-"),
        ("wihtout evidnce of pnuemonia", "pn- nf+"),
        ("No ___ change in XXXX pulmonary edema.", "ed+"),
    ],
)
def test_report_as_radiologists_write_it(text: str, shorthand: str) -> None:
    assert differences(text, shorthand) == {}


@pytest.mark.parametrize(
    ("text", "shorthand"),
    [
        ("Mild cardiomegaly.", "ca?"),
        ("Moderate cardiomegaly.", "ca+"),
        ("Cystic fibrosis.", "po+"),
        ("Pulmonary metastatic disease.", "nf+"),
        ("Hydropneumothorax.", "px+"),
        ("Removal of the PICC line.", "sd+ nf+"),
        ("The chest tube has been removed.", "sd- nf+"),
        ("Opacity secondary to atelectasis.", "lo+ at?"),
        ("Possible congestive heart failure.", "ed? ca?"),
        ("Mediastinal contours as described.", "ec+"),
        ("Mediastinal widening.", "nf+"),
        ("Known adenopathy.", "nf+"),
        ("Prior granulomatous infection.", "pn+"),
    ],
)
def test_rule_of_the_reference_convention(text: str, shorthand: str) -> None:
    assert differences(text, shorthand, "reference") == {}


def test_mention_carries_its_place_and_cue() -> None:
    text = "1. Clear lungs. 2. No pleural effusion."
    (mention,) = find_mentions(text)
    assert text[mention.start : mention.end] == "effusion"
    assert (mention.label, mention.state, mention.cue) == ("Pleural Effusion", State.ABSENT, "No")
