"""Calls given up at whatever moment cost no connection: neither one that is kept open, nor a place for a later one."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.upstream.http import Http, open_http
from gateway.upstream.services import TextClassifierClient
from shared.deadline import Deadline
from shared.schemas.text import ClassifyRequest
from tests.gateway.fakes import FakeClassifier

pytestmark = [pytest.mark.slow, pytest.mark.alone]

REQUEST = ClassifyRequest(impressions=["Edema"])
ANSWER = httpx.Response(
    200, json={"results": [FakeClassifier().result("Edema")], "model": FakeClassifier().model()}
).content


class CountingServer:
    """A classifier on a real socket that answers in two halves, and counts the connections that are open."""

    def __init__(self) -> None:
        self.open = 0
        self.opened = 0
        self.pause_s = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.opened += 1
        try:
            while await reader.readuntil(b"}"):
                head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(ANSWER)}\r\n\r\n"
                await asyncio.sleep(self.pause_s)
                writer.write(head.encode() + ANSWER[:100])
                await writer.drain()
                await asyncio.sleep(self.pause_s)
                writer.write(ANSWER[100:])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


@pytest.fixture
def server() -> CountingServer:
    return CountingServer()


@pytest.fixture
async def http(server) -> AsyncIterator[Http]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    async with listening, open_http(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}") as http:
        yield http


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def settled(server: CountingServer, at_most: int) -> None:
    async with asyncio.timeout(5):
        while server.open > at_most:  # noqa: ASYNC110 - the sockets close in their own time
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("at_once", [1, 30])
async def test_call_cancelled_at_any_turn_of_the_loop_leaves_no_connection_behind(server, http, at_once):
    client = TextClassifierClient(http)
    for turn in range(60):
        calls = [asyncio.ensure_future(client.classify(REQUEST, Deadline(5))) for _ in range(at_once)]
        await turns(turn)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert (await client.classify(REQUEST, Deadline(5))).results
    await settled(server, at_most=at_once)  # those that were answered before they were cancelled


async def test_call_cancelled_while_its_answer_comes_leaves_no_connection_behind(server, http):
    server.pause_s = 0.02
    client = TextClassifierClient(http)
    for after_s in (0.005, 0.01, 0.03):
        calls = [asyncio.ensure_future(client.classify(REQUEST, Deadline(5))) for _ in range(20)]
        await asyncio.sleep(after_s)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await settled(server, at_most=0)
    assert (await client.classify(REQUEST, Deadline(5))).results


async def test_storm_of_calls_that_run_out_of_time_is_over_when_it_is_over(server, http):
    client = TextClassifierClient(http)
    for _ in range(3):
        calls = [client.classify(REQUEST, Deadline(0.0005 * number)) for number in range(400)]
        await asyncio.gather(*calls, return_exceptions=True)
    # A place that is lost is lost for ever; whatever else runs on this machine, the rest is done in half a minute.
    answers = await asyncio.gather(*(client.classify(REQUEST, Deadline(30)) for _ in range(200)))
    assert len(answers) == 200


async def test_calls_one_after_the_other_share_one_connection(server, http):
    client = TextClassifierClient(http)
    for _ in range(20):
        await client.classify(REQUEST, Deadline(5))
    assert server.opened == 1


async def test_idle_connections_are_let_go_when_the_rush_is_over(server, http, monkeypatch):
    monkeypatch.setattr(http._transport, "_idle_s", 0.1)
    client = TextClassifierClient(http)
    await asyncio.gather(*(client.classify(REQUEST, Deadline(5)) for _ in range(50)))
    await asyncio.sleep(0.15)
    await client.classify(REQUEST, Deadline(5))
    await settled(server, at_most=1)


async def test_closing_the_client_closes_its_connections(server, http):
    client = TextClassifierClient(http)
    await asyncio.gather(*(client.classify(REQUEST, Deadline(5)) for _ in range(5)))
    await http.aclose()
    await settled(server, at_most=0)
