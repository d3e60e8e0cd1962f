"""One fault after the other under load: what a caller gets, how soon, and how long it takes to be as before."""

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.conftest import System
from tests.e2e.faults.kinds import Fault, faults, namespace_of, small_disk
from tests.e2e.faults.load import KINDS, Load, Outcome, wait_until

RECOVERED_WITHIN_S = 60.0
DISK_MB = 64
TOKEN = "a-token-of-the-services-that-is-long-enough"


@dataclass(frozen=True)
class Row:
    """`during`: what was sent while the fault lasted. `recovery_s`: from its end to the first moment when each kind of
    request had succeeded again.
    """

    name: str
    during: list[Outcome]
    recovery_s: float


@dataclass(frozen=True)
class Lasted:
    """Begin, end, and when all was as before, on one clock in seconds."""

    begun: float
    ended: float
    recovered: float


@contextmanager
def system_with_faults(folder: Path) -> Iterator[tuple[System, dict[str, Fault]]]:
    """The index in a network namespace of its own, and the data on small disks, where that is permitted."""
    with ExitStack() as stack:
        system = System(folder)
        namespace = stack.enter_context(namespace_of(system, "image-index"))
        small = [stack.enter_context(small_disk(folder / name, DISK_MB)) for name in ("data", "gateway")]
        every = {"CHEX_SERVICE_TOKEN": TOKEN, "CHEX_MIN_FREE_BYTES": str(4 * 2**20)}
        for part in system.ports:
            system.more[part] = every | system.more.get(part, {})
        stack.callback(system.stop)
        system.start()
        system.wait_ready()
        yield system, faults(namespace=namespace, small_disks=all(small))


def measure(system: System, load: Load, fault: Fault, *, lasting_s: float) -> Lasted:
    begun = time.monotonic()
    with fault(system):
        time.sleep(lasting_s)
    ended = time.monotonic()

    def as_before() -> bool:
        return {outcome.kind for outcome in load.since(ended) if outcome.well} == set(KINDS)

    wait_until(as_before, RECOVERED_WITHIN_S)
    recovered = max(
        min(outcome.sent_at + outcome.took_s for outcome in load.since(ended) if outcome.well and outcome.kind == kind)
        for kind in KINDS
    )
    return Lasted(begun, ended, recovered)


def run(
    system: System, chosen: Mapping[str, Fault], *, lasting_s: float, rates: tuple[float, float] = (6.0, 1.0)
) -> tuple[list[Row], Load]:
    """`rates`: reads and writes a second. All has ended and every write is acknowledged when it returns."""
    load = Load(system.url, reads_a_second=rates[0], writes_a_second=rates[1])
    lasted = {}
    with load.running():
        wait_until(lambda: {outcome.kind for outcome in load.since(0) if outcome.well} == set(KINDS), 30)
        for name, fault in chosen.items():
            lasted[name] = measure(system, load, fault, lasting_s=lasting_s)
            time.sleep(1)
    load.settle()
    rows = [Row(name, load.since(each.begun, each.ended), each.recovered - each.ended) for name, each in lasted.items()]
    return rows, load


def lost_writes(system: System, load: Load) -> list[str]:
    """Of the acknowledged ones, those that the index does not know."""
    with httpx.Client(base_url=system.url, timeout=30) as client:
        ids = [write.image_id for write in load.writes if write.image_id is not None]
        return [image_id for image_id in ids if client.get(f"/v1/images/{image_id}").status_code != 200]


def told(row: Row) -> str:
    """A line of the table for each kind of request."""
    lines = []
    for kind in KINDS:
        answers: dict[str, list[float]] = defaultdict(list)
        for outcome in row.during:
            if outcome.kind == kind:
                answers[outcome.said].append(outcome.took_s)
        cells = [
            f"{said} ×{len(took)}: {1000 * statistics.median(took):.0f} / {1000 * max(took):.0f}"
            for said, took in sorted(answers.items())
        ]
        first = f"| {row.name} | {row.recovery_s:.1f} s " if kind == KINDS[0] else "| | "
        lines.append(f"{first}| {kind} | {'; '.join(cells) or '–'} |")
    return "\n".join(lines)


HEAD = "| fault | as before after | call | answer × count: p50 / slowest in ms |\n| --- | --- | --- | --- |"
