"""Every error the system answers with. An error owns its HTTP status; `shared.web.problems` turns it into problem+json.

A `detail` is written for the caller: it says what to fix. It never holds an impression, a patient's data or the text of
a foreign exception.
"""

from typing import ClassVar


class ServiceError(Exception):
    """An error with an answer: status, stable type, title, and what to do about it.

    `retry_after_s` becomes the `Retry-After` header; `part` names the part of the system that failed.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "urn:chexretriever:internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, part: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.part = part
        self.retry_after_s = retry_after_s


class BadRequest(ServiceError):
    status = 400
    type = "urn:chexretriever:bad-request"
    title = "The request cannot be read"


class Unauthenticated(ServiceError):
    """Nobody is known by what was sent with the request, or nothing was sent."""

    status = 401
    type = "urn:chexretriever:unauthenticated"
    title = "A valid key or token is needed"

    def __init__(self, detail: str, *, nothing_shown: bool = False) -> None:
        super().__init__(detail)
        self.nothing_shown = nothing_shown


class Forbidden(ServiceError):
    status = 403
    type = "urn:chexretriever:forbidden"
    title = "Not allowed to this caller"


class NotFound(ServiceError):
    status = 404
    type = "urn:chexretriever:not-found"
    title = "Not found"


class RequestTimeout(ServiceError):
    """The caller did not send its whole request in time."""

    status = 408
    type = "urn:chexretriever:request-timeout"
    title = "The request did not arrive in time"


class Conflict(ServiceError):
    status = 409
    type = "urn:chexretriever:conflict"
    title = "Conflicts with what is stored"


class StillAtWork(Conflict):
    """The same request is being answered: what comes of it is not known yet."""

    type = "urn:chexretriever:still-at-work"
    title = "The same request is at work"

    def __init__(self, detail: str, *, part: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(detail, part=part, retry_after_s=retry_after_s)


class PayloadTooLarge(ServiceError):
    status = 413
    type = "urn:chexretriever:payload-too-large"
    title = "Too large"


class UnsupportedMediaType(ServiceError):
    status = 415
    type = "urn:chexretriever:unsupported-media-type"
    title = "Media type not supported"


class Misdirected(ServiceError):
    """The request was made to a name that is not this machine's."""

    status = 421
    type = "urn:chexretriever:misdirected"
    title = "Not served under this name"


class InvalidInput(ServiceError):
    status = 422
    type = "urn:chexretriever:invalid-input"
    title = "Input not valid"


class NotAChestRadiograph(ServiceError):
    """The picture can be read, but does not look like what the index is for."""

    status = 422
    type = "urn:chexretriever:not-a-chest-radiograph"
    title = "Not a chest radiograph"


class BurnedInText(InvalidInput):
    """The pixels hold text, or are said to, that could name the patient. The detail says where, never what it reads."""

    type = "urn:chexretriever:burned-in-text"
    title = "Text in the picture could name the patient"


class IdempotencyKeyReused(InvalidInput):
    type = "urn:chexretriever:idempotency-key-reused"
    title = "Idempotency-Key of another request"


class Overloaded(ServiceError):
    """A bounded queue is full: nothing was done, and the same request may be sent again after `Retry-After`."""

    status = 429
    type = "urn:chexretriever:overloaded"
    title = "Too many requests at once"

    def __init__(self, detail: str, *, part: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(detail, part=part, retry_after_s=retry_after_s)


class RateLimited(Overloaded):
    """More than the caller's key allows."""

    type = "urn:chexretriever:rate-limited"
    title = "Too many requests with this key"


class HeadTooLarge(ServiceError):
    status = 431
    type = "urn:chexretriever:head-too-large"
    title = "Request line and headers too large"


class InferenceFailed(ServiceError):
    """A model could not process this one item; the items batched with it are not affected."""

    type = "urn:chexretriever:inference-failed"
    title = "The model failed on this input"


class UpstreamFailed(ServiceError):
    """A service answered, but not with what its contract says."""

    status = 502
    type = "urn:chexretriever:upstream-failed"
    title = "A service behind the gateway failed"


class Unavailable(ServiceError):
    """A part cannot serve now (down, starting, stopping, disk full): try again after `Retry-After`."""

    status = 503
    type = "urn:chexretriever:unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str, *, part: str | None = None, retry_after_s: int = 2) -> None:
        super().__init__(detail, part=part, retry_after_s=retry_after_s)


class DeadlineExceeded(ServiceError):
    status = 504
    type = "urn:chexretriever:deadline-exceeded"
    title = "Not done in time"
