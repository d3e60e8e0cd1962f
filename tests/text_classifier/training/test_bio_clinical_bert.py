"""Bio_ClinicalBERT at its real size, from its own folder layout through training and export to an answer."""

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from services.text_classifier.app import create_app
from services.text_classifier.examples.writer.corpus import generate
from services.text_classifier.settings import TextClassifierSettings
from services.text_classifier.training.__main__ import cli
from shared.labels import CHEXPERT_CODES, LABELS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(bio_clinical_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    codes = {state: "" if code is None else str(code) for state, code in CHEXPERT_CODES.items()}
    rows = [",".join(["impression", *LABELS])]
    rows += [
        ",".join([json.dumps(f"No {n}."), *(codes[text.states[label]] for label in LABELS)])
        for n, text in enumerate(generate(1, 40))
    ]
    (folder / "reports.csv").write_text("\n".join(rows))
    arguments = ["--base", str(bio_clinical_bert), "--csv", str(folder / "reports.csv"), "--out", str(folder / "model")]
    outcome = CliRunner().invoke(
        cli, ["train", *arguments, "--epochs", "1", "--batch-size", "16", "--max-tokens", "32"]
    )
    assert outcome.exit_code == 0, outcome.output
    return folder / "model"


async def test_a_model_of_its_size_is_trained_exported_and_served(trained: Path):
    app = create_app(TextClassifierSettings(text_model=trained, device="cpu"))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://text") as client,
    ):
        response = await client.post("/v1/classify", json={"impressions": ["Mild cardiomegaly is present."]})
    assert response.status_code == 200
    answer = response.json()
    assert set(answer["results"][0]["labels"]) == set(LABELS)
    assert answer["model"]["engine"] == "onnxruntime"
    weights = (trained / "model.safetensors").stat().st_size
    assert 210e6 < weights < 230e6  # 108 million parameters in half precision
