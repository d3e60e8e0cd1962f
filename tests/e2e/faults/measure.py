"""One fault after the other under load: what a caller gets, how soon, and how long it takes to be as before."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import httpx

from tests.e2e.conftest import System
from tests.e2e.faults.kinds import Fault, faults, namespace_of, small_disk
from tests.e2e.faults.load import KINDS, WITHOUT_ANSWER, Kind, Load, Outcome, wait_until

READS_A_SECOND, WRITES_A_SECOND = 4.0, 0.5
RECOVERED_WITHIN_S = 120.0
IN_SUCCESSION = 2  # so many calls of each kind must have gone well for all to be as before
DISK_MB = 64
TOKEN = "a-token-of-the-services-that-is-long-enough"


@dataclass(frozen=True)
class Row:
    """A fault from `begun` to `ended`, on one clock in seconds. `during`: what was under way meanwhile. `recovered`:
    by then a call of each kind, sent after the end, has succeeded of which no later one has failed.
    """

    name: str
    begun: float
    ended: float
    recovered: float
    during: list[Outcome]


@dataclass(frozen=True)
class Measured:
    """`sent_again`: writes that had got no acknowledgement. `unanswered`: requests without an answer, but for those
    under way while the gateway itself was killed and started.
    """

    rows: list[Row]
    load: Load
    sent_again: int
    unanswered: list[Outcome]


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


def measure(system: System, load: Load, name: str, fault: Fault, *, lasting_s: float) -> Row:
    """Raises TimeoutError."""
    begun = time.monotonic()
    with fault(system):
        time.sleep(lasting_s)
    ended = time.monotonic()

    def as_before() -> bool:
        well = all(len(_going_well(load, ended, kind)) >= IN_SUCCESSION for kind in KINDS)
        return well and not load.waits_since(ended)

    try:
        wait_until(as_before, RECOVERED_WITHIN_S)
    except TimeoutError:
        last = [(outcome.kind, outcome.said, round(outcome.took_s, 1)) for outcome in load.since(ended)[-20:]]
        raise TimeoutError(f"{name}: not as before after {RECOVERED_WITHIN_S:g} s; at last {last}") from None
    recovered = max(_going_well(load, ended, kind)[0].ended_at for kind in KINDS)
    return Row(name, begun, ended, recovered, load.between(begun, ended))


def _going_well(load: Load, since: float, kind: Kind) -> list[Outcome]:
    """The successes that no failure has followed."""
    of_kind = [outcome for outcome in load.since(since) if outcome.kind == kind]
    return list(takewhile(lambda outcome: outcome.well, reversed(of_kind)))[::-1]


def run(
    system: System, chosen: Mapping[str, Fault], *, lasting_s: float, tell: Callable[[Row], None] = lambda _row: None
) -> Measured:
    """All has ended and every write is acknowledged when it returns. Raises TimeoutError."""
    load = Load(system.url, reads_a_second=READS_A_SECOND, writes_a_second=WRITES_A_SECOND)
    rows = []
    with load.running():
        wait_until(lambda: {outcome.kind for outcome in load.since(0) if outcome.well} == set(KINDS), 60)
        for name, fault in chosen.items():
            rows.append(measure(system, load, name, fault, lasting_s=lasting_s))
            tell(rows[-1])
            time.sleep(1)
    unanswered = {outcome for outcome in load.outcomes if outcome.said in WITHOUT_ANSWER}
    for row in rows:
        if row.name.startswith("gateway killed"):
            unanswered -= set(load.between(row.begun, row.recovered))
    return Measured(rows, load, load.settle(), list(unanswered))


def lost_writes(system: System, load: Load) -> list[str]:
    """Of the acknowledged ones, those that the index does not know."""
    with httpx.Client(base_url=system.url, timeout=30) as client:
        ids = [write.image_id for write in load.writes if write.image_id is not None]
        return [image_id for image_id in ids if client.get(f"/v1/images/{image_id}").status_code != 200]


def size_of(system: System) -> int:
    return int(httpx.get(f"{system.url}/v1/index", timeout=30).json()["size"])


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
        first = f"| {row.name} | {row.recovered - row.ended:.1f} s " if kind == KINDS[0] else "| | "
        lines.append(f"{first}| {kind} | {'; '.join(cells) or '–'} |")
    return "\n".join(lines)


HEAD = "| fault | as before after | call | answer × count: p50 / slowest in ms |\n| --- | --- | --- | --- |"
