"""A picture in, 14 calibrated probabilities and 14 class-activation grids out. Knows no HTTP and no file format."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.image_index.encoding.model_folder import ImageModelFolder
from services.image_index.pictures.radiograph import Grey
from services.image_index.pictures.square import to_square
from services.inference.session import Session
from shared.labels import LABELS, LabelName
from shared.schemas.system import ModelDetails, ModelInfo, PictureInput


@dataclass(frozen=True)
class Encoding:
    probabilities: NDArray[np.float32]  # (14,) in the order of LABELS
    cam: NDArray[np.float16]  # (14, h, w): a label's logit is the mean of its grid


class Encoder:
    """A label that the model does not know is told the same of every image: how often reports state it. So it moves no
    image ahead of another; its grid is empty.
    """

    def __init__(self, folder: ImageModelFolder, session: Session, base_rates: NDArray[np.float64]) -> None:
        """`base_rates` (14,): how often reports state each label."""
        self._folder = folder
        self._base_rates = base_rates
        self._session = session
        self.thresholds = folder.thresholds
        self.info = ModelInfo(
            name=folder.name,
            version=folder.version,
            weights_sha256=session.weights_sha256,
            engine=session.engine,
            device=session.device,
        )

    @property
    def details(self) -> ModelDetails:
        return ModelDetails(
            **self.info.model_dump(),
            labels=list(LABELS),
            thresholds=dict(zip(LABELS, self.thresholds.tolist(), strict=True)),
            label_support=self._folder.label_support,
            unproven=[label for label, proven in zip(LABELS, self.proven, strict=True) if not proven],
            architecture=self._folder.architecture,
            input=PictureInput(
                size=self._folder.input_size,
                channels=self._folder.channels,
                mean=self._folder.mean.tolist(),
                std=self._folder.std.tolist(),
            ),
            calibrated=self._folder.calibrated,
            intended_use=self._folder.intended_use,
        )

    @property
    def calibrated(self) -> bool:
        return self._folder.calibrated

    @property
    def proven(self) -> NDArray[np.bool_]:
        """(14,), by the order of LABELS: False where the label is unproven on patients."""
        return self._folder.proven

    @property
    def input_size(self) -> int:
        """Side S of the square that `encode` takes, in pixels."""
        return self._folder.input_size

    def knows(self, label: LabelName) -> bool:
        return bool(self._folder.known[LABELS.index(label)])

    def prepare(self, grey: Grey) -> Grey:
        """(rows, columns) -> (S, S): what `encode` takes. Apart, so that it runs where the file was decoded."""
        return to_square(grey, self._folder.input_size)

    def encode(self, squares: Sequence[Grey]) -> list[Encoding]:
        """One run of the model for N prepared pictures; one encoding for each, in order."""
        grey = np.stack(squares)[:, None].astype(np.float32) / np.float32(255)  # (N, 1, S, S)
        shape = (1, self._folder.channels, 1, 1)
        pixels = (grey - self._folder.mean.reshape(shape)) / self._folder.std.reshape(shape)  # (N, C, S, S)
        output = self._session.run({"pixels": pixels})
        logits = output["logits"][:, self._folder.outputs].astype(np.float64)  # (N, 14)
        cam = output["cam"][:, self._folder.outputs].astype(np.float16)  # (N, 14, h, w)
        # exp of at most 60 neither overflows nor leaves float64's 0 and 1.
        scaled = np.clip(self._folder.slopes * logits + self._folder.intercepts, -60, 60)
        probabilities = (1 / (1 + np.exp(-scaled))).astype(np.float32)
        unknown = ~self._folder.known
        probabilities[:, unknown] = self._base_rates[unknown]
        cam[:, unknown] = 0
        return [Encoding(p, grid) for p, grid in zip(probabilities, cam, strict=True)]
