"""What tests of several rooms share: a small gallery of phantoms, what was logged, and where the real data lie."""

import logging
import os
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path

import pytest
import structlog
from PIL import Image

from services.image_index.examples.phantoms.phantom import Phantom, make_phantom
from shared.labels import LABELS, LabelName
from shared.web.logs import configure_logging
from tests.repository import REPOSITORY

# Where the extra that reads text is installed, every picture of every test would be read. Those that mean it say so.
os.environ.setdefault("CHEX_BURNED_IN", "allow")


def png_of(phantom: Phantom) -> bytes:
    stream = BytesIO()
    Image.fromarray(phantom.pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="session")
def phantom_pngs() -> dict[LabelName, list[bytes]]:
    """Two PNG phantoms for each label, that label alone."""
    return {
        label: [png_of(make_phantom(100 * number + position, labels=[label], size=256)) for number in (1, 2)]
        for position, label in enumerate(LABELS)
    }


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Everything that is logged at debug level, by whatever library; the root logger is as it was afterwards."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, StringIO()
    root.handlers[:] = []
    configure_logging("test", "debug", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real reports, radiographs and DICOM files (`CHEX_SHARED_DATA`); skips where it is absent."""
    folder = Path(os.environ.get("CHEX_SHARED_DATA", REPOSITORY.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip("the real reports and radiographs are not beside this checkout (set CHEX_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def bio_clinical_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bio_ClinicalBERT's own folder layout and sizes (config.json, vocab.txt of 28,996 pieces), weights random."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    folder = tmp_path_factory.mktemp("bio-clinical-bert")
    torch.manual_seed(0)
    BertForMaskedLM(BertConfig(vocab_size=28_996)).save_pretrained(folder)  # every other size is BertConfig's default
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,;:()/-"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    pieces += [f"[unused{number}]" for number in range(28_996 - len(pieces))]
    (folder / "vocab.txt").write_text("\n".join(pieces))
    return folder
