import asyncio

import httpx

from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.gateway.fakes import FakeClassifier


def head_lines(head: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (line.partition(": ") for line in head.splitlines()[1:]) if name]


async def test_app_calls_the_configured_addresses_and_lets_go_of_them_at_shutdown(tmp_path):
    """Real sockets on both sides: a classifier that answers once, an index that is not there."""
    question = {"impressions": ["Edema"]}
    answer = FakeClassifier().answer(httpx.Request("POST", "http://service/v1/classify", json=question))
    asked = []
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        await reader.readexactly(int(httpx.Headers(head_lines(head))["content-length"]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(answer.content) + answer.content)
        assert await reader.read() == b""
        closed.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    spare = await asyncio.start_server(serve, "127.0.0.1", 0)
    url, nobody = (f"http://127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in (server, spare))
    spare.close()
    await spare.wait_closed()

    app = create_app(GatewaySettings(text_url=url, index_url=nobody, gateway_dir=tmp_path))
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            classified = await client.post("/v1/classify", json=question, headers={"X-Request-ID": "pacs-42"})
            unreachable = await client.get("/v1/index")
        assert classified.json()["results"][0]["labels"]["Edema"]["state"] == "present"
        assert (unreachable.status_code, unreachable.json()["part"]) == (503, "image-index")
        assert asked[0].startswith("POST /v1/classify HTTP/1.1")
        assert "X-Request-ID: pacs-42" in asked[0]
        assert not closed.is_set()
    await asyncio.wait_for(closed.wait(), 5)
    server.close()
    await server.wait_closed()
