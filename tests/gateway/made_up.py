"""What schemathesis needs to be told of the gateway's document."""

from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.types import ASGIApp, Receive, Scope, Send


@schemathesis.serializer("image/png", "image/jpeg", "application/dicom")
def as_it_is(_context, value):
    return value


def not_said_by(case: schemathesis.Case) -> list[Any]:
    """The checks of what the document cannot say: ages in order, one of two fields; forms, which only the index reads;
    and plain text, of which there is none that is no text.
    """
    unsaid = [positive_data_acceptance]
    if case.media_type in {"multipart/form-data", "text/plain"}:
        unsaid.append(negative_data_rejection)
    return unsaid


def never_shut_down(app: ASGIApp) -> ASGIApp:
    """schemathesis starts and stops an app for each of its requests; this one is to be asked again."""

    async def kept_up(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    return kept_up
