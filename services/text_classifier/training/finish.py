"""From a trained network to a served folder: calibration, thresholds, export, figures, model card."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console

from services.inference.session import find_weights, sha256_of
from services.text_classifier.evaluation.evaluate import judge_examples
from services.text_classifier.evaluation.metrics import Report
from services.text_classifier.examples.labelled import UNKNOWN, Example
from services.text_classifier.reading.model_folder import Calibration
from services.text_classifier.training.batches import BatchMaker
from services.text_classifier.training.calibration import fit_calibration, fit_threshold
from services.text_classifier.training.card import model_card
from services.text_classifier.training.export import Description, export_network
from services.text_classifier.training.logits import PRESENT, log_odds_of_present, network_logits
from services.text_classifier.training.train import Trained
from shared.labels import LABELS, LabelName

MIN_REAL_EXAMPLES = 20
"""From so many real texts with a present label on, the label counts as learned from real reports."""


def finish(trained: Trained, out: Path, *, name: str, version: str, console: Console) -> Report:
    """Write the model folder. Returns the figures on the part that was never trained on, which its card holds too."""
    calibration, thresholds = _fit(trained)
    options, parts = trained.options, trained.parts
    description = Description(
        name=name,
        version=version,
        window=options.max_tokens,
        thresholds=thresholds,
        calibration=calibration,
        label_support=_support(parts.train),
        training={
            "base": dict(trained.base.origin),
            "texts_per_epoch": dict(Counter(example.source for example in parts.training_texts(0))),
            "epochs": options.epochs,
            "learning_rate": options.learning_rate,
            "batch_size": options.batch_size,
            "seed": options.seed,
        },
    )
    difference = export_network(trained.base.network, trained.base.tokenizer, description, out)
    console.print(f"exported to {out}; ONNX Runtime and torch agree to {difference:.1e}")
    part, held_out = ("test", parts.test) if parts.test else ("validation", parts.validation)
    figures = judge_examples(str(out), held_out, resamples=300)
    sources = Counter(example.source for example in held_out)
    card = model_card(description, figures, part, dict(sources), weights_sha256=sha256_of(find_weights(out)))
    (out / "README.md").write_text(card, encoding="utf-8")
    return figures


def _fit(trained: Trained) -> tuple[dict[LabelName, Calibration], dict[LabelName, float]]:
    """Both from the validation part, each label from the texts for which it is known."""
    maker = BatchMaker(trained.base.tokenizer, batch_size=64, max_tokens=trained.options.max_tokens)
    examples = trained.parts.validation
    logits = network_logits(trained.base.network, maker, examples, torch.device("cpu"))
    odds = log_odds_of_present(logits)  # (N, 14)
    states = np.stack([example.states for example in examples])
    calibration: dict[LabelName, Calibration] = {}
    thresholds: dict[LabelName, float] = {}
    for i, label in enumerate(LABELS):
        known = states[:, i] != UNKNOWN
        present = states[known, i] == PRESENT
        platt = fit_calibration(odds[known, i], present)
        calibration[label] = Calibration(platt.slope, platt.intercept)
        thresholds[label] = fit_threshold(platt(odds[known, i]), present)
    return calibration, thresholds


def _support(examples: Sequence[Example]) -> dict[LabelName, str]:
    real = np.stack([example.states == PRESENT for example in examples] or [[False] * len(LABELS)])
    return {
        label: "real" if count >= MIN_REAL_EXAMPLES else "generated"
        for label, count in zip(LABELS, real.sum(axis=0).tolist(), strict=True)
    }
