import pytest

from services.text_classifier.examples.chexpert.names import name_of

KEY = "train/patient00001/study1/view1_frontal"


@pytest.mark.parametrize(
    "path",
    [
        f"CheXpert-v1.0/{KEY}.jpg",
        f"CheXpert-v1.0-small/{KEY}.jpg",
        f"{KEY}.png",
        f"PNG/{KEY}.png",
        f" /data/train/valid/{KEY}.dcm",
        KEY,
    ],
)
def test_an_image_is_known_behind_any_folder_and_with_any_ending(path):
    name = name_of(path)
    assert name is not None
    assert (name.key, name.patient) == (KEY, "patient00001")


@pytest.mark.parametrize("path", ["", "patient00001/study1/view1_frontal.jpg", "retrain/patient1/a.jpg", "train/a.jpg"])
def test_what_has_no_set_or_no_patient_is_no_such_name(path):
    assert name_of(path) is None
