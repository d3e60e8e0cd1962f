"""The OpenAPI document is complete, and the gateway keeps to it for whatever schemathesis makes up."""

import json
import re

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over
from tests.gateway.made_up import never_shut_down, not_said_by

pytestmark = pytest.mark.slow

app = gateway_over(FakeClassifier(), FakeIndex())
schema = schemathesis.openapi.from_dict(app.openapi())


schema.app = never_shut_down(app)


@schema.parametrize()
@settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_gateway_keeps_to_its_document(case):
    case.call_and_validate(excluded_checks=not_said_by(case))


OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for path, methods in app.openapi()["paths"].items()
    for operation in methods.values()
    if path.startswith("/v1/")
]

CALLS = [(method, path) for path, methods in app.openapi()["paths"].items() for method in methods]


def filled(path: str) -> str:
    return (
        path.replace("{image_id}", "image-1").replace("{study_uid}", "1.2").replace("{patient_key}", "0123456789abcdef")
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_is_explained_and_its_errors_are_problems(operation):
    assert operation["summary"]
    assert len(operation["description"]) > 40
    assert operation["tags"][0] in {tag["name"] for tag in app.openapi()["tags"]}
    errors = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
    assert {"422", "429", "502", "503", "504"} <= set(errors)
    if "requestBody" in operation:
        assert {"400", "408", "413", "415"} <= set(errors)
    for status, answer in errors.items():
        assert list(answer["content"]) == ["application/problem+json"]
        examples = [example["value"] for example in answer["content"]["application/problem+json"]["examples"].values()]
        assert {example["status"] for example in examples} == {int(status)}
        assert len({example["type"] for example in examples}) == len(examples)
        waits = status in {"429", "503"} or "urn:chexretriever:still-at-work" in {each["type"] for each in examples}
        assert ("Retry-After" in answer.get("headers", {})) == waits


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_no_call_takes_a_query_parameter_that_is_not_in_the_document(client, method, path):
    response = await client.request(method, filled(path), params={"nonsense": "1"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "query.nonsense")


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_examples_of_bodies_run_as_they_are(operation):
    content = operation.get("requestBody", {}).get("content", {})
    method, path = next(
        (method, path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if methods[method] == operation
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        for media_type in {"application/json", "text/plain"} & set(content):
            assert content[media_type]["examples"]
            for example in content[media_type]["examples"].values():
                written = example["value"] if media_type == "text/plain" else json.dumps(example["value"])
                sent = {"content": written, "headers": {"Content-Type": media_type}}
                response = await client.request(method, filled(path), **sent)
                assert response.is_success, response.text


def test_calls_that_write_by_post_take_an_idempotency_key_and_no_others_do():
    taking = {
        (method, path)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
        if "idempotency-key" in {parameter["name"] for parameter in operation.get("parameters", ())}
    }
    assert taking == {
        ("post", "/v1/images"),
        ("post", "/v1/reports"),
        ("post", "/v1/reports/delete"),
        ("post", "/v1/patients/by-id/delete"),
    }


async def test_every_reference_in_the_document_leads_somewhere():
    document = app.openapi()
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references <= set(document["components"]["schemas"])


async def test_refused_method_comes_with_all_that_the_path_takes(client):
    response = await client.patch("/v1/images/image-1")
    assert (response.status_code, response.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")
