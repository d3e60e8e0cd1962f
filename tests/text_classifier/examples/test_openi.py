"""The manual codes of Open-i, read as labels."""

from pathlib import Path

import pytest

from services.text_classifier.examples.openi import load_openi, problems_to_labels
from shared.labels import NO_FINDING, State


def test_code_says_present() -> None:
    states = problems_to_labels(["Opacity/lung/base/left/patchy", "Pleural Effusion/right/small"])
    present = {label for label, state in states.items() if state is State.PRESENT}
    assert present == {"Lung Opacity", "Pleural Effusion"}


def test_borderline_heart_is_uncertain_until_another_code_says_present() -> None:
    assert problems_to_labels(["Cardiomegaly/borderline"])["Cardiomegaly"] is State.UNCERTAIN
    assert problems_to_labels(["Cardiomegaly/mild", "Cardiac Shadow/borderline"])["Cardiomegaly"] is State.PRESENT


def test_scar_of_the_pleura_is_no_opacity() -> None:
    states = problems_to_labels(["Cicatrix/pleura/right"])
    assert states["Pleural Other"] is State.PRESENT
    assert states["Lung Opacity"] is State.NOT_MENTIONED


def test_normal_is_no_finding() -> None:
    assert problems_to_labels(["normal"])[NO_FINDING] is State.PRESENT


def test_reports_without_text_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "reports.csv"
    file.write_text(
        "uid,MeSH,Problems,image,indication,comparison,findings,impression\n"
        "1,normal,normal,,,,,Clear lungs.\n"
        "2,normal,normal,,,,,\n"
        "3,Nodule/lung;Mass,Nodule;Mass,,,,A nodule.,A mass.\n",
        encoding="utf-8",
    )
    first, second = load_openi(file)
    assert (first.uid, first.text) == ("1", "Clear lungs.")
    assert (second.problems, second.text) == (("Nodule/lung", "Mass"), "A nodule.\n\nA mass.")


def test_nodule_calcified_in_the_same_place_is_no_lesion() -> None:
    here = problems_to_labels(["Nodule/lung/lower lobe/right", "Calcinosis/lung/lower lobe/right/small"])
    elsewhere = problems_to_labels(["Nodule/lung/lower lobe/right", "Calcinosis/aorta"])
    assert here["Lung Lesion"] is State.NOT_MENTIONED
    assert elsewhere["Lung Lesion"] is State.PRESENT


def test_unknown_code_is_no_label() -> None:
    assert set(problems_to_labels(["Density/lung", "Made Up"]).values()) == {State.NOT_MENTIONED}


@pytest.mark.parametrize("code", ["Hydropneumothorax/left", "Hydropneumothorax"])
def test_hydropneumothorax_is_two_labels(code: str) -> None:
    states = problems_to_labels([code])
    assert states["Pneumothorax"] is states["Pleural Effusion"] is State.PRESENT
