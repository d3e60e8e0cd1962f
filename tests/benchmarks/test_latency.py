"""What the small bundled model saves against Bio_ClinicalBERT's architecture, on one impression of 40 words."""

import numpy as np
import pytest

from services.inference.session import open_session
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL

pytestmark = pytest.mark.benchmark

FORTY_WORDS = (
    "Moderate left pleural effusion with adjacent atelectasis, slightly increased since the prior study. Mild "
    "cardiomegaly is unchanged. No pneumothorax. Right internal jugular catheter ends in the superior vena cava. "
    "Possible early consolidation in the right lower lobe."
)


def test_bundled_model_against_bio_clinical_bert(side_by_side, bio_clinical_bert, tmp_path):
    from services.text_classifier.training.base import load_base
    from services.text_classifier.training.export import Description, export_network

    base = load_base(str(bio_clinical_bert))
    export_network(base.network, base.tokenizer, Description("bio", "1", window=512), tmp_path)
    small, large = (open_session(folder, device="cpu") for folder in (BUNDLED_MODEL, tmp_path))
    tokens = len(TextClassifier.open(BUNDLED_MODEL, device="cpu").read(FORTY_WORDS).tokens.ids) + 2
    inputs = {"input_ids": np.full((1, tokens), 7), "attention_mask": np.ones((1, tokens), np.int64)}
    assert small.run(inputs)["logits"].shape == large.run(inputs)["logits"].shape == (1, 14, 4)
    side_by_side(
        f"one impression of 40 words, {tokens} tokens: Bio_ClinicalBERT's architecture / bundled model",
        lambda: small.run(inputs),
        lambda: large.run(inputs),
    )
