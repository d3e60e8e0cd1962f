"""Clients that ask as fast as they may over kept connections, at little cost to the machine they share with servers."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Body = bytes
LOST = 0  # in place of a status: the connection ended without an answer


@dataclass
class Outcome:
    """Of one run: the seconds that each answer took, by status, and how long the run was."""

    took_s: dict[int, list[float]] = field(default_factory=dict)
    elapsed_s: float = 0.0

    def add(self, status: int, took_s: float) -> None:
        self.took_s.setdefault(status, []).append(took_s)

    @property
    def statuses(self) -> Counter[int]:
        return Counter({status: len(took_s) for status, took_s in sorted(self.took_s.items())})

    @property
    def goodput(self) -> float:
        """Answers of status 200 a second."""
        return len(self.took_s.get(200, ())) / self.elapsed_s

    def quantile_ms(self, share: float, status: int | None = None) -> float:
        took_s = [
            second for code, seconds in self.took_s.items() if status is None or code == status for second in seconds
        ]
        return 1000 * sorted(took_s)[min(len(took_s) - 1, int(share * len(took_s)))] if took_s else float("nan")


class Connection(asyncio.Protocol):
    """One request at a time; connects again where the server has hung up. Reads no more of an answer than it must."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[int] | None = None
        self._data = b""

    async def ask(self, path: str, body: Body | None = None) -> int:
        loop = asyncio.get_running_loop()
        try:
            if self._transport is None or self._transport.is_closing():
                await loop.create_connection(lambda: self, "127.0.0.1", self._port)
            assert self._transport is not None
            self._answered = loop.create_future()
            self._data = b""
            self._transport.write(request(path, body))
            return await self._answered
        except OSError:
            return LOST

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data = data = self._data + data if self._data else data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = data[:end].lower()
        length = int(head.split(b"content-length: ", 1)[1].split(b"\r", 1)[0])
        if len(data) < end + 4 + length:
            return
        assert self._transport is not None
        if b"connection: close" in head:
            self._transport.close()
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(int(head[9:12]))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(LOST)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def request(path: str, body: Body | None) -> bytes:
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode()
    head = f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def closed_loop(port: int, path: str, bodies: Iterator[Body], *, clients: int, seconds: float) -> Outcome:
    """So many clients, each with its next question as soon as it has an answer."""
    outcome = Outcome()
    started = time.perf_counter()

    async def ask_on() -> None:
        connection = Connection(port)
        while (asked := time.perf_counter()) < started + seconds:
            status = await connection.ask(path, next(bodies))
            outcome.add(status, time.perf_counter() - asked)
        connection.close()

    await asyncio.gather(*(ask_on() for _ in range(clients)))
    outcome.elapsed_s = time.perf_counter() - started
    return outcome


async def open_loop(port: int, path: str, bodies: Iterator[Body], *, rate: float, seconds: float) -> Outcome:
    """So many questions a second, whatever becomes of those before."""
    outcome = Outcome()
    idle: list[Connection] = []
    asking: set[asyncio.Task[None]] = set()
    started = time.perf_counter()

    async def ask_once() -> None:
        connection = idle.pop() if idle else Connection(port)
        asked = time.perf_counter()
        status = await connection.ask(path, next(bodies))
        outcome.add(status, time.perf_counter() - asked)
        idle.append(connection)

    sent = 0
    while (now := time.perf_counter() - started) < seconds:
        while sent < now * rate:
            sent += 1
            task = asyncio.create_task(ask_once())
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.sleep(0.005)
    await asyncio.gather(*asking)
    outcome.elapsed_s = time.perf_counter() - started
    for connection in idle:
        connection.close()
    return outcome


async def beside(work: asyncio.Task, ask: Callable[[], asyncio.Future], *, every_s: float) -> Outcome:
    """While `work` runs, one more client that asks every so often."""
    outcome = Outcome()
    while not work.done():
        asked = time.perf_counter()
        outcome.add(await ask(), time.perf_counter() - asked)
        await asyncio.sleep(every_s)
    return outcome
