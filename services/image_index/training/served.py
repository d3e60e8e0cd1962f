"""Runs a model folder over pictures in memory, as the service does: for evaluation of what is really served."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.image_index.training.calibration import Platt
from services.image_index.training.metrics import Scores
from services.inference.session import Session, open_session
from shared.labels import LABELS


@dataclass(frozen=True)
class ServedModel:
    config: dict[str, Any]
    session: Session
    calibration: list[Platt]
    thresholds: NDArray[np.float64]

    @property
    def side(self) -> int:
        return int(self.config["input_size"])

    def logits(self, pixels: NDArray[np.uint8], batch: int = 32) -> Scores:
        """(N, S, S) uint8 -> (N, 14)."""
        return np.concatenate([self._run(pixels[i : i + batch])["logits"] for i in range(0, len(pixels), batch)])

    def maps(self, pixels: NDArray[np.uint8], batch: int = 32) -> Scores:
        """(N, S, S) uint8 -> class-activation maps (N, 14, h, w)."""
        return np.concatenate([self._run(pixels[i : i + batch])["cam"] for i in range(0, len(pixels), batch)])

    def probabilities(self, logits: Scores) -> NDArray[np.float64]:
        return np.stack([platt(logits[:, column]) for column, platt in enumerate(self.calibration)], axis=1)

    def _run(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        grey = pixels[:, None].astype(np.float32) / np.float32(255.0)
        scaled = (grey - np.float32(self.config["mean"][0])) / np.float32(self.config["std"][0])
        return self.session.run({"pixels": scaled})


def open_model(folder: Path) -> ServedModel:
    def read(name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
        return content

    calibration, thresholds = read("calibration.json"), read("thresholds.json")
    return ServedModel(
        config=read("config.json"),
        session=open_session(folder, device="cpu"),
        calibration=[Platt(calibration[label]["slope"], calibration[label]["intercept"]) for label in LABELS],
        thresholds=np.array([thresholds[label] for label in LABELS]),
    )
