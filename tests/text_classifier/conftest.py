"""A classifier whose model is a small program, so that tests know what it must answer; and the bundled one."""

import json
from pathlib import Path

import numpy as np
import pytest

from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.model_folder import read_model_folder
from services.text_classifier.settings import BUNDLED_MODEL
from shared.labels import LABELS

WORDS = (
    "no possible mild small left right and or with . , ; 1 2 effusion pneumothorax edema heart lungs clear stable "
    "cardiomegaly is present"
)
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *"abcdefghijklmnopqrstuvwxyz"]
VOCABULARY += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
FINDINGS = {"effusion": "Pleural Effusion", "pneumothorax": "Pneumothorax", "edema": "Edema"}


class WordSession:
    """States a finding present, uncertain behind `possible`, absent behind `no`, up to the next full stop.

    No Finding is present where nothing else is present or uncertain. Attention lies on the finding's own word.
    """

    engine = "onnxruntime"
    device = "cpu"
    cores = 1
    weights_sha256 = "0" * 64

    def __init__(self) -> None:
        self.runs: list[tuple[int, int]] = []

    def run(self, inputs, *, crowded=False):
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        self.runs.append(ids.shape)
        logits = np.zeros((*ids.shape[:1], 14, 4), np.float32)
        logits[..., 3] = 6
        attention = np.full((ids.shape[0], 14, ids.shape[1]), 1e-3, np.float32)
        for row, (line, seen) in enumerate(zip(ids, mask, strict=True)):
            states = self._read([VOCABULARY[i] for i in line[seen == 1]], attention[row])
            for position, state in states.items():
                logits[row, position, state] = 12
            if not any(state in (0, 1) for state in states.values()):
                logits[row, LABELS.index("No Finding"), 0] = 12
        return {"logits": logits, "attention": attention}

    def _read(self, words, attention):
        states: dict[int, int] = {}
        state = 0
        for at, word in enumerate(words):
            state = {"no": 2, "possible": 1, ".": 0, "[SEP]": 0}.get(word, state)
            if word in FINDINGS:
                position = LABELS.index(FINDINGS[word])
                states[position] = min(state, states.get(position, 3))
                attention[position, at] = 1
        return states


@pytest.fixture
def word_folder(tmp_path: Path) -> Path:
    """A model folder for WordSession, with a window of 32 tokens."""
    config = {"name": "words", "version": "1", "outputs": "states", "window": 32, "labels": list(LABELS)}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY))
    return tmp_path


@pytest.fixture
def word_session() -> WordSession:
    return WordSession()


@pytest.fixture
def words(word_folder: Path, word_session: WordSession) -> TextClassifier:
    return TextClassifier(read_model_folder(word_folder), word_session)


@pytest.fixture(scope="session")
def bundled() -> TextClassifier:
    return TextClassifier.open(BUNDLED_MODEL, device="cpu", threads=1)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with random weights in the layout of Bio_ClinicalBERT's folder: config.json, vocab.txt and weights."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny-bert")
    BertForMaskedLM(tiny_config(BertConfig)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    return folder


@pytest.fixture(scope="session")
def sigmoid_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The original project's layout: a sequence classifier with 14 sigmoid outputs, as `save_pretrained` writes it."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("sigmoid")
    config = tiny_config(BertConfig, num_labels=14, problem_type="multi_label_classification")
    model = BertForSequenceClassification(config)
    torch.nn.init.normal_(model.classifier.weight, std=3)  # else every output is one half
    model.save_pretrained(folder)
    (folder / "vocabulary.txt").write_text("\n".join(VOCABULARY))
    BertTokenizerFast(vocab=str(folder / "vocabulary.txt")).save_pretrained(folder)
    (folder / "vocabulary.txt").unlink()
    return folder


def tiny_config(config_class, **options):
    return config_class(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        **options,
    )
