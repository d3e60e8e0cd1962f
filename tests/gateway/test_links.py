import httpx
import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings
from tests.gateway.fakes import FakeIndex, gateway_over

pytestmark = pytest.mark.slow

UIDS = {"study_instance_uid": "1.2", "series_instance_uid": "1.2.3", "sop_instance_uid": "1.2.3.4"}
VIEWER = "https://pacs.example/viewer?StudyInstanceUIDs={study_instance_uid}"


async def links(classifier, index: FakeIndex, **settings: object) -> dict[str, str | None]:
    app = gateway_over(classifier, index, **settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        hit = (await client.post("/v1/search", json={"labels": ["Edema"], "k": 1})).json()["result"]["hits"][0]
        image = (await client.get("/v1/images/image-1")).json()
    assert hit["links"] == image["links"]
    return image["links"]


async def test_archive_and_viewer_are_linked_by_the_images_uids(classifier, index):
    index.metadata = UIDS
    for root in ("https://pacs.example/dicom-web", "https://pacs.example/dicom-web/"):
        found = await links(classifier, index, wado_rs_url=root, viewer_url=VIEWER)
        assert found["wado_rs"] == "https://pacs.example/dicom-web/studies/1.2/series/1.2.3/instances/1.2.3.4"
        assert found["viewer"] == "https://pacs.example/viewer?StudyInstanceUIDs=1.2"


@pytest.mark.parametrize("missing", UIDS)
async def test_link_that_lacks_a_uid_is_left_out(classifier, index, missing):
    index.metadata = {name: uid for name, uid in UIDS.items() if name != missing}
    found = await links(classifier, index, wado_rs_url="https://pacs.example/dicom-web", viewer_url=VIEWER)
    assert found["wado_rs"] is None
    assert (found["viewer"] is None) == (missing == "study_instance_uid")


async def test_no_archive_and_no_viewer_are_linked_unless_configured(classifier, index):
    index.metadata = UIDS
    found = await links(classifier, index)
    assert (found["wado_rs"], found["viewer"]) == (None, None)


async def test_links_and_pages_stay_under_the_proxys_prefix(classifier, index):
    assert (await links(classifier, index, root_path="/chex"))["thumbnail"] == "/chex/v1/images/image-1/thumbnail"
    app = gateway_over(classifier, index, root_path="/chex")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        assert (await client.get("/")).headers["location"] == "/chex/docs"
        assert "/chex/openapi.json" in (await client.get("/docs")).text
        assert (await client.put("/v1/images/b", content=b"x", headers={"Content-Type": "image/png"})).headers[
            "location"
        ] == "/chex/v1/images/b"


async def test_study_uid_that_was_made_up_is_not_linked(classifier, index):
    index.metadata = {**UIDS, "study_invented": True}
    found = await links(classifier, index, wado_rs_url="https://pacs.example/dicom-web", viewer_url=VIEWER)
    assert (found["wado_rs"], found["viewer"]) == (None, None)
    by_instance = await links(classifier, index, viewer_url="https://pacs.example/{sop_instance_uid}")
    assert by_instance["viewer"] == "https://pacs.example/1.2.3.4"


async def test_picture_that_is_not_there_is_not_linked(classifier, index):
    index.pictured = False
    found = await links(classifier, index)
    assert (found["image"], found["thumbnail"]) == ("/v1/images/image-1", None)


@pytest.mark.parametrize("slash", ["", "/"])
async def test_links_begin_with_the_public_url_where_there_is_one(classifier, index, slash):
    app = {"root_path": "/behind", "public_url": f"https://chex.example.org/chex{slash}"}
    found = await links(classifier, index, **app)
    assert found["image"] == "https://chex.example.org/chex/v1/images/image-1"
    assert found["thumbnail"] == "https://chex.example.org/chex/v1/images/image-1/thumbnail"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(gateway_over(classifier, index, **app)), base_url="http://gateway"
    ) as client:
        stored = await client.put("/v1/images/b", content=b"x", headers={"Content-Type": "image/png"})
    assert stored.headers["location"] == "https://chex.example.org/chex/v1/images/b"


PNG = {"Content-Type": "image/png"}
LINKING = {
    "retrieve": ("POST", "/v1/retrieve", {"json": {"impressions": ["Edema", "Pneumonia"]}}),
    "search": ("POST", "/v1/search", {"json": {"labels": ["Edema"]}}),
    "by image": ("POST", "/v1/search/by-image", {"content": b"x", "headers": PNG}),
    "put": ("PUT", "/v1/images/new", {"content": b"x", "headers": PNG}),
    "put again": ("PUT", "/v1/images/image-1", {"content": b"content", "headers": PNG}),
    "post": ("POST", "/v1/images", {"content": b"x", "headers": PNG}),
    "image": ("GET", "/v1/images/image-1", {}),
    "images": ("GET", "/v1/images", {}),
    "front page": ("GET", "/", {}),
}


def paths_in(value: object) -> list[str]:
    """Whatever looks like a path, or an address, in an answer."""
    if isinstance(value, dict | list):
        return [path for each in (value.values() if isinstance(value, dict) else value) for path in paths_in(each)]
    return [value] if isinstance(value, str) and value.startswith(("/", "http")) else []


@pytest.mark.parametrize("call", LINKING)
async def test_every_link_and_location_is_absolute_where_there_is_a_public_url(classifier, index, call):
    method, path, sent = LINKING[call]
    app = gateway_over(classifier, index, root_path="/behind", public_url="https://chex.example.org/chex")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        response = await client.request(method, path, **sent)
    found = [response.headers["location"]] if "location" in response.headers else []
    found += paths_in(response.json()) if response.content else []
    assert found
    assert [path for path in found if not path.startswith("https://chex.example.org/chex/")] == []


@pytest.mark.parametrize("url", ["chex.example.org", "ftp://x", "https://x/?a=b", "https://x/#a", "/chex"])
@pytest.mark.parametrize("name", ["public_url", "wado_rs_url"])
def test_url_that_links_cannot_begin_with_is_refused_at_start(name, url):
    with pytest.raises(ValidationError, match=name):
        GatewaySettings(**{name: url})


@pytest.mark.parametrize(
    "template", ["{patient_name}", "https://x/{study_instance_uid", "https://x/{}", "https://x/{study_instance_uid.x}"]
)
def test_viewer_template_that_cannot_work_is_refused_at_start(template):
    with pytest.raises(ValidationError, match="viewer_url"):
        GatewaySettings(viewer_url=template)


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("CHEX_GATEWAY_PORT", "9000")
    monkeypatch.setenv("CHEX_TEXT_URL", "http://text:8001")
    monkeypatch.setenv("CHEX_VIEWER_URL", VIEWER)
    settings = GatewaySettings()
    assert (settings.gateway_port, str(settings.text_url), settings.viewer_url) == (9000, "http://text:8001/", VIEWER)
