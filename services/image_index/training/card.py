"""Writes the model card: what the weights are for, what they learned from, how well they do, and where they fail."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.labels import LABELS

Report = Mapping[str, Any]  # as evaluate.evaluate_images gives it

_HEAD = """# {name}

An encoder for frontal chest radiographs: 14 CheXpert labels, each with a class-activation map. Architecture
`{architecture}`{members}, input {side} x {side} grey, weights in half precision (computation in float32).

## Intended use

Finding similar radiographs in an archive, for research, teaching and quality assurance. **Not a diagnostic device**: no
clinical decision may rest on a probability or a map of this model.

## What it learned from

- NIH ChestX-ray14 (frontal radiographs; labels mined from reports by text processing, hence noisy): {real:,}
  pictures of training patients. A patient is in training, validation or test by a hash of the patient's number,
  whatever folder the picture lies in. Of a sample whose processing gives labels away, the normal collection was left
  out, and No Finding, Pneumonia and Lung Opacity were masked.
- {phantoms:,} procedural phantoms of this project, which show all 14 findings.
- It started from EfficientNet-Lite0's ImageNet weights (Apache-2.0).
- NIH annotates neither Enlarged Cardiomediastinum nor Fracture nor Support Devices: for these three the model has seen
  **phantoms only**. `label_support` in config.json says so, and no figure on patients can be given.
- Training pictures were re-compressed, blurred, moved, mirrored and re-exposed at random, so that how a picture was
  stored says little.
"""

_TAIL = """
## Limits

- The labels are text-mined and noisy, and so is every figure measured against them.
- All real pictures are of one American hospital, few of children. Expect it to do worse elsewhere.
- At {side} px, small findings (nodules, small pneumothoraces) are easily lost.
- Maps are {grid} x {grid}: they point at a region, not at a lesion.
- On real radiographs, the three labels learned from phantoms are guesses.

## Licence and acknowledgement

The radiographs come from the NIH Clinical Center (https://nihcc.app.box.com/v/ChestXray-NIHCC), whose use is
unrestricted with this acknowledgement and a citation: Wang X, Peng Y, Lu L, Lu Z, Bagheri M, Summers RM. *ChestX-ray8:
Hospital-scale Chest X-ray Database and Benchmarks on Weakly-Supervised Classification and Localization of Common Thorax
Diseases.* CVPR 2017. EfficientNet-Lite: Apache-2.0. These weights: MIT, as the project.
"""


def write_card(
    folder: Path, config: Mapping[str, Any], counts: Mapping[str, int], reports: Mapping[str, Report], notes: str = ""
) -> None:
    """`reports`: figures by what they were measured on; `notes`: what else was tried, in Markdown."""
    head = _HEAD.format(
        name=config["name"],
        architecture=config["architecture"],
        members=f" ({config['members']} networks, whose maps are averaged)" if config["members"] > 1 else "",
        side=config["input_size"],
        real=counts["real"],
        phantoms=counts["phantoms"],
    )
    tables = "\n".join(_table(name, report) for name, report in reports.items())
    tail = _TAIL.format(side=config["input_size"], grid=config["input_size"] // 32)
    extra = f"\n## What else was tried\n\n{notes.strip()}\n" if notes else ""
    (folder / "README.md").write_text(head + tables + "\n" + extra + tail, encoding="utf-8")


def _table(name: str, report: Report) -> str:
    macro = report["macro"]
    lines = [
        f"\n## Figures: {name}\n",
        f"{macro['images']:,} pictures; macro AUROC **{macro['auroc']:.3f}** over the {macro['labels']} labels with",
        "at least 5 positives; intervals by bootstrap over patients. A ridge regression on thumbnails and histograms,",
        f"trained on the same pictures, has {macro['ridge_auroc']:.3f}.\n",
        "| label | positives | AUROC (95 %) | ridge | AUPRC | F1 | calibration error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows = [(label, report["labels"][label]) for label in LABELS if label in report["labels"]]
    for label, f in rows:
        auroc = f"{f['auroc']:.3f} ({f['auroc_low']:.2f}–{f['auroc_high']:.2f})"
        rest = f"{f['auprc']:.3f} | {f['f1']:.3f} | {f['calibration_error']:.3f}"
        lines.append(f"| {label} | {f['positives']} | {auroc} | {f['ridge_auroc']:.3f} | {rest} |")
    return "\n".join(lines)
