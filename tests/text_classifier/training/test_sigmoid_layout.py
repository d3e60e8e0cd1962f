"""The original project's checkpoint, through torch as it is and through ONNX Runtime once exported."""

import httpx
import numpy as np
import pytest

from services.text_classifier.app import create_app
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import TextClassifierSettings
from shared.labels import LABELS

pytestmark = pytest.mark.slow

torch = pytest.importorskip("torch")
TEXTS = ["Mild cardiomegaly and left effusion. No pneumothorax.", "lungs clear", "edema. " * 100]


@pytest.fixture(scope="module")
def from_checkpoint(sigmoid_folder) -> TextClassifier:
    return TextClassifier.open(sigmoid_folder, device="cpu", threads=1)


def probabilities(classifier: TextClassifier) -> np.ndarray:
    results = classifier.classify([classifier.read(text) for text in TEXTS])
    return np.array([[result.labels[label].probability for label in LABELS] for result in results])


def test_a_checkpoint_answers_as_its_own_library_does(sigmoid_folder, from_checkpoint) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(sigmoid_folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(sigmoid_folder)
    with torch.inference_mode():
        expected = [model(**tokenizer(text, return_tensors="pt")).logits.sigmoid()[0].numpy() for text in TEXTS[:2]]
    np.testing.assert_allclose(probabilities(from_checkpoint)[:2], np.stack(expected), atol=2e-6)


def test_an_exported_checkpoint_answers_alike_without_torch(sigmoid_folder, from_checkpoint, tmp_path) -> None:
    from services.text_classifier.training.export import export_checkpoint

    assert export_checkpoint(sigmoid_folder, tmp_path) < 1e-4
    exported = TextClassifier.open(tmp_path, device="cpu", threads=1)
    assert exported.info.engine == "onnxruntime"
    # Half precision weights move a probability a little; classifier weights of this size more than real ones.
    np.testing.assert_allclose(probabilities(exported), probabilities(from_checkpoint), atol=0.02)


async def test_the_original_projects_folder_is_served(sigmoid_folder) -> None:
    app = create_app(TextClassifierSettings(text_model=sigmoid_folder, device="cpu", threads=1))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://text") as client,
    ):
        body = {"impressions": TEXTS, "evidence": True}
        response = await client.post("/v1/classify", json=body)
    assert response.status_code == 200
    answer = response.json()
    assert answer["model"]["engine"] == "torch"
    found = {entry["state"] for result in answer["results"] for entry in result["labels"].values()}
    assert found == {"present", "not_mentioned"}
    for result in answer["results"]:
        for entry in result["labels"].values():
            present = entry["probability"]
            assert entry["state_probabilities"] == {
                "present": present,
                "uncertain": 0,
                "absent": 0,
                "not_mentioned": pytest.approx(1 - present, abs=1e-9),
            }
