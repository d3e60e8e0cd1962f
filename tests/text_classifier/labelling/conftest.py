"""The command, run in this process with the small model whose answers are known."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from services.text_classifier import __main__
from services.text_classifier.labelling import labeller
from services.text_classifier.reading.classifier import TextClassifier


@dataclass(frozen=True)
class Ended:
    """`said`: on the terminal, with the sentence that a failed command ends with."""

    status: int
    said: str


@pytest.fixture
def label(
    words: TextClassifier, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Blocks have 8 rows."""
    monkeypatch.setattr(labeller, "BLOCK", 8)
    monkeypatch.setattr(TextClassifier, "open", lambda *_args, **_options: words)

    def run(*options: object) -> Ended:
        monkeypatch.setattr("sys.argv", ["text_classifier", "label", *map(str, options)])
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        told = capsys.readouterr()
        code = ended.value.code
        message = code if isinstance(code, str) else ""
        return Ended(1 if message else int(code or 0), " ".join((told.out + told.err + message).split()))

    return run
