"""Writes the model card: what the weights are for, what they learned from, how well they do, and where they fail."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from services.image_index.networks.build import BESIDE
from services.image_index.networks.lite import LITE
from shared.labels import LABELS

Report = Mapping[str, Any]  # as evaluate.evaluate_images gives it

_HEAD = """# {name}

An encoder for frontal chest radiographs: 14 CheXpert labels, each with a class-activation map. Architecture
`{architecture}`{members}, input {side} x {side} grey, weights in half precision (computation in float32).

## Intended use

Finding similar radiographs in an archive, for research, teaching and quality assurance. **Not a diagnostic device**: no
clinical decision may rest on a probability or a map of this model.

## What it learned from

{sources}- A patient is in training, validation or test by a hash of the patient's number, whatever folder the picture
  is in.
{support}- Training pictures were re-compressed, blurred, moved, mirrored and re-exposed at random, so that how a
  picture was stored says little.
"""

_NIH = """- The NIH's pictures are those of ChestX-ray14: frontal radiographs, labels mined from reports by text
  processing, hence noisy. Of a sample whose processing gives labels away, the normal collection was left out, and No
  Finding, Pneumonia and Lung Opacity were masked. NIH annotates neither Enlarged Cardiomediastinum nor Fracture nor
  Support Devices.
"""

_READ = """
## Figures: judged by radiologists

The figures above rest on labels that were mined from reports, those below on what radiologists saw in pictures of the
same test patients ({tables}), and on no mined label.
{doubts}"""

# What is known of public readers' tables.
_DOUBTS: Mapping[str, str] = {
    "chestx_det.csv": """
- `chestx_det.csv` (ChestX-Det, Lian et al., 2021): three radiologists, who did not look for Edema, Enlarged
  Cardiomediastinum, Pneumonia and Support Devices. They call fractures more liberally than others do: on 82 pictures
  that another panel read too, both say 3, they alone 9, the other panel alone 2.
""",
    "rsna.csv": """
- `rsna.csv` (RSNA Pneumonia Detection Challenge, 2018; Shih et al., Radiology: AI 2019): one of three classes, which
  speak of No Finding and Lung Opacity alone.
""",
}

_TAIL = """
## Limits

- Where labels are mined from text they are noisy, and so is every figure measured against them.
- Expect it to do worse on pictures of other hospitals than those above, and of children.
- At {side} px, small findings (nodules, small pneumothoraces) are easily lost.
- Maps are {grid} x {grid}: they point at a region, not at a lesion.
"""

_NIH_TAIL = """
## Licence and acknowledgement

The radiographs come from the NIH Clinical Center (https://nihcc.app.box.com/v/ChestXray-NIHCC), whose use is
unrestricted with this acknowledgement and a citation: Wang X, Peng Y, Lu L, Lu Z, Bagheri M, Summers RM. *ChestX-ray8:
Hospital-scale Chest X-ray Database and Benchmarks on Weakly-Supervised Classification and Localization of Common Thorax
Diseases.* CVPR 2017. EfficientNet-Lite: Apache-2.0. These weights: MIT, as the project.
"""


def write_card(
    folder: Path,
    config: Mapping[str, Any],
    counts: Mapping[str, int],
    reports: Mapping[str, Report],
    *,
    grid: int,
    notes: str = "",
    read: Mapping[str, Report] = MappingProxyType({}),
    readers: Sequence[str] = (),
) -> None:
    """`counts`: training pictures by source; `reports`: figures by what they were measured on; `grid`: a map's side.

    `notes`: what else was tried, in Markdown. `read`: figures by radiologists' labels, of the tables `readers`.
    """
    nih = any(source.startswith("nih_") for source in counts)
    sources = "".join(f"- {count:,} training pictures of {source}.\n" for source, count in counts.items())
    members = config["architecture"].split(BESIDE)
    if set(members) <= set(LITE):
        sources += "- It started from EfficientNet-Lite's ImageNet weights (Apache-2.0).\n"
    head = _HEAD.format(
        name=config["name"],
        architecture=config["architecture"],
        members=f" ({len(members)} networks, whose maps are averaged)" if len(members) > 1 else "",
        side=config["input_size"],
        sources=sources + (_NIH if nih else ""),
        support=_support(config["label_support"]) + _refitted(config.get("refitted", {})),
    )
    tables = "\n".join(_table(name, report) for name, report in reports.items())
    if read:
        doubts = "".join(_DOUBTS.get(name, "").lstrip("\n") for name in readers)
        tables += "\n\n" + _READ.format(tables=", ".join(readers), doubts=doubts and f"\n{doubts}").strip()
        tables += "\n" + "\n".join(_table(name, report) for name, report in read.items())
    extra = f"\n## What else was tried\n\n{notes.strip()}\n" if notes else ""
    tail = _TAIL.format(side=config["input_size"], grid=grid) + (_NIH_TAIL if nih else "")
    (folder / "README.md").write_text(head + tables + "\n" + extra + tail, encoding="utf-8")


def _support(support: Mapping[str, str]) -> str:
    """Which labels rest on phantoms, and which on nothing."""
    phantom = [label for label in LABELS if support[label] == "phantom"]
    none = [label for label in LABELS if support[label] == "none"]
    lines = ""
    if phantom:
        lines += (
            f"- **Phantoms only**: {', '.join(phantom)}. No real picture of the training annotates them;\n"
            "  on patients their readings are guesses, and they are called unproven.\n"
        )
    if none:
        lines += f"- **Not known to the model**: {', '.join(none)}. No training picture shows them.\n"
    return lines


def _refitted(refitted: Mapping[str, Mapping[str, Any]]) -> str:
    """Of each label that `refit-output` taught anew, what it says of itself."""
    lines = ""
    for label, by in refitted.items():
        low, high = by["test_auroc_interval"]
        lines += (
            f"- **{label} was taught anew, alone**, on the features of the finished network: a logistic regression by\n"
            f"  what radiologists ({', '.join(by['readers'])}) saw in {by['training_pictures']:,} pictures of\n"
            f"  {by['training_patients']:,} training patients, {by['training_positives']} of which show it, and"
            f" {by['phantoms']:,} phantoms;\n"
            f"  penalty and calibration by {by['validation_pictures']:,} pictures of validation patients, of which\n"
            f"  {by['validation_positives']} show it. AUROC on test patients {by['test_auroc_before']:.3f} before,"
            f" {by['test_auroc']:.3f} ({low:.2f}–{high:.2f}) after.\n"
        )
    return lines


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
