"""A steady load of reads and writes on the real system, and what became of each request."""

import asyncio
import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal

import httpx
from PIL import Image

from services.image_index.examples.phantoms.phantom import make_phantom

Kind = Literal["retrieve", "search", "write"]
KINDS: tuple[Kind, ...] = ("retrieve", "search", "write")
PATIENCE_S = 120.0  # twice what an upload may take
MOST_WRITES = 12  # at once: a machine that is slower than the load would never get to the end of them
SETTLED_AT_ONCE = 2
SETTLED_WITHIN_S = 10.0  # a write
WITHOUT_ANSWER = frozenset({"refused", "closed", "no answer"})


@dataclass(frozen=True)
class Outcome:
    """`said`: a status, with the problem's type and part; or what became of the connection."""

    kind: Kind
    sent_at: float
    took_s: float
    said: str

    @property
    def ended_at(self) -> float:
        return self.sent_at + self.took_s

    @property
    def well(self) -> bool:
        return self.said == "2xx"


@dataclass
class Write:
    """One object, and what is known of it: its id once it was acknowledged."""

    key: str
    content: bytes
    image_id: str | None = None
    made: int = 0  # answers 201 that were no repetition


def pictures() -> Iterator[bytes]:
    """PNG files of one phantom, no two alike."""
    pixels = make_phantom(7, labels=["Edema"], size=256).pixels
    for number in itertools.count():
        pixels = pixels.copy()
        pixels[0, :4] = [number >> shift & 255 for shift in (24, 16, 8, 0)]
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        yield stream.getvalue()


def said_by(response: httpx.Response) -> str:
    if response.is_success:
        return "2xx"
    problem = response.json()
    of = f", {problem['part']}" if problem.get("part") else ""
    return f"{response.status_code} {problem['type'].rpartition(':')[2]}{of}"


class Load:
    """So many reads and writes a second, whatever becomes of those before, though of writes no more than MOST_WRITES at
    once; each request on a connection of its own.

    A write has an Idempotency-Key; `settle` sends those again that were not acknowledged.
    """

    def __init__(self, url: str, *, reads_a_second: float, writes_a_second: float) -> None:
        self._url = url
        self._every_s: dict[Kind, float] = {
            "retrieve": 2 / reads_a_second,
            "search": 2 / reads_a_second,
            "write": 1 / writes_a_second,
        }
        self._pictures = pictures()
        self._impressions = itertools.count()
        self._stopped = threading.Event()
        self._under_way: list[tuple[Kind, float]] = []
        self.outcomes: list[Outcome] = []
        self.writes: list[Write] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ends when every request has its answer."""
        self._stopped.clear()
        thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def since(self, moment: float) -> list[Outcome]:
        """Of the requests sent since then, those that have ended; in the order in which they were sent."""
        return sorted(
            (outcome for outcome in list(self.outcomes) if outcome.sent_at >= moment), key=lambda each: each.sent_at
        )

    def between(self, begin: float, end: float) -> list[Outcome]:
        """Of the requests under way at any time between, those that have ended."""
        return [outcome for outcome in list(self.outcomes) if outcome.ended_at > begin and outcome.sent_at < end]

    def waits_since(self, moment: float) -> bool:
        """Whether a request sent before then has not ended."""
        return any(sent_at < moment for _kind, sent_at in list(self._under_way))

    def settle(self) -> int:
        """How many writes had to be sent again, until each was acknowledged. Raises TimeoutError."""
        waiting = [write for write in self.writes if write.image_id is None]
        ends = time.monotonic() + SETTLED_WITHIN_S * (1 + len(waiting))
        with (
            httpx.Client(base_url=self._url, timeout=PATIENCE_S) as client,
            ThreadPoolExecutor(SETTLED_AT_ONCE) as pool,
        ):
            list(pool.map(partial(self._send_again, client, ends), waiting))
        return len(waiting)

    def _send_again(self, client: httpx.Client, ends: float, write: Write) -> None:
        while True:
            response = client.post("/v1/images", content=write.content, headers=_headers(write))
            self._take(write, response)
            if write.image_id is not None:
                return
            if time.monotonic() > ends:
                raise TimeoutError(f"{write.key} is not acknowledged: {said_by(response)}")
            time.sleep(float(response.headers.get("Retry-After", 1)))

    async def _run(self) -> None:
        tls = httpx.create_ssl_context()  # made once: making it takes longer than asking
        async with (
            httpx.AsyncClient(
                base_url=self._url,
                timeout=PATIENCE_S,
                verify=tls,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            ) as client,
            asyncio.TaskGroup() as tasks,
        ):
            due = dict.fromkeys(KINDS, time.monotonic())
            while not self._stopped.is_set():
                for kind in KINDS:
                    if due[kind] <= time.monotonic():
                        due[kind] += self._every_s[kind]
                        if kind != "write" or self._writes_under_way() < MOST_WRITES:
                            tasks.create_task(self._ask(kind, client))
                await asyncio.sleep(0.01)

    async def _ask(self, kind: Kind, client: httpx.AsyncClient) -> None:
        asked = {"retrieve": self._retrieve, "search": self._search, "write": self._write}[kind]
        sent_at = time.monotonic()
        self._under_way.append((kind, sent_at))
        try:
            said = said_by(await asked(client))
        except httpx.ConnectError:
            said = "refused"
        except httpx.TimeoutException:
            said = "no answer"
        except httpx.TransportError:
            said = "closed"
        self.outcomes.append(Outcome(kind, sent_at, time.monotonic() - sent_at, said))
        self._under_way.remove((kind, sent_at))

    def _writes_under_way(self) -> int:
        return sum(kind == "write" for kind, _sent_at in self._under_way)

    async def _retrieve(self, client: httpx.AsyncClient) -> httpx.Response:
        impression = f"Mild cardiomegaly and left pleural effusion. Compared with study {next(self._impressions)}."
        return await client.post("/v1/retrieve", json={"impression": impression})

    async def _search(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/v1/search", json={"labels": ["Edema"]})

    async def _write(self, client: httpx.AsyncClient) -> httpx.Response:
        write = Write(f"write-{len(self.writes)}", next(self._pictures))
        self.writes.append(write)
        response = await client.post("/v1/images", content=write.content, headers=_headers(write))
        self._take(write, response)
        return response

    def _take(self, write: Write, response: httpx.Response) -> None:
        if response.is_success:
            write.image_id = response.json()["image_id"]
            write.made += response.status_code == 201 and "idempotency-replayed" not in response.headers


def _headers(write: Write) -> dict[str, str]:
    return {"Content-Type": "image/png", "Idempotency-Key": write.key}


def wait_until(condition: Callable[[], bool], within_s: float) -> None:
    """Raises TimeoutError."""
    ends = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.02)
