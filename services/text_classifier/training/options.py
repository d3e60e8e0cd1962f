"""What a training run is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from services.text_classifier.examples.sources import Sources


@dataclass(frozen=True)
class Options:
    """`max_tokens` becomes the model's window. `cut_vocabulary` None cuts that of the packaged MiniLM only."""

    out: Path
    base: str = "minilm"
    sources: Sources = field(default_factory=Sources)
    epochs: int = 4
    batch_size: int = 32
    max_tokens: int = 160
    learning_rate: float = 1e-4
    patience: int = 2
    cut_vocabulary: bool | None = None
    seed: int = 1
