"""Callers that try what their key does not give them: every call of the document, with every right that is not its."""

import pytest

from gateway.guard.caller import RIGHTS
from gateway.guard.rights import NEEDS
from tests.attacks.conftest import is_refused

pytestmark = pytest.mark.slow

CALLS = [(method, path, need) for (method, path), need in NEEDS.items() if need in RIGHTS]
OPEN = [(method, path) for (method, path), need in NEEDS.items() if need == "open"]
KNOWN = [(method, path) for (method, path), need in NEEDS.items() if need == "any"]


def filled(path: str) -> str:
    if path == "/static-offline-docs":
        return f"{path}/swagger-ui.css"
    return path.replace("{image_id}", "image-1").replace("{study_uid}", "1.2")


@pytest.mark.parametrize(("method", "path", "need"), CALLS)
async def test_call_is_refused_to_all_rights_but_its_own(token_target, issuer, method, path, need):
    others = " ".join(right for right in RIGHTS if right != need)
    headers = {"Authorization": f"Bearer {issuer.token(scope=others)}"}
    refused = await token_target.client.request(method, filled(path), headers=headers, content=b"{}")
    is_refused(refused, 403, "insufficient_scope")
    assert f'scope="{need}"' in refused.headers["www-authenticate"]
    nobody = await token_target.client.request(method, filled(path), content=b"{}")
    is_refused(nobody, 401)
    assert token_target.reached() == 0
    headers = {"Authorization": f"Bearer {issuer.token(scope=need)}"}
    let_in = await token_target.client.request(method, filled(path), headers=headers, content=b"{}")
    assert let_in.status_code not in {401, 403}


@pytest.mark.parametrize(("method", "path"), KNOWN)
async def test_call_for_whoever_is_known_takes_no_right_and_is_refused_to_strangers(token_target, issuer, method, path):
    is_refused(await token_target.client.request(method, path), 401)
    headers = {"Authorization": f"Bearer {issuer.token(scope='')}"}
    assert (await token_target.client.request(method, path, headers=headers)).status_code == 200


@pytest.mark.parametrize(("method", "path"), OPEN)
async def test_open_call_is_open(token_target, method, path):
    assert (await token_target.client.request(method, filled(path))).status_code in {200, 307}


@pytest.mark.parametrize(
    "path",
    [
        "//v1/images/image-1",
        "/v1//images/image-1",
        "/v1/images/image-1/",
        "/v1/./images/image-1",
        "/healthz/../v1/images/image-1",
        "/docs/..%2fv1/images/image-1",
        "/%76%31/images/image-1",
        "/v1/images/image-1%2Fthumbnail",
        "/v1/images/image-1;/healthz",
        "/v1/images/image-1?/healthz",
        "/static-offline-docs/../../gateway/app.py",
        "/static-offline-docs/%2e%2e/%2e%2e/__init__.py",
        "/V1/images/image-1",
    ],
)
async def test_no_way_of_writing_a_path_leads_to_what_it_does_not_give(token_target, issuer, path):
    before = token_target.reached()
    for headers in ({}, {"Authorization": f"Bearer {issuer.token(scope='retrieve')}"}):
        for method in ("DELETE", "PUT"):
            response = await token_target.client.request(method, path, headers=headers)
            assert response.status_code in {401, 403, 404, 405}, (method, path, response.text)
    assert (await token_target.client.get(path)).status_code in {401, 404}
    assert token_target.reached() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/healthz"},
        {"X-Rewrite-URL": "/healthz"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"Forwarded": "for=127.0.0.1;host=localhost"},
        {"X-Forwarded-User": "admin"},
    ],
)
async def test_headers_of_proxies_give_nothing(token_target, headers):
    is_refused(await token_target.client.get("/v1/images", headers=headers), 401)
    assert token_target.reached() == 0


@pytest.mark.parametrize("path", [path for method, path, _ in CALLS if method == "GET"])
async def test_head_takes_what_get_takes(token_target, issuer, path):
    others = " ".join(right for right in RIGHTS if right != "retrieve")
    headers = {"Authorization": f"Bearer {issuer.token(scope=others)}"}
    assert (await token_target.client.head(filled(path), headers=headers)).status_code == 403
    assert (await token_target.client.head(filled(path))).status_code == 401
    assert token_target.reached() == 0
