from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateway.fakes import FakeIndex, problem
from tests.gateway.forms import parts_of

PNG = {"Content-Type": "image/png"}


@pytest.fixture
def settings() -> dict[str, object]:
    return {"max_upload_bytes": 1000}


async def test_new_image_is_201_with_its_place_and_again_200(client, index):
    response = await client.put("/v1/images/a.1", content=b"pixels", headers=PNG)
    assert (response.status_code, response.headers["location"]) == (201, "/v1/images/a.1")
    assert response.json()["links"] == {
        "image": "/v1/images/a.1",
        "thumbnail": "/v1/images/a.1/thumbnail",
        "wado_rs": None,
        "viewer": None,
    }
    again = await client.put("/v1/images/a.1", content=b"pixels", headers=PNG)
    assert again.status_code == 200
    assert "location" not in again.headers
    assert index.images["a.1"] == b"pixels"


async def test_other_content_under_an_id_is_a_409_unless_replace_is_asked(client, index):
    await client.put("/v1/images/a", content=b"old", headers=PNG)
    response = await client.put("/v1/images/a", content=b"new", headers=PNG)
    assert response.status_code == 409
    assert response.json()["type"] == "urn:chexretriever:conflict"
    assert (await client.put("/v1/images/a?replace=true", content=b"new", headers=PNG)).status_code == 200
    assert index.images["a"] == b"new"


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/images/a"), ("POST", "/v1/images")])
async def test_what_is_no_chest_is_a_422_of_its_own_type_unless_any_picture_is_accepted(client, index, method, path):
    refused = await client.request(method, path, content=b"a cat", headers=PNG)
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:chexretriever:not-a-chest-radiograph"
    assert "0.03" in refused.json()["detail"]
    assert b"a cat" not in index.images.values()
    taken = await client.request(method, f"{path}?accept_any=true", content=b"a cat", headers=PNG)
    assert taken.status_code == 201
    assert b"a cat" in index.images.values()


async def test_image_without_an_id_gets_one(client, index):
    response = await client.post("/v1/images", content=b"pixels", headers=PNG)
    assert response.status_code == 201
    image_id = response.json()["image_id"]
    assert response.headers["location"] == f"/v1/images/{image_id}"
    assert index.images[image_id] == b"pixels"


async def test_advice_to_replace_can_be_followed_on_both_ways_in(client, index):
    for method, path in (("PUT", "/v1/images/a"), ("POST", "/v1/images")):
        assert (await client.request(method, f"{path}?replace=true", content=b"pixels", headers=PNG)).is_success
        assert index.requests[-1].url.params["replace"] == "true"


async def test_headers_that_are_not_ascii_are_handed_on_as_they_came(client, index):
    odd = "image/png; name=caf\u00e9".encode("latin-1")
    assert (await client.put("/v1/images/a", content=b"pixels", headers={"Content-Type": odd})).status_code == 201
    assert dict(index.requests[-1].headers.raw)[b"content-type"] == odd
    tag = '"caf\u00e9"'.encode("latin-1")
    assert (await client.get("/v1/images/a/thumbnail", headers={"If-None-Match": tag})).status_code == 200
    assert dict(index.requests[-1].headers.raw)[b"If-None-Match"] == tag


async def test_white_space_around_a_header_is_not_handed_on(client, index):
    """A server lets it in; a client that sends it is refused by its own HTTP library."""
    padded = {b"Content-Type": b"image/png \t"}
    assert (await client.put("/v1/images/a", content=b"pixels", headers=padded)).status_code == 201
    assert dict(index.requests[-1].headers.raw)[b"content-type"] == b"image/png"
    padded = {b"If-None-Match": b'"v0" \t'}
    assert (await client.get("/v1/images/a/thumbnail", headers=padded)).status_code == 200
    assert dict(index.requests[-1].headers.raw)[b"If-None-Match"] == b'"v0"'


async def test_form_without_a_report_is_passed_on_as_it_is(client, index):
    files = {"file": ("chest.png", b"pixels", "image/png"), "metadata": (None, '{"view_position": "PA"}')}
    response = await client.put("/v1/images/a", files=files)
    assert response.status_code == 201
    (sent,) = index.requests
    assert parts_of(sent) == parts_of(response.request)
    assert sent.headers["transfer-encoding"] == "chunked"  # what a report becomes is of a length that nobody knows yet


async def test_known_length_is_passed_on_so_that_the_index_can_refuse_unread(client, index):
    await client.put("/v1/images/a", content=b"pixels", headers=PNG)
    assert index.requests[0].headers["content-length"] == "6"
    assert "transfer-encoding" not in index.requests[0].headers


async def chunks(count: int, sent: list[int]) -> AsyncIterator[bytes]:
    for number in range(count):
        sent.append(number)
        yield b"x" * 400


async def test_declared_long_upload_is_refused_before_it_reaches_the_index(client, index):
    response = await client.put("/v1/images/a", content=b"x" * 1001, headers=PNG)
    assert response.status_code == 413
    assert index.requests == []


async def test_upload_of_unknown_length_is_refused_once_it_is_too_long(client, index):
    response = await client.put("/v1/images/a", content=chunks(100, []), headers=PNG)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert "a" not in index.images


async def test_upload_reaches_the_index_while_it_arrives(client, index):
    """The index has the first part before the client has sent the second."""
    sent: list[int] = []
    seen = []

    async def in_parts(request: httpx.Request) -> httpx.Response:
        seen.extend([len(sent) async for _ in request.stream])
        return httpx.Response(201, json=FakeIndexWith("a").record("a"))

    index.script = [in_parts]
    response = await client.put("/v1/images/a", content=chunks(2, sent), headers=PNG)
    assert response.status_code == 201
    assert seen[0] == 1


class FakeIndexWith(FakeIndex):
    def __init__(self, image_id: str) -> None:
        super().__init__()
        self.images = {image_id: b"x"}


async def test_upload_that_found_no_connection_is_sent_again(client, index):
    index.script = [httpx.ConnectError("refused")]
    assert (await client.put("/v1/images/a", content=b"pixels", headers=PNG)).status_code == 201
    assert len(index.requests) == 2


async def test_upload_that_was_begun_is_not_sent_again(client, index):
    async def die(request: httpx.Request) -> httpx.Response:
        await request.aread()
        raise httpx.ReadError("reset")

    index.script = [die]
    response = await client.put("/v1/images/a", content=b"pixels", headers=PNG)
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json()["part"] == "image-index"
    assert len(index.requests) == 1


async def test_upload_is_not_sent_again_after_a_503(client, index):
    index.script = [problem(503, "unavailable", "The disk is full.", headers={"Retry-After": "30"})]
    response = await client.put("/v1/images/a", content=b"pixels", headers=PNG)
    assert (response.status_code, response.headers["retry-after"]) == (503, "30")
    assert response.json()["detail"] == "The disk is full."


@pytest.mark.parametrize("media_type", ["text/plain", "image/gif", None])
async def test_media_type_is_judged_by_the_index(client, media_type):
    headers = {} if media_type is None else {"Content-Type": media_type}
    assert (await client.put("/v1/images/a", content=b"pixels", headers=headers)).status_code == 415


async def test_client_that_goes_away_leaves_nothing_behind(client, index):
    """The client's connection ends in the middle of the body: nothing is stored, and nothing counts as our failure."""
    app = client._transport.app
    messages = [
        {"type": "http.request", "body": b"begun", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent = []

    async def receive() -> dict:
        return messages.pop(0)

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/v1/images/a",
        "raw_path": b"/v1/images/a",
        "query_string": b"",
        "headers": [(b"content-type", b"image/png"), (b"content-length", b"100")],
        "root_path": "",
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert "a" not in index.images


async def test_pages_of_images_come_with_links_until_the_last(client, index):
    first = (await client.get("/v1/images?limit=2")).json()
    assert [image["image_id"] for image in first["images"]] == ["image-1", "image-2"]
    assert first["images"][0]["links"]["image"] == "/v1/images/image-1"
    last = (await client.get("/v1/images", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [image["image_id"] for image in last["images"]] == ["image-3"]
    assert last["next_cursor"] is None


async def test_what_narrows_a_page_is_passed_on_and_nothing_else(client, index):
    asked = {"study_instance_uid": "1.2", "series_instance_uid": "1.3", "sop_instance_uid": "1.4"}
    await client.get("/v1/images", params=asked | {"report_disagrees": "true"})
    await client.get("/v1/images")
    assert [dict(request.url.params) for request in index.requests] == [asked | {"report_disagrees": "true"}, {}]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "cursor=", "study_instance_uid=a", "report_disagrees=maybe", "offset=1"],
)
async def test_page_that_is_asked_for_wrongly_is_a_422_and_reaches_no_service(client, index, query):
    response = await client.get(f"/v1/images?{query}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, f"query.{query.partition('=')[0]}")
    assert index.requests == []


async def test_image_can_be_read_and_deleted(client):
    assert (await client.get("/v1/images/image-1")).json()["image_id"] == "image-1"
    response = await client.delete("/v1/images/image-1")
    assert (response.status_code, response.content) == (204, b"")
    assert (await client.get("/v1/images/image-1")).status_code == 404
    assert (await client.delete("/v1/images/image-1")).status_code == 204


async def test_delete_whose_answer_is_lost_is_sent_again_and_is_no_error(client, index):
    def lose_the_answer(request: httpx.Request) -> httpx.Response:
        index.answer(request)
        raise httpx.ReadError("lost")

    index.script = [lose_the_answer]
    assert (await client.delete("/v1/images/image-1")).status_code == 204
    assert [request.method for request in index.requests] == ["DELETE"] * 2


@pytest.mark.parametrize(("picture", "media_type"), [("thumbnail", "image/jpeg"), ("heatmap?label=Edema", "image/png")])
async def test_picture_comes_with_what_a_cache_needs(client, index, picture, media_type):
    response = await client.get(f"/v1/images/image-1/{picture}")
    assert (response.content, response.headers["content-type"]) == (b"picture", media_type)
    assert response.headers["etag"] == '"v1"'
    assert response.headers["cache-control"] == "private"
    assert "x-internal" not in response.headers
    again = await client.get(f"/v1/images/image-1/{picture}", headers={"If-None-Match": '"v1"'})
    assert (again.status_code, again.content) == (304, b"")


async def test_heatmap_needs_one_of_the_14_labels(client, index):
    assert (await client.get("/v1/images/image-1/heatmap?label=Cough")).status_code == 422
    assert (await client.get("/v1/images/image-1/heatmap")).status_code == 422
    await client.get("/v1/images/image-1/heatmap?label=Pleural+Effusion")
    assert [dict(request.url.params) for request in index.requests] == [{"label": "Pleural Effusion"}]


@pytest.mark.parametrize("image_id", ["..", ".hidden", "a%2Fb", "a%20b", "x" * 129, "-", "a%00", "ä"])
async def test_id_that_is_none_reaches_no_service(client, index, image_id):
    response = await client.get(f"/v1/images/{image_id}")
    assert response.status_code in {404, 405, 422}
    assert index.requests == []
