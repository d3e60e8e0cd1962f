"""Reports through the whole chain: their words end at the classifier, their labels stand beside an image."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.slow

TEXT = {"Content-Type": "text/plain"}
IMPRESSION = "Large right pneumothorax. Possible pneumonia. No zebra, no pleural effusion."
STATED = {"Pneumothorax": "present", "Pneumonia": "uncertain", "Pleural Effusion": "absent"}


def stated(evidence: dict) -> dict[str, str]:
    return {label: state for label, state in evidence["states"].items() if state != "not_mentioned"}


@pytest.fixture
def picture(phantom_pngs) -> bytes:
    return phantom_pngs["Cardiomegaly"][0]


@pytest.fixture
def dicom(picture) -> bytes:
    """Of study 1.2.3, accession number A0042."""
    pixels = np.asarray(Image.open(BytesIO(picture)))
    return to_bytes(made_dicom(pixels, bits=8, StudyInstanceUID="1.2.3", AccessionNumber="A0042"))


async def test_report_beside_an_image_is_stored_with_it(chain, picture):
    files = {"file": ("a.png", picture, "image/png"), "report": (None, IMPRESSION)}
    assert (await chain.put("/v1/images/a", files=files)).status_code == 201
    evidence = (await chain.get("/v1/images/a/report")).json()
    assert stated(evidence) == STATED
    models = (await chain.get("/v1/models")).json()
    assert (evidence["of"], evidence["text_model_sha256"]) == ("image", models["text"]["weights_sha256"])


@pytest.mark.parametrize("report", ["Pas d'épanchement pleural ni de pneumothorax visible.", "", "HISTORY: CHF."])
async def test_image_beside_a_report_that_is_none_is_not_stored(chain, picture, report):
    files = {"file": ("a.png", picture, "image/png"), "report": (None, report)}
    assert (await chain.put("/v1/images/a", files=files)).status_code == 422
    assert (await chain.get("/v1/images/a")).status_code == 404
    assert (await chain.get("/v1/images/a/report")).status_code == 404


async def test_report_of_a_study_waits_for_its_image_and_is_gone_when_it_is_forgotten(chain, dicom):
    put = await chain.put("/v1/studies/1.2.3/report", content=IMPRESSION, headers=TEXT)
    assert (put.status_code, put.json()["outcome"]) == (201, "waiting")
    stored = await chain.post("/v1/images", content=dicom, headers={"Content-Type": "application/dicom"})
    image_id = stored.json()["image_id"]
    evidence = (await chain.get(f"/v1/images/{image_id}/report")).json()
    assert (evidence["of"], stated(evidence)) == ("study", STATED)
    assert (await chain.delete("/v1/studies/1.2.3/report")).status_code == 204
    assert (await chain.get(f"/v1/images/{image_id}/report")).status_code == 404


async def test_accession_number_of_a_dicom_file_finds_its_study(chain, dicom):
    await chain.post("/v1/images", content=dicom, headers={"Content-Type": "application/dicom"})
    put = await chain.post("/v1/reports", json={"text": IMPRESSION, "accession_number": "A0042"})
    assert (put.status_code, put.json()["outcome"], put.json()["images"]) == (201, "stored", 1)
    assert stated((await chain.get("/v1/studies/1.2.3/report")).json()) == STATED


async def test_pages_hold_every_image_once_and_say_what_their_reports_say(chain, phantom_pngs):
    for number, pictures in enumerate(phantom_pngs.values()):
        sent = {"content": pictures[0], "headers": {"Content-Type": "image/png"}}
        assert (await chain.put(f"/v1/images/image-{number}", **sent)).status_code == 201
    await chain.put("/v1/images/image-0/report", content=IMPRESSION, headers=TEXT)
    found, cursor = [], {}
    while cursor is not None:
        page = (await chain.get("/v1/images", params={"limit": 4, **cursor})).json()
        found += page["images"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert sorted(image["image_id"] for image in found) == sorted(f"image-{n}" for n in range(len(phantom_pngs)))
    assert {image["image_id"] for image in found if image["report"]} == {"image-0"}


async def test_no_word_of_a_report_and_no_accession_number_reaches_the_disk(chain, dicom, tmp_path):
    files = {"file": ("a.dcm", dicom, "application/dicom"), "report": (None, IMPRESSION)}
    assert (await chain.post("/v1/images", files=files)).status_code == 201
    await chain.post("/v1/reports", json={"text": IMPRESSION, "accession_number": "A0042"})
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert len(written) > 1000
    for word in (b"zebra", b"A0042"):
        assert word not in written
