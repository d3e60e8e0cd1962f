"""Writes a model of other people as a folder of ours: served by ONNX Runtime, where torch is not installed."""

from pathlib import Path

from services.image_index.networks.foreign.described import Foreign
from services.image_index.networks.foreign.read import read_foreign
from services.image_index.training.graph import write_graph
from services.inference.session import sha256_of
from services.workbench.json_file import write_json
from shared.labels import LABELS

_CARD = """# {name}

Converted from `{source}` (layout `{layout}`, architecture `{architecture}`), whose SHA-256 is
`{sha256}`.

- Input: {input_size} x {input_size} pixels, {channels} channel(s); mean {mean}, standard deviation {std} of grey from 0
  to 1. Pictures are squeezed to a square.
- Weights in {precision} precision; the computation is in single precision.
- **Not calibrated**: a probability is the sigmoid of the network's own logit. `calibration.json` takes slope and
  intercept for each label where they have been fitted on labelled pictures.
- Thresholds: {thresholds}.
- Labels that it does not know: {unknown}. Each of them has the same probability for every image, that with which
  reports state it; it is never called present, moves no image ahead of another, and has no heat map.

For research, teaching and quality work. Not a medical device: its labels are no diagnosis. How well it does, and under
which licence it may be used, is for its makers to say; `evaluate-labels` measures it on one's own pictures.
"""


def convert(model: str, folder: Path, *, half: bool = False) -> Foreign:
    """Write `folder`. `half`: weights in half precision. Raises ModelLoadError for a model that cannot be read."""
    foreign = read_foreign(model)
    network = foreign.build()
    folder.mkdir(parents=True, exist_ok=True)
    config = foreign.config
    write_graph(network, config["input_size"], folder, channels=config["channels"], half=half)
    write_json(folder / "config.json", {**config, "calibration": "identity: none is known"})
    write_json(folder / "calibration.json", {label: {"slope": 1.0, "intercept": 0.0} for label in LABELS})
    write_json(folder / "thresholds.json", foreign.all_thresholds)
    unknown = [label for label in LABELS if config["label_support"].get(label) == "none"]
    card = _CARD.format(
        **{name: config[name] for name in ("name", "layout", "architecture", "input_size", "channels", "mean", "std")},
        source=foreign.weights.name,
        sha256=sha256_of(foreign.weights),
        precision="half" if half else "single",
        thresholds="the operating points that the weights come with" if foreign.thresholds else "0.5, none is known",
        unknown=", ".join(unknown) or "none",
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    return foreign
