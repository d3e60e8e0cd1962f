"""Every call has its right: in the table, in the README, and in the OpenAPI document."""

import re

from fastapi.routing import iter_route_contexts

from gateway.guard.caller import RIGHTS
from gateway.guard.rights import NEEDS, Rights, need_of
from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over
from tests.repository import REPOSITORY

app = gateway_over(FakeClassifier(), FakeIndex(), auth="on")


def calls() -> set[tuple[str, str]]:
    routes = iter_route_contexts(app.routes)
    return {(method, route.path) for route in routes for method in (route.methods or {"GET"}) if method != "HEAD"}


def test_every_call_is_in_the_table_and_nothing_else_is():
    assert calls() == set(NEEDS)


def test_call_that_is_not_in_the_table_takes_admin():
    assert need_of("POST", "/v1/new") == "admin"
    assert need_of("PATCH", "/v1/images/{image_id}") == "admin"
    assert need_of("HEAD", "/v1/images") == need_of("GET", "/v1/images")


def test_head_takes_what_get_takes_and_ids_are_known_before_anything_is_done():
    rights = Rights(app.routes)
    scope = {"type": "http", "path": "/v1/studies/1.2", "root_path": ""}
    head, get = (rights.called({**scope, "method": method}) for method in ("HEAD", "GET"))
    assert head == get == ("retrieve", "/v1/studies/{study_uid}", {"study_uid": "1.2"})
    assert rights.called({**scope, "method": "OPTIONS"}) == ("any", None, {})


def test_readme_says_of_every_call_what_it_takes():
    section = re.search(
        r"^## Who may come in$(.*?)^## ", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )[1]
    said = {}
    for need, row in re.findall(r"^\| `?(\w+)`? \| (.*) \|$", section, re.MULTILINE):
        for methods, paths in re.findall(r"((?:`[A-Z]+`(?:, )?)+) ((?:`/[^`]*`(?:, )?)+)", row):
            for method in re.findall("[A-Z]+", methods):
                said |= {(method, path): need for path in re.findall("`(/[^`]*)`", paths)}
    told = {
        call: need for call, need in NEEDS.items() if call[1] not in {"/docs/oauth2-redirect", "/static-offline-docs"}
    }
    assert said == told


def test_document_says_who_may_make_each_call_and_how_it_is_refused():
    document = app.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            need = need_of(method.upper(), path)
            if need == "open":
                assert "security" not in operation
                continue
            rights = [need] if need in RIGHTS else []
            assert operation["security"] == [{"bearer": rights}, {"key": rights}]
            assert "401" in operation["responses"]
            assert ("403" in operation["responses"]) == (need in RIGHTS)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "key"}


def test_document_of_a_gateway_that_asks_nobody_names_no_keys():
    assert "securitySchemes" not in gateway_over(FakeClassifier(), FakeIndex()).openapi()["components"]
