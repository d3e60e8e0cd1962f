import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.encoding.encoder import Encoder
from services.image_index.ingest.dry_run import SAME_ID, dry_run
from services.image_index.ingest.layouts import Entry, read_folder
from services.image_index.ingest.local import ingest_here
from services.image_index.ingest.pipeline import IngestPipeline
from services.image_index.ingest.tally import CONFLICT
from services.image_index.patient_keys import PatientKeys
from services.image_index.pictures.limits import Limits
from services.image_index.store.embedded.peek import stored_hashes
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.failures import StoreUnusable
from shared.schemas.images import ImageMetadataInput
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes
from tests.repository import REPOSITORY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "good.png").write_bytes(png_bytes(picture_of("Edema")))
    (folder / "good.dcm").write_bytes(to_bytes(made_dicom()))
    (folder / "ct.dcm").write_bytes(to_bytes(made_dicom(Modality="CT")))
    (folder / "notes.txt").write_text("not a picture")
    (folder / "huge.png").write_bytes(png_bytes(np.zeros((600, 600), dtype=np.uint8)))
    (folder / "cut.png").write_bytes(png_bytes(picture_of("Edema"))[:20])
    return folder


def nothing_stored(_image_id: str) -> None:
    return None


def test_what_would_fail_is_told_by_reason_without_decoding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda _self: pytest.fail("decoded"))
    twice = Entry("good", folder / "good.png", ImageMetadataInput())
    entries = [*read_folder(folder), twice, Entry("gone", folder / "gone.png", ImageMetadataInput())]
    tally = dry_run(entries, nothing_stored, limits=Limits(max_pixels=100_000), workers=2)

    reasons = {failure.entry.file.name: failure.reason for failure in tally.failures}
    assert tally.indexed == 1
    assert reasons["good.png"] == SAME_ID  # good.dcm came first
    assert "modality" in reasons["ct.dcm"]
    assert "neither PNG" in reasons["notes.txt"]
    assert "600 × 600" in reasons["huge.png"]
    assert "header is damaged" in reasons["cut.png"]
    assert "No such file" in reasons["gone.png"]
    assert Counter(reasons.values()) == Counter(set(reasons.values()))


def test_what_is_there_is_known_while_the_index_is_open_elsewhere(
    folder: Path, encoder: Encoder, tmp_path: Path
) -> None:
    entries = [Entry(name, folder / name, ImageMetadataInput()) for name in ("good.png", "good.dcm")]
    weights = encoder.info.weights_sha256
    pipeline = IngestPipeline(encoder, PatientKeys(b"key"), limits=Limits(), workers=1, batch=4)
    with EmbeddedStore(tmp_path / "index", weights) as store:
        ingest_here(pipeline, store, entries[:1])
        with stored_hashes(tmp_path / "index", weights) as stored:
            tally = dry_run(entries, stored, limits=Limits(), workers=2)
            (folder / "good.png").write_bytes(png_bytes(picture_of("Fracture")))
            changed = dry_run(entries, stored, limits=Limits(), workers=2)
            replaced = dry_run(entries, stored, limits=Limits(), workers=2, replace=True)

    assert (tally.indexed, tally.unchanged, tally.failures) == (1, 1, [])
    assert [failure.reason for failure in changed.failures] == [CONFLICT]
    assert (replaced.indexed, replaced.failures) == (2, [])


def test_an_index_of_other_weights_is_refused_as_the_ingest_would_be(
    folder: Path, encoder: Encoder, tmp_path: Path
) -> None:
    pipeline = IngestPipeline(encoder, PatientKeys(b"key"), limits=Limits(), workers=1, batch=4)
    with EmbeddedStore(tmp_path / "index", encoder.info.weights_sha256) as store:
        ingest_here(pipeline, store, [Entry("a", folder / "good.png", ImageMetadataInput())])

    with pytest.raises(StoreUnusable, match="other encoder weights"), stored_hashes(tmp_path / "index", "f" * 64):
        pass


def test_the_command_writes_nothing_but_the_report(tiny_model: Path, folder: Path, tmp_path: Path) -> None:
    data_dir, report = tmp_path / "data", tmp_path / "report.json"
    command = [sys.executable, "-m", "services.image_index", "ingest", "--images-root", str(folder), "--dry-run"]
    result = subprocess.run(
        [*command, "--data-dir", str(data_dir), "--report", str(report), "--device", "cpu", "--strict"],
        cwd=REPOSITORY,
        env={**os.environ, "CHEX_IMAGE_MODEL": str(tiny_model)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 3, result.stderr
    assert "Dry run, nothing was written: of 6 files" in result.stdout
    assert not data_dir.exists()
    written = json.loads(report.read_text())
    assert (written["dry_run"], written["files"], written["failed"]) == (True, 6, len(written["failures"]))
    assert sum(written["reasons"].values()) == written["failed"]
