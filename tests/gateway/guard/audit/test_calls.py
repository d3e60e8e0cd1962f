"""What a call is written down as, also one that there will be."""

import pytest
from fastapi import FastAPI

from gateway.guard.audit.calls import Call, call_of, is_audited
from gateway.guard.rights import Rights, set_called


@pytest.fixture(scope="module")
def app():
    app = FastAPI()
    calls = [("GET", "/v1/studies/{study_uid}"), ("POST", "/v1/things/delete")]
    for method, path in [*calls, ("POST", "/v1/things"), ("PUT", "/v1/things/{name}"), ("DELETE", "/v1/things/{name}")]:
        app.add_api_route(path, lambda: None, methods=[method])
    return app


def scope_of(app, method, path):
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "app": app, "headers": []}
    set_called(scope, Rights(app.routes).called(scope))
    return scope


@pytest.mark.parametrize(
    ("root", "path"), [("", "/v1/images"), ("/v", "/v1/images"), ("/chex", "/v1/images"), ("/chex", "/chex/v1/images")]
)
def test_a_call_is_audited_under_whatever_prefix_it_is_served(root, path):
    assert is_audited({"type": "http", "path": path, "root_path": root})


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/v1/studies/1.2", 200, Call("GET /v1/studies/{study_uid}", "R", "read")),
        ("HEAD", "/v1/studies/1.2", 404, Call("HEAD /v1/studies/{study_uid}", "R", "read")),
        ("POST", "/v1/things", 401, Call("POST /v1/things", "E", "search")),
        ("POST", "/v1/things/delete", 204, Call("POST /v1/things/delete", "D", "delete")),
        ("PUT", "/v1/things/a", 201, Call("PUT /v1/things/{name}", "C", "create")),
        ("PUT", "/v1/things/a", 403, Call("PUT /v1/things/{name}", "U", "update")),
        ("DELETE", "/v1/things/a", None, Call("DELETE /v1/things/{name}", "D", "delete")),
        ("PATCH", "/v1/things/a", 405, None),
        ("GET", "/v1/nothing", 404, None),
    ],
)
def test_a_call_is_known_though_it_was_refused_before_a_route_was_sought(app, method, path, status, expected):
    assert call_of(scope_of(app, method, path), status) == expected


@pytest.mark.parametrize(
    ("path", "root_path", "audited"),
    [
        ("/v1/images/a", "", True),
        ("/chex/v1/images/a", "/chex", True),
        ("/v1/whatever/comes", "", True),
        ("/v1/index", "", False),
        ("/chex/v1/models", "/chex", False),
        ("/v1/index/", "", True),
        ("/healthz", "", False),
    ],
)
def test_whether_a_call_is_audited_is_told_by_its_path(path, root_path, audited):
    assert is_audited({"path": path, "root_path": root_path}) == audited
