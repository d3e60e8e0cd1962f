"""Doubt that holds a negation, doubt on one finding of two, advice and what is only supposed."""

import pytest

from tests.text_classifier.rules.shorthand import differences


@pytest.mark.parametrize(
    ("text", "shorthand"),
    [
        # not excluded
        ("Pneumonia has not been ruled out.", "pn?"),
        ("A rib fracture has not been excluded.", "fr?"),
        ("Not able to rule out a small effusion.", "ef?"),
        ("One cannot rule pneumonia out.", "pn?"),
        ("Pneumothorax is not entirely ruled out.", "px?"),
        ("Early pneumonia remains a possibility.", "pn?"),
        ("This does not exclude a pneumothorax.", "px?"),
        ("Underlying consolidation cannot be confidently excluded.", "co?"),
        ("Exclusion of a small pneumothorax is not possible.", "px?"),
        ("Impossible to exclude underlying pneumonia.", "pn?"),
        ("Small effusions would be hard to exclude.", "ef?"),
        # double negation
        ("The lungs are not free of infiltrates.", "lo+"),
        ("Left base not clear of consolidation.", "co+"),
        ("The effusion did not resolve.", "ef+"),
        ("Pneumonia is not improbable.", "pn?"),
        ("Cannot say that there is no effusion.", "ef?"),
        ("Absence of fracture cannot be guaranteed.", "fr?"),
        ("Infection is not impossible.", "pn?"),
        ("Pneumothorax is not absent.", "px+"),
        ("Not without a small effusion.", "ef+"),
        ("Edema has failed to clear.", "ed+"),
        ("The lungs are free of infiltrates.", "lo- nf+"),
        # on one finding only
        ("Small effusion, perhaps with atelectasis.", "ef+ at?"),
        ("Cardiomegaly and possible edema.", "ca+ ed?"),
        ("Possible edema with definite effusions.", "ed? ef+"),
        ("Right consolidation, probably with effusion.", "co+ ef?"),
        ("Edema with questionable effusions.", "ed+ ef?"),
        ("Questionable nodule. Cardiomegaly.", "ll? ca+"),
        ("Possible pneumonia and definite effusion.", "pn? ef+"),
        ("Possible effusion and atelectasis.", "ef? at?"),
        # strength
        ("Doubtful left effusion.", "ef?"),
        ("Findings may indicate early edema.", "ed?"),
        ("Query small left pneumothorax.", "px?"),
        ("Presence of a left effusion is uncertain.", "ef?"),
        ("Findings most consistent with edema.", "ed+"),
        ("Looks like pneumonia.", "pn+"),
        ("Effusion +/- atelectasis.", "ef+ at?"),
        # lists with a slash
        ("No effusion/edema/pneumothorax.", "ef- ed- px- nf+"),
        ("Edema v. infection.", "ed? pn?"),
        ("Edema vs infection.", "ed? pn?"),
        ("Left base atelectasis &/or pneumonia.", "at? pn?"),
        ("Either edema or infection.", "ed? pn?"),
        # advice
        ("Lungs are clear. CT if pneumonia is suspected clinically.", "nf+"),
        ("Normal chest. If there is clinical concern for rib fracture, dedicated views may be obtained.", "nf+"),
        ("No effusion. Should a pneumothorax develop, repeat the film.", "ef- nf+"),
        ("Left base pneumonia. Follow up to ensure clearing.", "pn+"),
        ("Effusion. If the effusion persists, consider CT.", "ef+"),
        ("Recommend CT to rule out a mass.", "ll?"),
        ("CT advised to exclude nodule.", "ll?"),
        ("Lungs are clear. Recommend chest tube placement.", "nf+"),
    ],
)
def test_doubt(text: str, shorthand: str) -> None:
    assert differences(text, shorthand) == {}
