"""The model card that travels with a model folder."""

from collections.abc import Mapping
from typing import Any

from services.text_classifier.training.export import Description
from shared.labels import LABELS

LIMITS = """- It reads English impressions of chest X-rays. It learned no other language or examination.
- It imitates a rule-based labeler and its conventions; where those are wrong it tends to be wrong likewise.
- Sternotomy wires, surgical clips and staples alone are not called a support device.
- Rare findings (see support below) rest on few real reports, or on generated ones only.
- It says what a text states, not what is true of the patient."""


def model_card(
    description: Description,
    figures: Mapping[str, Any],
    part: str,
    held_out: Mapping[str, int],
    *,
    weights_sha256: str,
) -> str:
    present = figures["present"]
    rows = [
        _row(
            label,
            present["labels"][label],
            description.thresholds.get(label, 0.5),
            description.label_support.get(label),
        )
        for label in LABELS
    ]
    totals = [_row(f"**{name}**", present[name], None, None) for name in ("micro", "macro")]
    texts = ", ".join(f"{count} × {source}" for source, count in held_out.items())
    return "\n".join(
        [
            f"# {description.name} {description.version}",
            "",
            "Reads a chest X-ray report's impression and gives each of the 14 CheXpert observations a state:",
            "present, uncertain, absent or not mentioned.",
            "",
            f"- Intended use: {description.intended_use}",
            f"- Window: {description.window} tokens; longer texts are read window by window and merged.",
            f"- Weights: SHA-256 `{weights_sha256}`, matrices stored in half precision, computed in single.",
            "",
            "## Training",
            "",
            *_stages(description.training),
            "",
            f"## Figures for *present* on the {part} part ({texts})",
            "",
            "The labels it is judged by are those of the training data's kind (given, or made by the rules).",
            "ECE is the expected calibration error over ten bins of equally many texts.",
            "",
            "| label | texts with it | precision | recall | F1 (95 %) | AUROC | ECE | threshold | learned from |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            *totals,
            "",
            "## Limits",
            "",
            LIMITS,
            "",
        ]
    )


def _stages(training: Mapping[str, Any]) -> list[str]:
    """A numbered line for each training that led to these weights, the first one first."""
    if "epochs" not in training:
        return [", ".join(f"{name}: {value}" for name, value in training.items())]
    base = training["base"]
    before = _stages(base["training"]) if "training" in base else []
    texts = ", ".join(f"{count:,} {source}" for source, count in training["texts_per_epoch"].items())
    start = "from those weights" if before else f"from {base['name']}"
    stage = f"{len(before) + 1}. {start}, {training['epochs']} × ({texts}); learning rate {training['learning_rate']}"
    return [*before, f"{stage}, batches of {training['batch_size']}, seed {training['seed']}"]


def _row(name: str, entry: Mapping[str, Any], threshold: float | None, support: str | None) -> str:
    interval = entry["intervals"].get("f1")
    f1 = _figure(entry["f1"]) + (f" ({interval[0]:.3f}–{interval[1]:.3f})" if interval else "")
    figures = [
        _figure(entry["precision"]),
        _figure(entry["recall"]),
        f1,
        _figure(entry["auroc"]),
        _figure(entry["ece"]),
    ]
    return f"| {name} | {entry['support']} | {' | '.join(figures)} | {_figure(threshold, 2)} | {support or ''} |"


def _figure(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"
