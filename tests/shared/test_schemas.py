import pytest
from pydantic import BaseModel, ValidationError

from shared.labels import LABELS
from shared.schemas import images, retrieve, search, system, text

MODELS = [
    model
    for module in (images, retrieve, search, system, text)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.model_config.get("json_schema_extra")
]


def test_there_are_14_labels_in_alphabetical_order():
    assert len(LABELS) == 14
    assert list(LABELS) == sorted(LABELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_example_is_valid(model):
    for example in model.model_config["json_schema_extra"]["examples"]:
        model.model_validate(example)


def test_retrieve_takes_one_impression_or_several_but_not_both():
    assert retrieve.RetrieveRequest(impression=" Edema. ").texts() == [" Edema. "]  # offsets are of the text as sent
    assert retrieve.RetrieveRequest(impressions=["a", "b"]).texts() == ["a", "b"]
    for wrong in ({}, {"impression": "a", "impressions": ["b"]}, {"impression": " "}, {"impressions": []}):
        with pytest.raises(ValidationError):
            retrieve.RetrieveRequest(**wrong)


def test_label_names_weigh_one_each():
    assert search.SearchRequest(labels=["Edema"]).weights() == {"Edema": 1.0}
    assert search.SearchRequest(labels={"Edema": 0.5}).weights() == {"Edema": 0.5}


def test_classification_without_all_labels_is_refused():
    states = {"present": 0.1, "uncertain": 0.1, "absent": 0.7, "not_mentioned": 0.1}
    result = text.LabelResult(probability=0.1, state="absent", state_probabilities=states, threshold=0.5)
    with pytest.raises(ValidationError, match="Support Devices"):
        text.Classification(labels=dict.fromkeys(LABELS[:-1], result))


@pytest.mark.parametrize(
    "states", [{"present": 1}, {"present": 1.5, "uncertain": 0, "absent": 0, "not_mentioned": 0}, None]
)
def test_a_label_result_holds_the_probability_of_each_of_the_four_states(states):
    with pytest.raises(ValidationError, match="state_probabilities"):
        text.LabelResult(probability=1, state="present", state_probabilities=states, threshold=0.5)


@pytest.mark.parametrize("image_id", ["1.2.840.113619", "patient00001:study1:view1_frontal", "a"])
def test_image_id_takes_uids_and_path_like_names(image_id):
    record = {"probabilities": {}, "metadata": {}, "content_sha256": "", "weights_sha256": "", "generation": 1}
    assert images.ImageRecord(image_id=image_id, **record).image_id == image_id


@pytest.mark.parametrize("image_id", ["", "../etc/passwd", "a/b", ".hidden", "x" * 129, "a b", "ä"])
def test_image_id_refuses_what_could_be_a_path(image_id):
    with pytest.raises(ValidationError):
        images.ImageRecord(
            image_id=image_id, probabilities={}, metadata={}, content_sha256="", weights_sha256="", generation=1
        )
