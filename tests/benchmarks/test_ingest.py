"""What an ingest makes of the encoder's speed: whole ingests into new indexes against the encoder alone, which is given
the same files decoded. Set CHEX_BENCHMARK_IMAGES to a folder of pictures of one's own to measure with those as well.
"""

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import gdcm
import numpy as np
import pytest
from PIL import Image

from services.image_index.examples.phantoms.phantom import make_phantom
from services.image_index.ingest.layouts import read_folder
from services.image_index.ingest.local import ingest_here
from services.image_index.ingest.run import open_pipeline
from services.image_index.parts import open_model
from services.image_index.patient_keys import PatientKeys
from services.image_index.pictures.read import read_radiograph
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.embedded.store import EmbeddedStore
from tests.image_index.pictures.dicom.made_dicom import made_dicom, recoded, to_bytes

pytestmark = pytest.mark.benchmark

ROWS, COLUMNS = 2500, 2048
SYNTAXES = {
    "uncompressed": None,
    "JPEG 2000 lossless": gdcm.TransferSyntax.JPEG2000Lossless,
    "JPEG-LS lossless": gdcm.TransferSyntax.JPEGLSLossless,
}


@pytest.fixture
def ingest_against_encoder(side_by_side: Callable, tmp_path: Path) -> Callable[[str, Path], None]:
    """Prints how many times the bare encoder's images/s an ingest has: at 1 it costs nothing but the encoder."""
    settings = ImageIndexSettings(device="cpu", chest_threshold=0)
    bare = open_model(settings.image_model, device="cpu")
    pipeline = open_pipeline(settings, PatientKeys(b"key"))
    numbers = count()

    def measure(name: str, folder: Path, rounds: int = 7) -> None:
        files = [entry.file for entry in read_folder(folder)]
        squares = [bare.prepare(read_radiograph(file.read_bytes()).grey) for file in files]
        batch = settings.image_max_batch

        def encoder_alone() -> None:
            for start in range(0, len(squares), batch):
                bare.encode(squares[start : start + batch])

        def ingest() -> None:
            with EmbeddedStore(tmp_path / f"index-{next(numbers)}", pipeline.weights_sha256) as store:
                tally = ingest_here(pipeline, store, read_folder(folder))
            assert (tally.indexed, tally.failures) == (len(files), [])

        side_by_side(
            f"{len(files)} {name}: ingest's images/s over the bare encoder's", ingest, encoder_alone, rounds=rounds
        )

    return measure


def phantom(seed: int) -> Image.Image:
    return Image.fromarray(make_phantom(seed, labels=["Pleural Effusion"], size=512).pixels)


def test_jpeg(ingest_against_encoder, tmp_path):
    folder = tmp_path / "jpeg"
    folder.mkdir()
    for number in range(192):
        phantom(number % 24).save(folder / f"{number:03d}.jpg", quality=90 - number // 24)
    ingest_against_encoder("JPEG of 512 px", folder)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_dicom_of_full_size(ingest_against_encoder, tmp_path, syntax):
    """12 bits with the noise of a detector, without which a lossless code is far shorter than real ones are."""
    folder = tmp_path / "dicom"
    folder.mkdir()
    for number in range(4):
        values = np.asarray(phantom(number).resize((COLUMNS, ROWS), Image.Resampling.BICUBIC), dtype=np.float64) * 16
        noisy = values + np.random.default_rng(number).normal(0, 8, values.shape)
        dataset = made_dicom(np.clip(np.rint(noisy), 0, 4095).astype(np.uint16))
        code = SYNTAXES[syntax]
        (folder / "0.dcm").write_bytes(to_bytes(dataset) if code is None else recoded(dataset, code, tmp_path))
        for copy in range(4):
            (folder / f"{number}-{copy}.dcm").hardlink_to(folder / "0.dcm")
        (folder / "0.dcm").unlink()
    ingest_against_encoder(f"DICOM of {ROWS} × {COLUMNS}, {syntax}", folder, rounds=3)


@pytest.mark.skipif("CHEX_BENCHMARK_IMAGES" not in os.environ, reason="CHEX_BENCHMARK_IMAGES names no folder")
def test_pictures_of_ones_own(ingest_against_encoder):
    ingest_against_encoder("pictures of one's own", Path(os.environ["CHEX_BENCHMARK_IMAGES"]))
