"""The body of a request, taken in before anything is done with it."""

import asyncio

from starlette.types import Message, Receive

BODY_IDLE_S = 5.0
"""So long may a caller pause within a body."""


class BodyTooSlow(Exception):
    """A body of which nothing comes for too long, or that takes too long in all."""


async def read_ahead(receive: Receive, most: int) -> tuple[Receive, bool]:
    """Takes in up to `most` bytes of a body. Gives what receives it from its beginning, and whether it is all there.

    Raises BodyTooSlow where no more comes within BODY_IDLE_S, or not all within twice that.
    """
    taken: list[Message] = []
    size, whole = 0, False
    try:
        async with asyncio.timeout(2 * BODY_IDLE_S):
            while size <= most and not whole:
                async with asyncio.timeout(BODY_IDLE_S):
                    taken.append(await receive())
                size += len(taken[-1].get("body", b""))
                whole = not taken[-1].get("more_body", False)  # all is there, or the connection has ended
    except TimeoutError:
        raise BodyTooSlow from None
    taken.reverse()

    async def again() -> Message:
        return taken.pop() if taken else await receive()

    return again, whole
