"""Who may make which call, in the OpenAPI document: from the same table by which it is decided."""

from typing import Any

from fastapi import FastAPI

from gateway.guard.rights import Need, need_of
from shared.errors import BadRequest, Forbidden, Unauthenticated
from shared.web.documented import documented

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key (`chex_…`), or a token of the issuer."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key."},
}


def describe_rights(app: FastAPI) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = generate()
        document["components"]["securitySchemes"] = SCHEMES
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                need = need_of(method.upper(), path)
                if need != "open":
                    _describe(operation, need)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(operation: dict[str, Any], need: Need) -> None:
    rights = [] if need == "any" else [need]
    operation["security"] = [{scheme: rights} for scheme in SCHEMES]
    refusals = documented(BadRequest, Unauthenticated, *([Forbidden] if rights else []))
    operation["responses"] = dict(sorted({**refusals, **operation["responses"]}.items()))
