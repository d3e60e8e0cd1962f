"""Pictures that lie are told, and indexed as they are."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from services.image_index.__main__ import cli
from services.image_index.app import create_app
from services.image_index.encoding.chest_gate import shipped_gate
from services.image_index.encoding.chest_gate.look import look_at
from services.image_index.encoding.chest_gate.orientation import SHIPPED, OrientationHead
from services.image_index.encoding.encoder import Encoder
from services.image_index.examples.phantoms import make_phantom
from services.image_index.pictures.read import read_radiograph
from services.image_index.settings import ImageIndexSettings
from tests.image_index.conftest import png_bytes
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

CHESTS = [make_phantom(8_000 + seed, size=128).pixels for seed in range(20)]
UPRIGHT = make_phantom(31, size=192).pixels


def turned(picture: np.ndarray, degrees: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(picture, -degrees // 90))


@pytest.fixture
async def guarded(connect: Callable, settings: ImageIndexSettings, encoder: Encoder) -> httpx.AsyncClient:
    return await connect(create_app(settings.model_copy(update={"chest_threshold": 0.5}), encoder))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_chests_are_told_by_how_far_they_were_turned_clockwise(degrees: int) -> None:
    told = [look_at(turned(picture, degrees)).turned for picture in CHESTS]
    assert told.count(degrees) >= 19
    assert set(told) <= {degrees, None}


def test_upright_chests_are_not_told_to_be_turned() -> None:
    assert [look_at(picture).turned for picture in CHESTS] == [None] * len(CHESTS)


def test_a_look_gives_the_score_of_the_gate() -> None:
    for picture in (UPRIGHT, turned(UPRIGHT, 90), np.full((40, 60), 9, np.uint8)):
        assert look_at(picture).chest_score == pytest.approx(shipped_gate().score(picture), abs=1e-6)


def test_what_is_no_chest_whichever_way_it_is_turned_is_not_told_to_be_turned() -> None:
    rng = np.random.default_rng(5)
    assert look_at(rng.integers(0, 256, (200, 100), dtype=np.uint8)).turned is None


def test_the_head_is_a_small_file_that_is_written_as_it_was_read(tmp_path: Path) -> None:
    OrientationHead.read(SHIPPED).write(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == SHIPPED.read_bytes()
    assert SHIPPED.stat().st_size < 20_000


@pytest.mark.real_data
def test_of_real_radiographs_that_were_not_fitted_on_the_turned_are_told_and_the_upright_are_not(
    real_data: Path,
) -> None:
    from services.image_index.examples.datasets import read_rows
    from services.image_index.examples.sources import part_of

    folder = real_data / "nih_chestxray14_128px"
    rows = [row for row in read_rows(folder / "labels.csv", folder) if part_of(row.patient) == "test"]
    pictures = [read_radiograph(row.path.read_bytes()).grey for row in rows]
    assert len(pictures) > 1000
    assert sum(look_at(picture).turned is not None for picture in pictures) <= 1  # one does lie on its side
    for degrees in (90, 180, 270):
        assert np.mean([look_at(turned(picture, degrees)).turned == degrees for picture in pictures[::4]]) > 0.96


@pytest.mark.real_data
def test_real_radiographs_in_dicom_are_upright(real_data: Path) -> None:
    for file in (real_data / "dicom").glob("*.dcm"):
        grey = read_radiograph(file.read_bytes()).grey
        assert [look_at(turned(grey, degrees)).turned for degrees in (0, 90, 180, 270)] == [None, 90, 180, 270]


async def test_an_image_that_looks_turned_is_indexed_as_it_is_and_said_to_be_so(client: httpx.AsyncClient) -> None:
    lying = png_bytes(turned(UPRIGHT, 90))
    put = await client.put("/v1/images/lying", content=lying)
    again = await client.put("/v1/images/lying", content=lying)
    await client.put("/v1/images/upright", content=png_bytes(UPRIGHT))
    searched = await client.post("/v1/search/by-image", content=lying)

    assert (put.status_code, put.json()["metadata"]["looks_turned"]) == (201, 90)
    assert again.json() == put.json() == (await client.get("/v1/images/lying")).json()
    assert searched.json()["looks_turned"] == 90
    hits = {hit["image_id"]: hit["metadata"]["looks_turned"] for hit in searched.json()["hits"]}
    assert hits == {"lying": 90, "upright": None}
    assert (await client.post("/v1/search/by-image", content=png_bytes(UPRIGHT))).json()["looks_turned"] is None


async def test_a_lateral_view_is_not_told_to_be_turned(client: httpx.AsyncClient) -> None:
    form = {"file": ("x.png", png_bytes(turned(UPRIGHT, 90))), "metadata": (None, '{"view_position": "LATERAL"}')}
    assert (await client.put("/v1/images/a", files=form)).json()["metadata"]["looks_turned"] is None
    lateral = to_bytes(made_dicom(turned(UPRIGHT, 90).astype(np.uint16), bits=8, ViewPosition="LL"))
    assert (await client.post("/v1/search/by-image", content=lateral)).json()["looks_turned"] is None


async def test_a_refused_picture_is_told_to_be_turned_where_it_is(guarded: httpx.AsyncClient) -> None:
    lying = next(picture for chest in CHESTS if look_at(picture := turned(chest, 270)).chest_score < 0.5)
    refused = await guarded.post("/v1/images", content=png_bytes(lying))
    assert refused.status_code == 422
    assert "but like one turned clockwise by 270 degrees: send it upright. It scores 0." in refused.json()["detail"]


async def test_what_the_header_says_to_be_turned_is_put_upright_and_no_longer_told(guarded: httpx.AsyncClient) -> None:
    lying = made_dicom(turned(UPRIGHT, 90).astype(np.uint16), bits=8, PatientOrientation=["H", "L"])
    upright = made_dicom(UPRIGHT.astype(np.uint16), bits=8)
    answers = [
        (await guarded.put(f"/v1/images/{name}", content=to_bytes(dataset))).json()
        for name, dataset in (("lying", lying), ("upright", upright))
    ]
    assert [answer["metadata"]["looks_turned"] for answer in answers] == [None, None]
    assert answers[0]["probabilities"] == answers[1]["probabilities"]


def test_ingest_names_what_looks_turned(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHEX_IMAGE_MODEL", str(tiny_model))
    folder, report = tmp_path / "pictures", tmp_path / "report.json"
    folder.mkdir()
    (folder / "upright.png").write_bytes(png_bytes(UPRIGHT))
    (folder / "lying.png").write_bytes(png_bytes(turned(UPRIGHT, 180)))
    (folder / "knee.dcm").write_bytes(to_bytes(made_dicom(BodyPartExamined="KNEE")))
    command = ["ingest", "--images-root", str(folder), "--data-dir", str(tmp_path / "data"), "--device", "cpu"]
    command += ["--report", str(report)]

    def run(*options: str) -> tuple[str, dict]:
        done = CliRunner().invoke(cli, [*command, *options])
        assert done.exit_code == 0, done.output
        return done.output, json.loads(report.read_text())

    monkeypatch.setenv("CHEX_CHEST_THRESHOLD", "0.01")
    _said, checked = run("--dry-run")
    said, indexed = run()
    assert [failure["reason"] for failure in checked["failures"] + indexed["failures"]] == [
        "Not a chest radiograph: BodyPartExamined says KNEE (--accept-any takes it all the same)."
    ] * 2
    assert indexed["turned"] == [{"image_id": "lying", "file": str(folder / "lying.png"), "looks_turned": 180}]
    assert checked["turned"] == []
    assert "1 of them look turned" in said
    assert run("--dry-run", "--accept-any")[1]["failures"] == []
