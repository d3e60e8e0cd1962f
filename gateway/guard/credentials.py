"""What a request shows of who sends it: one key or token, in one way."""

from collections.abc import Iterable

from shared.errors import BadRequest, Unauthenticated

_ONE = "Send one key or token: in the header Authorization (Bearer) or in X-API-Key, once."


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """None where nothing is shown. Raises BadRequest for what two readers could read in two ways."""
    shown = [(name, value) for name, value in headers if name in {b"authorization", b"x-api-key"}]
    if not shown:
        return None
    if len({name for name, _ in shown}) < len(shown):
        raise BadRequest(_ONE)
    values = {_value(name, value) for name, value in shown}
    if len(values) > 1:
        raise BadRequest(_ONE)
    return values.pop()


def _value(name: bytes, value: bytes) -> str:
    """Raises Unauthenticated."""
    try:
        text = value.decode("ascii").strip()
    except UnicodeDecodeError:
        raise Unauthenticated("A key or token is of ASCII characters.") from None
    if name == b"x-api-key":
        return text
    scheme, _, token = text.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the key or token as `Authorization: Bearer …`.")
    return token.strip()
