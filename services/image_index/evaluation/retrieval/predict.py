"""Writes down what an encoder makes of labelled pictures, in the table that evaluate-retrieval reads."""

from pathlib import Path

import numpy as np

from services.image_index.evaluation.labels import encode_all
from services.image_index.evaluation.retrieval.predictions import Predictions
from services.image_index.examples.datasets import load_images, read_rows
from services.image_index.examples.sources import parts_of
from services.image_index.parts import open_model


def predict(model: Path, table: Path, images_root: Path, *, held_out: bool = False) -> Predictions:
    """`held_out`: only patients that no training has seen.

    What a table does not annotate counts as not present; of a label that it annotates nowhere, nothing is predicted.
    """
    encoder = open_model(model, device="cpu")
    rows = read_rows(table, images_root)
    images = load_images(rows, encoder.input_size, table.stem)
    paths = np.array([str(row.path.relative_to(images_root)) for row in rows])
    if held_out:
        kept = parts_of(images) == "test"
        images, paths = images.where(kept), paths[kept]
    probabilities = encode_all(encoder, images.pixels).astype(np.float64) * images.known.any(axis=0)
    return Predictions(
        paths=paths.tolist(),
        patients=images.patients,
        truth=images.targets.astype(np.int8),
        probabilities=probabilities,
        predicted=(probabilities >= encoder.thresholds).astype(np.int8),
        calibrated=encoder.calibrated,
        unproven=frozenset(encoder.details.unproven),
    )
