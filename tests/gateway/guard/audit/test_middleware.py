"""Every access leaves one line that says who did what to which picture; what cannot be written is not answered."""

import asyncio
import json

import httpx
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from tests.gateway.fakes import PATIENT_KEY, WEIGHTS, gateway_over, problem
from tests.gateway.guard.audit.audits import lines_of, verified
from tests.gateway.guard.audit.test_journal import no_file_longer_than

PNG = {"Content-Type": "image/png"}
TEXT = {"Content-Type": "text/plain"}
STUDY = "1.2.840.99"


@pytest.fixture
def settings(tmp_path):
    return {"gateway_dir": tmp_path}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit"


def told(line) -> dict[str, object]:
    """A line as the tests speak of it."""
    AuditEvent.model_validate(line)
    named = [entity["what"].get("identifier", {}).get("value") for entity in line["entity"][1:-1]]
    details: dict[str, list[str]] = {}
    for detail in line["entity"][-1]["detail"]:
        details.setdefault(detail["type"], []).append(detail["valueString"])
    return {
        "call": details["call"][0],
        "action": line["action"],
        "said": line["outcomeDesc"],
        "named": named,
        "shown": details.get("shown_image", []),
        "models": sorted(key for key in details if key.endswith("sha256")),
        "generation": details.get("index_generation"),
    }


def only(folder):
    (line,) = lines_of(folder)
    return told(line)


IMAGE, REPORT = "image-1", f"/v1/studies/{STUDY}/report"
OF_IMAGE, OF_TEXT = "image_model_sha256", "text_model_sha256"


def line(call, action, said, **more) -> dict[str, object]:
    return {"call": call, "action": action, "said": said, "named": [], "shown": [], "models": [], **more}


ACCESSES = [
    (("GET", f"/v1/images/{IMAGE}", {}), line("{image_id}", "R", 200, named=[IMAGE], models=[OF_IMAGE])),
    (("GET", f"/v1/images/{IMAGE}/thumbnail", {}), line("{image_id}/thumbnail", "R", 200, named=[IMAGE])),
    (("GET", "/v1/images/none", {}), line("{image_id}", "R", 404, named=["none"])),
    (("GET", "/v1/images/^DOE", {}), line("{image_id}", "R", 422)),
    (("GET", "/v1/images", {"params": {"limit": 2}}), line("images", "E", 200, shown=["image-1", "image-2"])),
    (
        ("PUT", "/v1/images/new", {"content": b"x", "headers": PNG}),
        line("{image_id}", "C", 201, named=["new"], models=[OF_IMAGE]),
    ),
    (
        ("PUT", f"/v1/images/{IMAGE}", {"content": b"content", "headers": PNG}),
        line("{image_id}", "U", 200, named=[IMAGE], models=[OF_IMAGE]),
    ),
    (("DELETE", f"/v1/images/{IMAGE}", {}), line("{image_id}", "D", 204, named=[IMAGE])),
    (
        ("PUT", REPORT, {"content": "Edema", "headers": TEXT}),
        line("{study_uid}/report", "C", 201, named=[f"urn:oid:{STUDY}"], models=[OF_TEXT]),
    ),
    (("GET", REPORT, {}), line("{study_uid}/report", "R", 404, named=[f"urn:oid:{STUDY}"])),
    (("POST", "/v1/classify", {"json": {"impressions": ["Edema"]}}), line("classify", "E", 200, models=[OF_TEXT])),
    (
        ("POST", "/v1/search", {"json": {"labels": ["Edema"], "k": 2}}),
        line("search", "E", 200, shown=["image-1", "image-2"], models=[OF_IMAGE]),
    ),
    (
        ("POST", "/v1/search/by-image", {"params": {"k": 1}, "content": b"x", "headers": PNG}),
        line("by-image", "E", 200, shown=["image-1"], models=[OF_IMAGE]),
    ),
    (
        ("POST", "/v1/retrieve", {"json": {"impression": "Edema", "k": 1}}),
        line("retrieve", "E", 200, shown=["image-1"], models=[OF_IMAGE, OF_TEXT]),
    ),
]


@pytest.mark.parametrize(("asked", "expected"), ACCESSES)
async def test_each_access_is_one_line(client, folder, asked, expected):
    method, path, sent = asked
    response = await client.request(method, path, **sent)
    found = only(folder)
    assert found.pop("generation") in (None, ["0"], ["1"])
    call = found.pop("call")
    assert call.startswith(f"{method} /v1/")
    assert call.endswith(f"/{expected['call']}")
    assert {"call": expected["call"], **found} == {**expected, "said": f"HTTP {response.status_code}"}
    assert response.status_code == expected["said"]
    request_id = lines_of(folder)[0]["entity"][0]["what"]["identifier"]["value"]
    assert request_id == response.headers["x-request-id"]


async def test_a_study_is_named_beside_its_image_and_the_accession_number_by_its_hash(client, index, folder):
    index.metadata = {"study_instance_uid": STUDY}
    await client.get(f"/v1/images/{IMAGE}")
    await client.post("/v1/reports", json={"text": "Edema", "accession_number": "A0042"})
    image, report = (told(line) for line in lines_of(folder))
    assert image["named"] == [IMAGE, f"urn:oid:{STUDY}"]
    assert len(report["named"][0]) == 32
    assert "A0042" not in json.dumps(lines_of(folder))
    assert WEIGHTS in json.dumps(lines_of(folder))


async def test_an_answer_that_is_given_again_names_whom_it_is_about(client, folder):
    for _ in range(2):
        await client.post("/v1/images", content=b"x", headers=PNG | {"Idempotency-Key": "one"})
        await client.post(
            "/v1/patients/by-id/delete", json={"patient_id": "20564"}, headers={"Idempotency-Key": "other"}
        )
    named = [told(line)["named"] for line in lines_of(folder)]
    assert named[:2] == named[2:]
    assert named[1] == [PATIENT_KEY]
    assert len(named[0]) == 1
    assert "20564" not in json.dumps(lines_of(folder))


@pytest.mark.parametrize("path", ["/v1/index", "/v1/models", "/healthz", "/readyz", "/metrics", "/docs", "/v1/nothing"])
async def test_what_touches_no_patient_is_not_written_down(client, folder, path):
    await client.get(path)
    assert lines_of(folder) == []


async def test_every_call_of_the_interface_is_audited_but_for_those_that_are_named(client):
    """Also those that will come."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {path for path in paths if not path.startswith("/v1/")} == {"/healthz", "/readyz", "/metrics"}


async def test_a_refusal_for_want_of_room_is_not_written_down(client, index, folder):
    index.script = [problem(429, "overloaded")]
    assert (await client.get(f"/v1/images/{IMAGE}")).status_code == 429
    assert lines_of(folder) == []


async def test_a_failure_behind_the_gateway_is_written_down(client, index, folder):
    index.script = [httpx.ConnectError("down"), httpx.ConnectError("down")]
    await client.get(f"/v1/images/{IMAGE}")
    (line,) = lines_of(folder)
    assert (line["outcome"], line["outcomeDesc"]) == ("8", "HTTP 503")


async def test_a_caller_that_went_away_is_written_down(classifier, index, tmp_path, folder):
    asked = asyncio.Event()

    async def never(_request):
        asked.set()
        await asyncio.sleep(60)

    index.script = [never]
    app = gateway_over(classifier, index, gateway_dir=tmp_path)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://g") as client:
        waiting = asyncio.create_task(client.get(f"/v1/images/{IMAGE}"))
        await asked.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert only(folder)["said"] == "The caller went away before it was answered."
    assert only(folder)["named"] == [IMAGE]


async def test_concurrent_callers_each_have_their_line(client, folder):
    await asyncio.gather(*(client.get(f"/v1/images/image-{1 + number % 3}") for number in range(60)))
    assert len(lines_of(folder)) == 60
    assert verified(folder).head.count >= 59  # the last group's head may be on its way


def full_disk(folder):
    (file,) = folder.glob("*.ndjson")
    return no_file_longer_than(file.stat().st_size)


async def test_what_cannot_be_written_down_is_neither_answered_nor_begun_and_heals_by_itself(client, index, folder):
    await client.get(f"/v1/images/{IMAGE}")
    with full_disk(folder):
        answered = await client.get(f"/v1/images/{IMAGE}")
        begun = len(index.requests)
        refused = [await client.get(f"/v1/images/{IMAGE}"), await client.delete(f"/v1/images/{IMAGE}")]
        ready = await client.get("/readyz")
        metrics = (await client.get("/metrics")).text
        allowed = await client.get("/v1/index")
    for response in (answered, *refused):
        assert response.status_code == 503
        assert response.json()["type"] == "urn:chexretriever:unavailable"
        assert response.json()["part"] == "audit"
        assert response.headers["retry-after"]
        assert "content_sha256" not in response.text
    assert len([request for request in index.requests[begun:] if request.url.path == f"/v1/images/{IMAGE}"]) == 0
    assert IMAGE in index.images
    assert ready.status_code == 503
    assert [check["ready"] for check in ready.json()["checks"] if check["part"] == "audit"] == [False]
    assert "chex_audit_writable 0.0" in metrics
    assert "chex_audit_refused_total 3.0" in metrics
    assert allowed.status_code == 200

    await asyncio.sleep(0.25)
    assert (await client.get("/readyz")).status_code == 200
    assert (await client.delete(f"/v1/images/{IMAGE}")).status_code == 204
    assert [told(line)["call"].split()[0] for line in lines_of(folder)] == ["GET", "DELETE"]
    assert verified(folder).head.count == 2
