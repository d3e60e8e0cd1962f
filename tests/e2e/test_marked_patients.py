"""Patients, impressions and reports that nobody else's words resemble are sent through every call, by whatever goes
well or wrong; then all that the three processes have written, or said in an error, is searched for them.
"""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from gateway.guard.audit.folder import KEY_FILE
from gateway.guard.audit.verify import verify
from tests.e2e.conftest import System, running
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.e2e

NAME, PATIENT, ACCESSION = "Zqxjab^Vuwyq", "QX7ZJ-0042", "ZQACCXJ77"
DESCRIPTION, IMPRESSION, REPORT = "Zqdescrxj", "zqimprxj", "zqreprxj"
MARKS = ("Zqxjab", "Vuwyq", PATIENT, ACCESSION, DESCRIPTION, IMPRESSION, REPORT)
ASKED = f"Mild cardiomegaly in {IMPRESSION}. No pneumothorax."
TOLD = f"Small left pleural effusion in {REPORT}. Patient {NAME}, {PATIENT}."
HEADER = {
    "PatientName": NAME,
    "PatientID": PATIENT,
    "AccessionNumber": ACCESSION,
    "StudyDescription": DESCRIPTION,
    "SeriesDescription": DESCRIPTION,
    "ReferringPhysicianName": NAME,
}
PNG, DICOM, JSON, TEXT = (
    {"Content-Type": kind} for kind in ("image/png", "application/dicom", "application/json", "text/plain")
)


class Watched(System):
    """Says all that it can say, and keeps its temporary files where they are found."""

    @property
    def environment(self) -> dict[str, str]:
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        return super().environment | {"TMPDIR": str(temporary), "CHEX_LOG_LEVEL": "debug"}


def forms_of(mark: str) -> Iterator[bytes]:
    """How a word may lie in a file; of base64, at each of the three places where it may begin."""
    for word in {mark, mark.lower(), mark.upper()}:
        plain = word.encode()
        yield from (plain, word.encode("utf-16-le"), word.encode("utf-16-be"), plain.hex().encode())
        yield plain.hex().upper().encode()
        for before, first in ((0, 0), (1, 2), (2, 3)):
            encoded = base64.b64encode(bytes(before) + plain)
            yield encoded[first : (before + len(plain)) * 8 // 6]


FORMS = {mark: tuple(forms_of(mark)) for mark in MARKS}


def marks_in(content: bytes) -> list[str]:
    return [mark for mark, forms in FORMS.items() if any(form in content for form in forms)]


@pytest.mark.parametrize("mark", MARKS)
def test_the_search_finds_a_mark_however_it_is_written(mark):
    written = (
        mark.encode(),
        mark.encode("utf-16-le"),
        mark.encode().hex().encode(),
        *(base64.b64encode(b"x" * before + mark.encode() + b"yz") for before in range(4)),
    )
    assert [marks_in(b"before " + each + b" after") for each in written] == [[mark]] * len(written)


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[Watched]:
    with running(Watched(tmp_path_factory.mktemp("watched"))) as system:
        yield system


def ways_in(picture: bytes, dicom: bytes) -> list[tuple[str, str, dict[str, object]]]:
    report = {"text": TOLD, "accession_number": ACCESSION, "accession_issuer": DESCRIPTION}
    form = {"file": (f"{PATIENT}.png", picture, "image/png"), "report": (f"{PATIENT}.txt", TOLD, "text/plain")}
    return [
        ("PUT", "/v1/images/one", {"content": dicom, "headers": DICOM}),
        ("POST", "/v1/images", {"content": dicom, "headers": DICOM}),
        ("POST", "/v1/images", {"content": dicom[:-500], "headers": DICOM}),
        ("PUT", "/v1/images/two", {"files": form}),
        ("PUT", "/v1/images/two", {"files": form | {"report": (None, f"Derrame en {REPORT}", "text/plain")}}),
        ("PUT", "/v1/images/three", {"content": ASKED.encode(), "headers": PNG}),
        ("POST", "/v1/reports", {"json": report}),
        ("POST", "/v1/reports", {"json": report | {"issued": NAME}}),
        ("PUT", "/v1/images/one/report", {"content": TOLD, "headers": TEXT}),
        ("PUT", "/v1/studies/1.2.3/report", {"json": {"text": TOLD}}),
        ("GET", "/v1/images/one/report", {}),
        ("POST", "/v1/retrieve", {"json": {"impression": ASKED, "filters": {"excluded_patient_ids": [PATIENT]}}}),
        ("POST", "/v1/retrieve", {"json": {"impressions": [ASKED, TOLD], "evidence": True, "spans": True}}),
        ("POST", "/v1/retrieve", {"content": f'{{"impression": "{ASKED}', "headers": JSON}),
        ("POST", "/v1/classify", {"json": {"impressions": [ASKED, f"Derrame {NAME}"], "strict_language": True}}),
        ("POST", "/v1/search", {"json": {"labels": ["Edema"], "filters": {"excluded_patient_ids": [PATIENT]}}}),
        ("POST", "/v1/search/by-image", {"content": dicom, "headers": DICOM}),
        ("GET", "/v1/images/one", {}),
        ("GET", "/v1/images", {"params": {"study_instance_uid": NAME}}),
        ("GET", f"/v1/images/^{NAME}", {}),
        ("GET", "/v1/images/one/heatmap", {"params": {"label": NAME}}),
        ("GET", f"/v1/{PATIENT}", {}),
    ]


def every_call(document: dict[str, object]) -> Iterator[tuple[str, str, dict[str, object]]]:
    """With what it does not ask for, in its query, its headers and its body."""
    body = {"impression": ASKED, "text": TOLD, "patient_id": PATIENT, NAME: DESCRIPTION}
    for path, methods in document["paths"].items():
        for method in methods:
            where = path.replace("{study_uid}", "1.2.3").replace("{image_id}", "one").replace("{", "").replace("}", "")
            sent: dict[str, object] = {
                "params": {"q": ASKED, "name": NAME},
                "headers": {"User-Agent": NAME, "From": PATIENT},
            }
            yield method.upper(), where, sent if method in {"get", "delete", "head"} else sent | {"json": body}


def test_nothing_that_was_planted_is_found_in_what_is_written_or_said(watched, phantom_pngs):
    picture, other = phantom_pngs["Cardiomegaly"]
    dicom = to_bytes(made_dicom(np.asarray(Image.open(BytesIO(other))), bits=8, **HEADER))
    assert {NAME[:6], PATIENT, ACCESSION, DESCRIPTION} <= set(marks_in(dicom))
    errors: dict[str, bytes] = {}
    statuses = []
    with httpx.Client(base_url=watched.url, timeout=30) as client:
        document = client.get("/openapi.json").json()
        for method, path, sent in [*ways_in(picture, dicom), *every_call(document)]:
            response = client.request(method, path, **sent)
            statuses.append(response.status_code)
            if response.is_error:
                errors[f"{method} {path} {len(statuses)}"] = response.content + repr(response.headers).encode()
        said = {
            f"metrics of {part}": client.get(f"http://127.0.0.1:{port}/metrics").content
            for part, port in watched.ports.items()
        }
    watched.stop()
    audit = watched.folder / "gateway" / "audit"
    written = {str(file.relative_to(watched.folder)): file for file in watched.folder.rglob("*") if file.is_file()}

    assert statuses.count(200) + statuses.count(201) >= 10
    assert len(errors) >= 15
    assert any(name.endswith(".sqlite") or "index" in name for name in written)
    assert {name: marks_in(content) for name, content in (errors | said).items() if marks_in(content)} == {}
    assert {name: marks_in(file.read_bytes()) for name, file in written.items() if marks_in(file.read_bytes())} == {}
    lines = [json.loads(line) for file in audit.glob("*.ndjson") for line in file.read_bytes().splitlines()]
    assert verify(audit, Path(audit / KEY_FILE).read_bytes()).head.count == len(lines) > 20
