"""A picture with a name in it: refused, masked in all that is served, or let in, as the setting says."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import ExifTags, Image

from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.ingest.run import Archive, Ingesting, ingest
from services.image_index.ingest.tally import BURNED_IN
from services.image_index.pictures.burned_in.identifying import LEAST_CONFIDENCE, identifying
from services.image_index.pictures.burned_in.reader import TextReader, is_installed
from services.image_index.settings import ImageIndexSettings
from shared.schemas.system import BurnedInPolicy
from tests.image_index.conftest import png_bytes
from tests.image_index.pictures.burned_in.written import MARKERS, NAME, needs_reader, phantom, written
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.slow

NAMED = png_bytes(written(phantom(), NAME))
MARKED = png_bytes(written(phantom(), *MARKERS))
REFUSED = "urn:chexretriever:burned-in-text"


def dicom_of(grey: np.ndarray, **elements: object) -> bytes:
    return to_bytes(made_dicom(grey, bits=8, WindowCenter=128, WindowWidth=256, **elements))


def says(content: str | bytes) -> bool:
    text = content if isinstance(content, str) else content.decode(errors="replace")
    return "ROSENBAUM" in text.upper() or "TILDA" in text.upper()


@pytest.fixture
async def index(connect: Callable, settings: ImageIndexSettings, encoder: Encoder) -> Callable:
    async def start(policy: BurnedInPolicy | None) -> httpx.AsyncClient:
        client: httpx.AsyncClient = await connect(
            create_app(settings.model_copy(update={"burned_in": policy}), encoder)
        )
        return client

    return start


@needs_reader
async def test_refused_with_the_place_and_never_with_the_text(
    index: Callable, settings: ImageIndexSettings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    client = await index("refuse")
    refused = await client.put("/v1/images/a", content=NAMED)
    taken = await client.put("/v1/images/b", content=MARKED)
    searched = await client.post("/v1/search/by-image", content=NAMED)

    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert refused.json()["type"] == REFUSED
    assert "% of its width" in refused.json()["detail"]
    assert (taken.status_code, taken.json()["metadata"]["masked_regions"]) == (201, None)
    assert searched.status_code == 200  # nothing is kept of it, nor shown
    assert (await client.get("/v1/index")).json()["size"] == 1
    assert (await client.get("/v1/model")).json()["burned_in"] == {"policy": "refuse", "reader_installed": True}
    answers = [refused.text, searched.text, (await client.get("/metrics")).text]
    kept = [file.read_bytes() for file in settings.data_dir.rglob("*") if file.is_file()]
    assert not any(map(says, [*answers, *kept, caplog.text, *capfd.readouterr()]))


@needs_reader
async def test_masked_in_every_picture_that_is_served(index: Callable) -> None:
    client = await index("mask")
    masked = (await client.put("/v1/images/a", content=NAMED)).json()
    marked = (await client.put("/v1/images/b", content=MARKED)).json()
    found = (await client.post("/v1/search/by-image", content=NAMED)).json()

    assert masked["metadata"]["masked_regions"] == 1
    assert marked["metadata"]["masked_regions"] is None
    assert (await client.get("/v1/images/a")).json() == masked
    assert found["probabilities"] == masked["probabilities"]
    read = TextReader()
    for path in ("thumbnail", "heatmap?label=Edema"):
        for image_id in "ab":
            answer = await client.get(f"/v1/images/{image_id}/{path}")
            grey = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L"))
            assert identifying(read(grey)) == []
            assert not any(says(line.text) for line in read(grey))


def turned_by_its_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    out = io.BytesIO()
    Image.fromarray(written(phantom(), NAME)).save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


@needs_reader
@pytest.mark.parametrize(
    "data",
    [
        *(turned_by_its_exif(orientation) for orientation in (2, 3, 5, 8)),
        *(dicom_of(written(phantom(), NAME), PatientOrientation=list(said)) for said in ("RF", "RH", "FL", "HL")),
    ],
    ids=["mirrored", "upside down", "mirrored, on its side", "on its side"] * 2,
)
async def test_text_that_could_be_read_before_the_picture_was_put_upright_is_found(
    index: Callable, data: bytes
) -> None:
    client = await index("mask")
    masked = await client.put("/v1/images/a?accept_any=true", content=data)
    thumbnail = await client.get("/v1/images/a/thumbnail")

    assert (masked.status_code, masked.json()["metadata"]["masked_regions"]) == (201, 1)
    assert identifying(TextReader()(np.asarray(Image.open(io.BytesIO(thumbnail.content)).convert("L")))) == []


async def test_allowed_is_as_without_a_check(index: Callable) -> None:
    client = await index("allow")

    assert (await client.put("/v1/images/a", content=NAMED)).status_code == 201
    assert (await client.get("/v1/model")).json()["burned_in"] == {
        "policy": "allow",
        "reader_installed": is_installed(),
    }


async def test_what_a_file_says_of_itself_is_refused_even_where_nobody_looks(index: Callable) -> None:
    client = await index("allow")
    data = dicom_of(phantom(), BurnedInAnnotation="YES")
    answers = [await client.post("/v1/images", content=data), await client.post("/v1/search/by-image", content=data)]

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(422, REFUSED)] * 2


@needs_reader
async def test_what_a_file_says_of_itself_is_masked_where_the_text_is_found(index: Callable) -> None:
    client = await index("mask")
    found = await client.put("/v1/images/a", content=dicom_of(written(phantom(), NAME), BurnedInAnnotation="YES"))
    nothing = await client.put("/v1/images/b", content=dicom_of(phantom(), BurnedInAnnotation="YES"))

    assert (found.status_code, found.json()["metadata"]["masked_regions"]) == (201, 1)
    assert (nothing.status_code, nothing.json()["type"]) == (422, REFUSED)


@needs_reader
def test_an_ingest_reports_the_files_with_a_name_and_takes_the_others(
    settings: ImageIndexSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "archive"
    root.mkdir()
    for name, data in {"named": NAMED, "marked": MARKED, "plain": png_bytes(phantom())}.items():
        (root / f"{name}.png").write_bytes(data)
    report = tmp_path / "report.json"
    ingest(settings.model_copy(update={"burned_in": "refuse"}), Archive(root), Ingesting(report=report))

    told = json.loads(report.read_text())
    assert (told["indexed"], [failure["reason"] for failure in told["failures"]]) == (2, [BURNED_IN])
    assert told["failures"][0]["file"].endswith("named.png")
    assert not says(report.read_text() + capsys.readouterr().out)


@pytest.fixture
def handed(real_data: Path) -> bytes:
    file = real_data.parent / "cases" / "dicom" / "burned_text_without_the_tag.dcm"
    if not file.is_file():
        pytest.skip("the files with archives' mistakes are not beside the real data (cases/dicom)")
    return file.read_bytes()


@pytest.mark.real_data
@needs_reader
async def test_the_handed_file_with_a_name_and_without_the_tag_is_refused(index: Callable, handed: bytes) -> None:
    client = await index("refuse")

    assert (await client.post("/v1/images", content=handed)).json()["type"] == REFUSED


@pytest.mark.real_data
@needs_reader
async def test_the_handed_file_is_legible_in_nothing_that_is_served(index: Callable, handed: bytes) -> None:
    client = await index("mask")
    masked = await client.put("/v1/images/a", content=handed)
    thumbnail = await client.get("/v1/images/a/thumbnail")

    assert masked.json()["metadata"]["masked_regions"] == 1
    lines = TextReader()(np.asarray(Image.open(io.BytesIO(thumbnail.content)).convert("L")))
    assert [line.text for line in lines if line.confidence >= LEAST_CONFIDENCE] == []
