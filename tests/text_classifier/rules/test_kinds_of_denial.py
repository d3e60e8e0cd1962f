"""What is denied, what only looks denied, and where a denial ends."""

import pytest

from tests.text_classifier.rules.shorthand import differences


@pytest.mark.parametrize(
    ("text", "shorthand"),
    [
        # a change is denied, not the finding
        ("Left effusion is no better than yesterday.", "ef+"),
        ("Basilar atelectasis has not improved.", "at+"),
        ("No interval worsening of the pulmonary edema.", "ed+"),
        ("The right pneumothorax is not any larger.", "px+"),
        ("Without improvement of the left lower lobe consolidation.", "co+"),
        ("No substantial difference in the nodule.", "ll+"),
        ("No worsening, no effusion.", "ef- nf+"),
        # no new, further, residual
        ("No new nodule; the left nodule is unchanged.", "ll+"),
        ("No residual pneumothorax.", "px- nf+"),
        ("No additional fractures.", "fr- nf+"),
        ("No recurrent effusion.", "ef- nf+"),
        ("No underlying consolidation. Small effusion.", "co- ef+"),
        ("No further edema.", "ed- nf+"),
        ("Residual effusion on the left.", "ef+"),
        # resolved, cleared, gone
        ("The pneumothorax is gone.", "px- nf+"),
        ("Left pleural effusion has vanished.", "ef- nf+"),
        ("Edema, now resolved.", "ed- nf+"),
        ("Interval complete clearing of the left lower lobe pneumonia.", "pn- nf+"),
        ("Pneumonia has cleared and the lungs are normal.", "pn- nf+"),
        ("Opacities have all but cleared.", "lo+"),
        ("The effusion is almost gone.", "ef+"),
        ("Virtually complete resolution of the edema.", "ed+"),
        ("Substantial clearing of the right lung infiltrate.", "lo+"),
        ("Near-total resolution of the pneumothorax.", "px+"),
        ("Effusion has nearly resolved.", "ef+"),
        ("Resolving pneumonia.", "pn+"),
        ("Infiltrate has cleared, but atelectasis remains.", "lo- at+"),
        ("Pneumothorax has resolved, although the effusion persists.", "px- ef+"),
        ("Edema has resolved, persistent cardiomegaly.", "ed- ca+"),
        ("The lower lobe infiltrate seen last week is not visible today.", "lo- nf+"),
        # ruled out
        ("Pneumothorax has been ruled out.", "px- nf+"),
        ("Rib fracture was excluded.", "fr- nf+"),
        ("Pneumonia is effectively ruled out.", "pn- nf+"),
        ("CT has ruled out a pneumothorax.", "px- nf+"),
        ("This excludes a large effusion.", "ef- nf+"),
        # the scope of no over commas
        ("No consolidation, new left effusion, no pneumothorax.", "co- ef+ px-"),
        ("No pneumothorax, large right effusion, no edema or fracture.", "px- ef+ ed- fr-"),
        ("No effusion, no edema, cardiomegaly.", "ef- ed- ca+"),
        ("No pneumothorax, subtle left base infiltrate.", "px- lo+"),
        ("No fracture, multiple nodules in both lungs.", "fr- ll+"),
        ("No infiltrate, enlarged heart.", "lo- ca+"),
        ("No acute infiltrate, PICC in place, no effusion.", "lo- sd+ ef- nf+"),
        ("No edema, large effusion or pneumothorax.", "ed- ef- px- nf+"),
        ("No consolidation, effusion, pneumothorax.", "co- ef- px- nf+"),
        ("No edema, effusion, new consolidation, or pneumothorax.", "ed- ef- co- px- nf+"),
        ("Without effusion, the lungs show left base atelectasis.", "ef- at+"),
        ("No edema, there is a nodule.", "ed- ll+"),
        # run together
        ("no edema chest tube in place trace left pneumothorax", "ed- sd+ px+"),
        ("no fracture enlarged heart small effusions", "fr- ca+ ef+"),
        ("lungs clear no effusion old rib fracture", "ef- fr+"),
        ("no acute disease pacemaker in place", "sd+ nf+"),
        ("no infiltrate or effusion healing right clavicle fracture", "lo- ef- fr+"),
        ("no pneumothorax or large left effusion", "px- ef- nf+"),
        # one side against the other
        ("No effusion on the left, moderate one on the right.", "ef+"),
        ("No left pneumothorax, but there is one on the right.", "px+"),
        ("No effusion on the right; small on the left.", "ef+"),
        ("Effusion on the right but none on the left.", "ef+"),
        ("Pneumothorax on the left, not on the right.", "px+"),
        ("Consolidation has cleared on the right but not the left.", "co+"),
        ("Effusion absent on the right, small on the left.", "ef+"),
        ("No mass on the right, none on the left.", "ll- nf+"),
        ("No pneumothorax on the right or on the left.", "px- nf+"),
        ("No pneumothorax on the right, small effusion on the left.", "px- ef+"),
        ("Right effusion, none on the left.", "ef+"),
        # A, not B
        ("Findings represent edema and not pneumonia.", "ed+ pn-"),
        ("Scarring instead of a nodule.", "lo+ ll-"),
        ("This is edema as opposed to infection.", "ed+ pn-"),
        ("The lucency is a skin fold, not a pneumothorax.", "px-"),
        ("Apparent pneumothorax is a skin fold.", "px- nf+"),
        ("Not a pneumothorax but a skin fold.", "px- nf+"),
        ("This is pneumonia, not fully resolved.", "pn+"),
        # except
        ("No acute findings other than a small left effusion.", "ef+"),
        ("Lungs clear save for left base scarring.", "lo+"),
        ("Normal but for mild cardiomegaly.", "ca+"),
        ("Nothing acute aside from right base atelectasis.", "at+"),
        ("No effusion or edema except for trace fluid in the fissure.", "ef+ ed-"),
        ("Except for a small left effusion, no abnormality.", "ef+"),
        ("No pneumothorax except a tiny apical one.", "px+"),
        ("Apart from the left effusion there is no edema.", "ef+ ed-"),
        ("No abnormality outside of a left nodule.", "ll+"),
        ("Only abnormality is a small nodule.", "ll+"),
    ],
)
def test_denial(text: str, shorthand: str) -> None:
    assert differences(text, shorthand) == {}
