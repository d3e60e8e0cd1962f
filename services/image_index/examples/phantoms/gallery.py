"""A folder of phantoms laid out as CheXpert lays out its pictures and table."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from services.image_index.examples.phantoms.phantom import Phantom, make_phantom
from shared.labels import LABELS, NO_FINDING

CSV_NAME = "labels.csv"
COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *LABELS, "impression")


def write_gallery(
    out_dir: Path, count: int, seed: int, size: int = 512, *, on_picture: Callable[[int], None] | None = None
) -> Path:
    """Write `count` phantoms as PNG and the table of what they show; returns the table's path.

    `on_picture(done)` is called after each picture, for a progress bar.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    seeds = np.random.SeedSequence(seed).generate_state(count)
    table = out_dir / CSV_NAME
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for number, phantom_seed in enumerate(seeds, start=1):
            phantom = make_phantom(int(phantom_seed), size=size)
            name = f"patient{number:05d}/study1/view1_frontal.png"
            (out_dir / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(phantom.pixels).save(out_dir / name, compress_level=4)
            writer.writerow(_row(name, phantom))
            if on_picture:
                on_picture(number)
    return table


def _row(name: str, phantom: Phantom) -> dict[str, str]:
    states: dict[str, str] = {label: "1.0" if label in phantom.labels else "0.0" for label in LABELS}
    if NO_FINDING not in phantom.labels:
        states[NO_FINDING] = ""  # CheXpert never calls it absent
    return {
        "Path": name,
        "Sex": phantom.sex,
        "Age": str(phantom.age_years),
        "Frontal/Lateral": "Frontal",
        "AP/PA": phantom.view_position,
        **states,
        "impression": phantom.impression,
    }
