"""The command: what it says, what it writes, when it refuses; and the service that reads what it wrote."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from services.image_index.app import create_app
from services.image_index.evaluation.__main__ import cli
from services.image_index.evaluation.calibration.command import FitLoses
from services.image_index.parts import open_fit, open_reported
from services.image_index.ranking.site_fit import FILE_NAME, FitUnusable, SiteFit, read_fit
from services.image_index.settings import ImageIndexSettings
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.failures import StoreUnusable
from shared.labels import LABELS
from tests.image_index.evaluation.calibration.reported_gallery import (
    note_of_predictions,
    report_that_states,
    write_index,
)
from tests.image_index.store.conftest import WEIGHTS, made_image
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

QUERY = {"labels": ["Edema", "Pleural Effusion"], "evidence": "image", "k": 20}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reported")
    write_index(folder, images=300)
    return folder


@pytest.fixture(scope="module")
def fit_of_index(index: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = shutil.copytree(index, tmp_path_factory.mktemp("fitted") / "data")
    calibrate(folder)
    return fit_in(folder).read_bytes()


@pytest.fixture
def data_dir(index: Path, tmp_path: Path) -> Path:
    return shutil.copytree(index, tmp_path / "data")


@pytest.fixture
def served(data_dir: Path) -> ImageIndexSettings:
    return ImageIndexSettings(data_dir=data_dir, patient_key="a key for tests")


def calibrate(data_dir: Path, *options: str) -> str:
    result = CliRunner().invoke(cli, ["calibrate", "--data-dir", str(data_dir), *options], env={"COLUMNS": "200"})
    if result.exception is not None:
        raise result.exception
    return result.output


def fit_in(data_dir: Path) -> Path:
    return data_dir / "image-index" / FILE_NAME


async def hits(client: httpx.AsyncClient) -> list[str]:
    return [hit["image_id"] for hit in (await client.post("/v1/search", json=QUERY)).json()["hits"]]


async def test_a_fit_is_made_beside_a_running_service_and_counts_when_it_starts_again(
    served: ImageIndexSettings, connect: Callable
) -> None:
    app = create_app(served)
    async with app.router.lifespan_context(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://index")
        before = await hits(client)
        said = calibrate(served.data_dir)
        assert await hits(client) == before
        assert (await client.get("/v1/index")).json()["fit"] is None

    client = await connect(create_app(served))
    fit = (await client.get("/v1/index")).json()["fit"]
    assert await hits(client) != before
    written = read_fit(served.index_folder)
    assert (fit["images"], fit["patients"]) == (300, written.patients)
    assert fit["silent"] == [name for name in LABELS if written.slopes[name] == 0]
    assert "300 images with a report" in said
    assert "Written" in said


async def test_what_a_picture_shows_is_called_so_on_the_scale_of_the_fit_too(
    served: ImageIndexSettings, fit_of_index: bytes, connect: Callable
) -> None:
    fit_in(served.data_dir).write_bytes(fit_of_index)
    speaking = {name for name, slope in read_fit(served.index_folder).slopes.items() if slope}
    client = await connect(create_app(served))
    found = (await client.post("/v1/search", json=QUERY)).json()["hits"]
    for hit in found:
        shown = {name for name, p in hit["image_probabilities"].items() if p >= 0.5}
        assert {*hit["matched"], *hit["extra"]} & speaking == shown & speaking
        assert hit["probabilities"] != hit["image_probabilities"]
    assert len(speaking) > 7
    assert any(hit["extra"] for hit in found)


def test_what_is_written_is_whole_and_for_its_owner_alone(data_dir: Path) -> None:
    fit_in(data_dir).write_text("an older one")
    said = calibrate(data_dir)
    written = read_fit(data_dir / "image-index")
    assert stat.S_IMODE(fit_in(data_dir).stat().st_mode) == 0o600
    assert (written.weights_sha256, written.text_models) == (WEIGHTS, {"b" * 64: 300})
    assert [path.name for path in fit_in(data_dir).parent.glob(f"{FILE_NAME}*")] == [FILE_NAME]
    assert all(named in said for named in ("Recall@5", "half of the patients' reports", *LABELS))


def test_the_same_index_gives_the_same_fit(data_dir: Path, fit_of_index: bytes) -> None:
    calibrate(data_dir)
    assert read_fit(data_dir / "image-index").fit == SiteFit.model_validate_json(fit_of_index).fit


def test_a_dry_run_writes_nothing(data_dir: Path) -> None:
    assert "Nothing was written" in calibrate(data_dir, "--dry-run")
    assert not fit_in(data_dir).exists()


def test_a_fit_that_gains_nothing_is_not_written_unless_forced(tmp_path: Path) -> None:
    """Of an encoder that says of each image how often reports state a label, there is nothing to learn."""
    rng = np.random.default_rng(0)
    present = (rng.random((300, len(LABELS))) < 0.1).astype(np.int8)
    with EmbeddedStore(tmp_path / "image-index", WEIGHTS) as store:
        rates = present.mean(axis=0)
        store.put(
            [made_image(f"i{n}", rates, report=report_that_states(one)) for n, one in enumerate(present)],
        )
    note_of_predictions(tmp_path)
    with pytest.raises(FitLoses, match=r"it was not written\. --force writes it all the same"):
        calibrate(tmp_path)
    assert not fit_in(tmp_path).exists()
    calibrate(tmp_path, "--force")
    assert fit_in(tmp_path).exists()


def test_an_index_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = in_a_process("--data-dir", str(tmp_path / "none"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("image-index: There is no index in")
    assert not (tmp_path / "none").exists()


def test_too_few_reports_are_one_sentence_and_status_1(tmp_path: Path) -> None:
    write_index(tmp_path, images=60)
    done = in_a_process("--data-dir", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "60 images with a report" in done.stderr


def test_nothing_of_training_is_imported(data_dir: Path) -> None:
    strangers = ("torch", "sklearn", "scipy", "pandas", "matplotlib", "httpx", "fastapi")
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['evaluation', 'calibrate', '--dry-run', '--data-dir', {str(data_dir)!r}]\n"
        "try: runpy.run_module('services.image_index.evaluation', run_name='__main__')\n"
        f"finally: print('imported:', [name for name in {strangers} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "Nothing was written" in done.stdout, done.stderr
    assert done.stdout.endswith("imported: []\n")


def test_only_images_with_a_report_that_are_no_laterals_are_learned_from(tmp_path: Path) -> None:
    report = report_that_states(np.eye(len(LABELS), dtype=np.int8)[0], uncertain="Edema")
    with EmbeddedStore(tmp_path / "image-index", WEIGHTS) as store:
        store.put(
            [
                made_image("known", 0.25, patient_key="p", report=report),
                made_image("of-a-study", 0.5, study_instance_uid="1.2", report=report),
                made_image("alone", 0.5, report=report),
                made_image("lateral", 0.5, view_position="LATERAL", report=report),
                made_image("silent", 0.5),
            ]
        )
        found = open_reported(ImageIndexSettings(data_dir=tmp_path), WEIGHTS)  # while another has it open
    assert found.patients.tolist() == ["image alone", "patient p", "study 1.2"]
    assert found.probabilities[1].tolist() == [0.25] * 14
    assert [found.stated[0, LABELS.index(name)] for name in (LABELS[0], "Fracture")] == [1, 0]
    assert np.isnan(found.stated[0, LABELS.index("Edema")])
    assert found.evidence[0].tolist() == report.evidence.tolist()
    assert found.text_models == {report.text_model_sha256: 3}


def test_an_index_of_other_weights_is_refused(data_dir: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"other encoder weights.*CHEX_IMAGE_MODEL"):
        open_reported(ImageIndexSettings(data_dir=data_dir), "f" * 64)


def test_a_fit_of_another_encoder_is_passed_over_with_a_warning(
    served: ImageIndexSettings, fit_of_index: bytes
) -> None:
    fit_in(served.data_dir).write_bytes(fit_of_index)
    assert open_fit(served, WEIGHTS) is not None
    with capture_logs() as logs:
        assert open_fit(served, "f" * 64) is None
    assert [entry["event"] for entry in logs] == ["fit_is_of_another_encoder"]


@pytest.mark.parametrize(
    "damage", [lambda text: text[:200], lambda text: text.replace('"Edema"', '"Oedema"'), str.upper]
)
def test_a_damaged_fit_stops_the_start_with_what_to_do(
    served: ImageIndexSettings, fit_of_index: bytes, damage: Callable
) -> None:
    file = fit_in(served.data_dir)
    file.write_text(damage(fit_of_index.decode()))
    with pytest.raises(FitUnusable, match=r"fit\.json is damaged.*calibrate.*or delete it"):
        create_app(served)
    file.unlink()
    create_app(served)


def in_a_process(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.image_index.evaluation", "calibrate", *options],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
