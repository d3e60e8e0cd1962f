"""Training, calibration, export and serving of a tiny BERT, end to end; and the parts between."""

import json
import random

import numpy as np
import pytest
from rich.console import Console

from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.tokens import read_tokenizer
from shared.labels import LABELS

pytestmark = pytest.mark.slow

torch = pytest.importorskip("torch")

from services.text_classifier.examples.labelled import UNKNOWN, Example  # noqa: E402
from services.text_classifier.examples.sources import Parts, Sources  # noqa: E402
from services.text_classifier.network import build_torch  # noqa: E402
from services.text_classifier.training.augment import augmented  # noqa: E402
from services.text_classifier.training.base import load_base  # noqa: E402
from services.text_classifier.training.batches import BatchMaker  # noqa: E402
from services.text_classifier.training.checkpoint import Checkpoints  # noqa: E402
from services.text_classifier.training.finish import finish  # noqa: E402
from services.text_classifier.training.options import Options  # noqa: E402
from services.text_classifier.training.run import Run, state_loss  # noqa: E402
from services.text_classifier.training.train import train  # noqa: E402
from services.text_classifier.training.vocabulary import cut_embeddings, cut_vocabulary  # noqa: E402

EFFUSION = LABELS.index("Pleural Effusion")


@pytest.fixture(scope="module")
def labelled_csv(tmp_path_factory):
    """Effusions present, absent and uncertain, in a few words; the other labels unknown."""
    rng = random.Random(0)
    rows = ["impression,patient,Pleural Effusion"]
    for i in range(600):
        phrase, code = rng.choice([("small effusion", "1"), ("no effusion", "0"), ("possible effusion", "-1")])
        rows.append(f"{phrase} {rng.choice(['left', 'right', 'stable'])}. heart clear. {i % 10},p{i},{code}")
    file = tmp_path_factory.mktemp("csv") / "reports.csv"
    file.write_text("\n".join(rows))
    return file


@pytest.fixture(scope="module")
def trained_folder(tiny_bert, labelled_csv, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    sources = Sources(csv=[labelled_csv], patient_column="patient")
    options = Options(out, str(tiny_bert), sources, epochs=6, max_tokens=48, learning_rate=2e-3)
    finish(train(options), out, name="tiny", version="7", console=Console(quiet=True))
    return out


def test_a_bert_in_clinicalberts_layout_is_trained_exported_and_served(trained_folder) -> None:
    classifier = TextClassifier.open(trained_folder, device="cpu", threads=1)
    assert (classifier.info.engine, classifier.info.name, classifier.info.version) == ("onnxruntime", "tiny", "7")
    texts = ["small effusion left. heart clear. 1", "no effusion right. heart clear. 2", "possible effusion stable. 1"]
    results = classifier.classify([classifier.read(text) for text in texts])
    assert [r.labels["Pleural Effusion"].state for r in results] == ["present", "absent", "uncertain"]


def test_the_model_card_holds_figures_hash_use_and_limits(trained_folder) -> None:
    card = (trained_folder / "README.md").read_text()
    classifier = TextClassifier.open(trained_folder, device="cpu", threads=1)
    for part in ("# tiny 7", classifier.info.weights_sha256, "Intended use", "## Limits", "| Pleural Effusion | "):
        assert part in card


def test_a_trained_folder_is_a_base_to_train_on(trained_folder) -> None:
    base = load_base(str(trained_folder))
    stored = build_torch(trained_folder).state_dict()
    assert all(torch.equal(tensor, stored[name]) for name, tensor in base.network.state_dict().items())
    assert not base.pretrained


@pytest.fixture
def one_thread():
    """Sums come in one order; with several threads their last bits vary from run to run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tiny_bert, tmp_path, one_thread) -> None:
    def run(folder, epochs_at_a_time):
        for _ in range(2 // epochs_at_a_time):
            torch.manual_seed(0)
            base = load_base(str(tiny_bert))
            base.network.dropout.p = 0.0
            for module in base.network.encoder.modules():
                if isinstance(module, torch.nn.Dropout):
                    module.p = 0.0
            base.network.encoder.config.attention_probs_dropout_prob = 0.0
            examples = [
                Example(f"{word} effusion", np.full(14, state, np.int8), f"{word}-{i}", "test")
                for i in range(20)
                for state, word in enumerate(("small", "possible", "no"))
            ]
            maker = BatchMaker(base.tokenizer, batch_size=8, max_tokens=32)
            options = Options(folder, epochs=2, batch_size=8, learning_rate=1e-3)
            training = Run(base.network, maker, Parts(lambda _epoch: [], examples, examples[:12]), options)
            if epochs_at_a_time == 1:
                training._options = Options(folder, epochs=_done(folder) + 1, batch_size=8, learning_rate=1e-3)
            training.to_the_end()
        return torch.load(folder / "checkpoints" / "last.pt", weights_only=True)["network"]

    whole, halves = run(tmp_path / "whole", 2), run(tmp_path / "halves", 1)
    assert all(torch.allclose(tensor, halves[name], atol=1e-6) for name, tensor in whole.items())


def _done(folder) -> int:
    file = folder / "checkpoints" / "last.pt"
    return torch.load(file, weights_only=True)["standing"]["epoch"] if file.exists() else 0


def test_an_unknown_label_has_no_gradient() -> None:
    logits = torch.zeros(2, 14, 4, requires_grad=True)
    states = torch.full((2, 14), UNKNOWN)
    states[0, EFFUSION] = 0
    state_loss(logits, states, torch.ones(14, 4)).backward()
    touched = logits.grad.abs().sum(dim=-1) > 0
    assert touched.nonzero().tolist() == [[0, EFFUSION]]


def test_no_finding_is_never_uncertain_or_absent(trained_folder) -> None:
    network = build_torch(trained_folder)
    ids = torch.randint(5, 20, (4, 9))
    chances = network(ids, torch.ones_like(ids))["logits"].softmax(dim=-1)[:, LABELS.index("No Finding")]
    assert chances[:, 1:3].max() < 1e-6


def test_padding_does_not_change_an_answer(trained_folder) -> None:
    network = build_torch(trained_folder)
    ids = torch.randint(5, 20, (1, 9))
    padded = torch.cat((ids, torch.zeros(1, 6, dtype=torch.long)), dim=1)
    mask = torch.cat((torch.ones_like(ids), torch.zeros(1, 6, dtype=torch.long)), dim=1)
    alone, beside = network(ids, torch.ones_like(ids)), network(padded, mask)
    assert torch.allclose(alone["logits"], beside["logits"], atol=1e-5)
    assert beside["attention"][..., 9:].max() == 0


def test_a_cut_vocabulary_reads_known_texts_alike_and_still_spells_new_words(tiny_bert) -> None:
    base = load_base(str(tiny_bert))
    before = read_tokenizer(tiny_bert)
    table = base.network.encoder.get_input_embeddings().weight.detach().clone()
    tokenizer, kept = cut_vocabulary(before, ["small effusion."])
    cut_embeddings(base.network.encoder, kept)
    old, new = before.encode("small effusion. quiz"), tokenizer.encode("small effusion. quiz")
    assert old.tokens == new.tokens
    assert "[UNK]" not in new.tokens
    assert torch.equal(base.network.encoder.get_input_embeddings().weight[new.ids], table[old.ids])


def test_augmentation_says_the_same_of_the_findings() -> None:
    rng = random.Random(5)
    text = "Small left effusion. No pneumothorax. Edema, mild."
    variants = {augmented(text, rng) for _ in range(300)}
    assert len(variants) > 50
    assert text in variants
    for variant in variants:
        assert variant.lower().count("no") >= 1
        assert abs(len(variant) - len(text)) < 20


def test_checkpoints_of_a_run_that_never_saved_start_it_from_the_beginning(tmp_path) -> None:
    network = torch.nn.Linear(2, 2)
    standing = Checkpoints(tmp_path).resume(network, torch.optim.AdamW(network.parameters()))
    assert (standing.epoch, standing.step) == (0, 0)


def test_config_says_what_the_model_is(trained_folder) -> None:
    config = json.loads((trained_folder / "config.json").read_text())
    assert config["outputs"] == "states"
    assert config["labels"] == list(LABELS)
    assert config["training"]["texts_per_epoch"] == {"reports.csv": 477}
