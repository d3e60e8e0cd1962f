import asyncio
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from gateway.upstream.connection import Connection
from gateway.upstream.http import Http

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """For localhost, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return certificate, key


async def ask(port: int, tls: ssl.SSLContext) -> httpx.Response:
    http = Http(f"https://localhost:{port}", Connection(tls=tls, idle_s=3))
    try:
        return await http.send(http.request("GET", "/"))
    finally:
        await http.aclose()


async def test_service_behind_tls_is_asked_if_its_certificate_is_known(certificate):
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(*certificate)
    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        known = ssl.create_default_context(cafile=str(certificate[0]))
        assert (await ask(port, known)).content == b"ok"
        with pytest.raises(httpx.ConnectError):
            await ask(port, ssl.create_default_context())


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"nonsense\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", httpx.RemoteProtocolError),
    ],
)
async def test_answer_that_is_none_or_ends_early_is_a_transport_error(sent, error):
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        writer.close()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listening:
        http = Http(
            f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}",
            Connection(tls=ssl.create_default_context(), idle_s=3),
        )
        with pytest.raises(error):
            await http.send(http.request("GET", "/"))
        await http.aclose()


async def test_nobody_at_the_address_is_a_connect_error():
    http = Http("http://127.0.0.1:9", Connection(tls=ssl.create_default_context(), idle_s=3))
    with pytest.raises(httpx.ConnectError):
        await http.send(http.request("GET", "/"))
    await http.aclose()
