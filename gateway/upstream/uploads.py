"""An image on its way through the gateway: passed on as it arrives, never held whole."""

from collections.abc import AsyncIterator, Iterable

_PASSED_ON = (b"content-type", b"content-length")


class Upload:
    """A body, to be sent on once, with what its `headers` say of it. `started` tells whether any of it was taken."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], stream: AsyncIterator[bytes]) -> None:
        # Bytes, as they came, but for white space around them: a server lets it in, and a client may not send it.
        self.headers = {name: value.strip(b" \t") for name, value in headers if name in _PASSED_ON}
        self.started = False
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.started = True
        async for chunk in self._stream:
            yield chunk
