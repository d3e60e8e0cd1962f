"""The same archive on Ray's local cluster and on this machine alone."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.image_index.encoding.encoder import Encoder
from services.image_index.store.embedded.store import EmbeddedStore
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes
from tests.image_index.encoding.tiny_model import picture_of
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

FILES = 60


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """60 pictures, of which one is cut short and one is no picture; and a link to a picture elsewhere."""
    root = tmp_path / "archive"
    root.mkdir()
    for number in range(FILES):
        data = png_bytes(picture_of(LABELS[number % 14], brightness=130 + number))
        (root / f"{number:02d}.png").write_bytes({3: data[:-40], 40: b"not a picture"}.get(number, data))
    (tmp_path / "elsewhere.png").write_bytes(png_bytes(picture_of("Edema")))
    (root / "link.png").symlink_to(tmp_path / "elsewhere.png")
    return root


def ingest(model: Path, data_dir: Path, archive: Path, *arguments: str) -> dict[str, object]:
    """The report of the command."""
    report = data_dir.with_suffix(".json")
    command = [sys.executable, "-m", "services.image_index", "ingest", "--images-root", str(archive)]
    result = subprocess.run(
        [*command, "--data-dir", str(data_dir), "--report", str(report), "--accept-any", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "CHEX_IMAGE_MODEL": str(model), "CHEX_PATIENT_KEY": "a key for tests"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    written: dict[str, object] = json.loads(report.read_text())
    return {name: value for name, value in written.items() if "seconds" not in name and "per_s" not in name}


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install '.[ray]'")
def test_ray_goes_on_where_another_run_stopped_and_gives_what_one_machine_gives(
    tiny_model: Path, encoder: Encoder, archive: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    on_one_machine = ingest(tiny_model, here, archive)
    first = ingest(tiny_model, there, archive, "--limit", "10")
    with_ray = ingest(tiny_model, there, archive, "--engine", "ray", "--workers", "2", "--device", "cpu")

    assert (first["indexed"], with_ray["unchanged"]) == (9, 9)
    assert with_ray["indexed"] == FILES - 2 - 9
    assert with_ray["reasons"] == on_one_machine["reasons"]
    assert with_ray["failures"] == on_one_machine["failures"]
    weights = encoder.info.weights_sha256
    with EmbeddedStore(here / "image-index", weights) as one, EmbeddedStore(there / "image-index", weights) as other:
        assert one.info() == other.info()
        assert one.checksum() == other.checksum()  # of every row, with its generation: the order is the same
        for number in range(FILES):
            image_id = f"{number:02d}"
            assert one.get(image_id) == other.get(image_id)
            assert one.thumbnail(image_id) == other.thumbnail(image_id)
            grids, others = one.cam(image_id, "Edema"), other.cam(image_id, "Edema")
            assert (grids is None and others is None) or (grids == others).all()
