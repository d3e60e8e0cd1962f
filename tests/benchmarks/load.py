"""Clients that ask as fast as they may over kept connections, at little cost to the machine they share with servers."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

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
        self._answered: Callable[[int], object] | None = None
        self._data = b""

    async def ask(self, path: str, body: Body | None = None) -> int:
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        await self.send(request(path, body), lambda status: answered.done() or answered.set_result(status))
        return await answered

    async def send(self, request: bytes, answered: Callable[[int], object]) -> None:
        self._answered = answered
        try:
            if not self.send_at_once(request, answered):
                await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
                self.send_at_once(request, answered)
        except OSError:
            self._tell(LOST)

    def send_at_once(self, request: bytes, answered: Callable[[int], object]) -> bool:
        """False where there is no connection yet, or none any longer. `answered` is told the status."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._answered = answered
        self._data = b""
        self._transport.write(request)
        return True

    def _tell(self, status: int) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(status)

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data = data = self._data + data if self._data else data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        start = data.find(b"content-length: ", 0, end) + 16
        if len(data) < end + 4 + int(data[start : data.find(b"\r", start)]):
            return
        assert self._transport is not None
        if data.find(b"connection: close", 0, end) >= 0:
            self._transport.close()
        self._tell(int(data[9:12]))

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._tell(LOST)

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
    """So many questions a second, whatever becomes of those before. They are written before the run begins, and no
    question has a task of its own: at thousands a second the machine is to be the servers'.
    """
    outcome = Outcome()
    questions = [request(path, body) for body in islice(bodies, int(rate * seconds))]
    idle: list[Connection] = []
    connecting: set[asyncio.Task[None]] = set()
    at_work = 0
    all_answered = asyncio.Event()

    def ask(question: bytes) -> None:
        nonlocal at_work
        at_work += 1
        all_answered.clear()
        connection = idle.pop() if idle else Connection(port)
        asked = time.perf_counter()

        def answered(status: int) -> None:
            nonlocal at_work
            at_work -= 1
            if not at_work:
                all_answered.set()
            outcome.add(status, time.perf_counter() - asked)
            idle.append(connection)

        if not connection.send_at_once(question, answered):
            task = asyncio.create_task(connection.send(question, answered))
            connecting.add(task)
            task.add_done_callback(connecting.discard)

    started = time.perf_counter()
    sent = 0
    while sent < len(questions):
        due = int((time.perf_counter() - started) * rate)
        for question in questions[sent:due]:
            ask(question)
        sent = max(sent, min(due, len(questions)))
        await asyncio.sleep(0.005)
    await all_answered.wait()
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
