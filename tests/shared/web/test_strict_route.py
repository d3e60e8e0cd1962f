from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query, Request

from shared.errors import Conflict, NotFound, Overloaded
from shared.labels import LABELS
from shared.schemas.search import ImageSearchParameters, SearchRequest
from shared.web.strict_route import strict_router
from tests.shared.web.conftest import bare_app

SECRET = "Jane Roe has a mass"


@pytest.fixture
def app() -> FastAPI:
    app = bare_app(max_body_bytes=5000, max_json_bytes=1000)
    router = strict_router(prefix="/v1", tags=["test"])

    @router.post("/search")
    async def search(body: SearchRequest) -> dict[str, object]:
        return body.model_dump(exclude_unset=True)

    @router.post("/bytes")
    async def count(request: Request, *, replace: bool = False) -> int:
        return len(await request.body())

    @router.get("/options")
    async def options(parameters: Annotated[ImageSearchParameters, Query()]) -> dict[str, object]:
        return parameters.model_dump(exclude_unset=True)

    @router.get("/nothing")
    async def nothing() -> None: ...

    app.include_router(router)
    return app


@pytest.fixture
async def client(app) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def sent_by(chunks: list[bytes], taken: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        taken.append(chunk)
        yield chunk


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/dicom", "application/jsonx", "multipart/form-data"]
)
async def test_body_that_is_not_called_json_is_a_415_that_names_json_and_is_not_read(client, media_type):
    taken: list[bytes] = []
    headers = {} if media_type is None else {"Content-Type": media_type}
    response = await client.post("/v1/search", content=sent_by([b'{"labels": ["Edema"]}'], taken), headers=headers)
    assert response.status_code == 415
    assert "Content-Type: application/json" in response.json()["detail"]
    assert response.headers["content-type"] == "application/problem+json"


async def test_content_type_may_have_parameters_and_any_case(client):
    headers = {"Content-Type": "Application/JSON ; charset=utf-8"}
    assert (await client.post("/v1/search", content=b'{"labels": ["Edema"]}', headers=headers)).status_code == 200


async def test_encoded_body_is_a_415(client):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await client.post("/v1/search", content=b'{"labels": ["Edema"]}', headers=headers)
    assert (response.status_code, "Content-Encoding" in response.json()["detail"]) == (415, True)


@pytest.mark.parametrize("path", ["/v1/search", "/v1/bytes"])
async def test_json_has_a_limit_of_its_own_whatever_route_it_is_sent_to(client, path):
    headers = {"Content-Type": "application/json"}
    assert (await client.post(path, content=b" " * 1001, headers=headers)).status_code == 413
    taken: list[bytes] = []
    response = await client.post(path, content=sent_by([b" " * 400] * 9, taken), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")
    assert "1,000 bytes" in response.json()["detail"]
    assert (await client.post("/v1/bytes", content=b" " * 1001, headers={"Content-Type": "image/png"})).json() == 1001


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/nothing?a=1", "takes none"),
        ("/v1/nothing?a", "takes none"),
        ("/healthz?a=1", "takes none"),
        ("/metrics?a=1", "takes none"),
        ("/v1/options?top_k=1", "takes the query parameters k, ranking, binarize"),
        ("/v1/options?filters=1", "takes the query parameters k, ranking, binarize"),
    ],
)
async def test_unknown_query_parameter_is_a_422_that_names_those_that_are_known(client, path, says):
    response = await client.get(path)
    assert response.status_code == 422
    assert says in response.json()["errors"][0]["message"]


async def test_unknown_query_parameter_is_refused_on_a_call_with_a_body(client):
    response = await client.post("/v1/bytes?replace=true&k=1", content=b"x")
    assert [error["field"] for error in response.json()["errors"]] == ["query.k"]
    response = await client.post("/v1/search?k=1", json={"labels": ["Edema"]})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "query.k")


async def test_query_is_not_repeated(client):
    response = await client.get("/v1/nothing", params={SECRET: SECRET})
    assert response.status_code == 422
    assert "Jane" not in response.text


async def test_query_parameter_that_comes_twice_is_a_422(client):
    response = await client.get("/v1/options?k=1&k=2")
    assert response.json()["errors"] == [{"field": "query.k", "message": "Given more than once."}]


@pytest.mark.parametrize(
    "query",
    [
        *("k=5.0", "k=true", "k=1_0", "k=%2B5", "k=٥", "k=", "k=1e2", "offset=1.0", "binarize=maybe"),
        *("min_score=nan", "min_score=inf", "min_score=1e400", "generation=99999999999999999999"),
    ],
)
async def test_query_parameter_that_is_no_such_value_is_a_422(client, query):
    response = await client.get(f"/v1/options?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == f"query.{query.partition('=')[0]}"


async def test_text_of_query_parameters_is_read(client):
    response = await client.get("/v1/options?k=7&min_score=-1.5&group_by=patient&binarize=true&generation=3")
    assert response.json() == {"k": 7, "min_score": -1.5, "group_by": "patient", "binarize": True, "generation": 3}


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        (["Cough"], "body.labels.0"),
        ({"Cough": 1}, "body.labels.Cough.[key]"),
        ({"Edema": 2}, "body.labels.Edema"),
        ("Edema", "body.labels"),
        (["Edema"] * 15, "body.labels"),
    ],
)
async def test_wrong_label_is_one_error_at_its_place(client, labels, field):
    response = await client.post("/v1/search", json={"labels": labels})
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_at_most_twenty_errors_are_listed_and_the_rest_is_counted(client):
    problem = (await client.post("/v1/search", json={"labels": ["Edema"], **{f"k{n}": 1 for n in range(23)}})).json()
    assert len(problem["errors"]) == 20
    assert problem["detail"] == "23 fields are not valid; see errors, which lists 20 of them and leaves 3 out."


async def test_no_redirect_to_a_host_that_the_caller_names(client):
    response = await client.get("/v1/nothing/", headers={"Host": "evil.example"})
    assert response.status_code == 404
    assert "location" not in response.headers


async def test_each_documented_error_has_an_example_of_its_own(app):
    from shared.web.documented import documented

    @app.put("/v1/documented", responses=documented(NotFound, Conflict, Overloaded))
    async def put(body: SearchRequest) -> None: ...

    responses = app.openapi()["paths"]["/v1/documented"]["put"]["responses"]
    assert set(responses) == {"200", "400", "404", "408", "409", "413", "415", "422", "429"}
    for status, response in responses.items():
        if status != "200":
            for example in response["content"]["application/problem+json"]["examples"].values():
                assert example["value"]["status"] == int(status)
                assert example["value"]["detail"]
    assert responses["429"]["content"]["application/problem+json"]["examples"]["overloaded"]["value"]["part"]
    assert responses["429"]["headers"]["Retry-After"]["example"] == 1
    assert "errors" in responses["422"]["content"]["application/problem+json"]["examples"]["invalid-input"]["value"]


def test_every_error_that_a_route_can_document_has_an_example():
    from shared import errors
    from shared.web.documented import documented

    general = {
        "ServiceError",
        "HeadTooLarge",
        "BadRequest",
        "InvalidInput",
        "Misdirected",
        "PayloadTooLarge",
        "RequestTimeout",
        "UnsupportedMediaType",
    }
    for name, error in vars(errors).items():
        if isinstance(error, type) and issubclass(error, errors.ServiceError) and name not in general:
            assert documented(error), name


async def test_label_names_are_listed_for_whoever_misses_one(client):
    message = (await client.post("/v1/search", json={"labels": ["Cough"]})).json()["errors"][0]["message"]
    assert all(label in message for label in LABELS)
