"""What is left of the system's speed when ten times as much is asked of it as it can answer, and when a thousand
connections come at once; and how long it takes to be as before.

    python tests/benchmarks/overload.py [--seconds 60] [--json OUT]
"""

import argparse
import asyncio
import itertools
import json
import time
from contextlib import ExitStack
from pathlib import Path

import uvloop
from load import LOST, Connection, Outcome, beside, closed_loop, open_loop
from serving import System, retrieve_bodies

SEEDS = itertools.count(1000)
ANSWERS = {200, 429, 503}


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


async def with_health(port: int, work: asyncio.Task[Outcome]) -> tuple[Outcome, Outcome]:
    connection = Connection(port)
    health = await beside(work, lambda: connection.ask("/healthz"), every_s=0.05)
    connection.close()
    return await work, health


def best_goodput(port: int) -> tuple[float, int]:
    """Answers a second, and with how many clients."""
    rates = {}
    for clients in (4, 8, 16, 32, 64):
        outcome = uvloop.run(
            closed_loop(port, "/v1/retrieve", retrieve_bodies(next(SEEDS)), clients=clients, seconds=5)
        )
        rates[clients] = outcome.goodput
        print(f"  {clients:3} clients: {outcome.goodput:6.1f}/s, p50 {outcome.quantile_ms(0.5, 200):.0f} ms")
    clients = max(rates, key=rates.__getitem__)
    return rates[clients], clients


def one_client_ms(port: int) -> float:
    outcome = uvloop.run(closed_loop(port, "/v1/retrieve", retrieve_bodies(next(SEEDS)), clients=1, seconds=3))
    return outcome.quantile_ms(0.5, 200)


def tell(name: str, outcome: Outcome, health: Outcome, best: float) -> dict[str, object]:
    slowest = {status: round(outcome.quantile_ms(1.0, status)) for status in outcome.statuses}
    wrong = {status: count for status, count in outcome.statuses.items() if status not in ANSWERS}
    figures: dict[str, object] = {
        "goodput": outcome.goodput,
        "of the best": outcome.goodput / best,
        "answers": dict(outcome.statuses),
        "p50_ms": outcome.quantile_ms(0.5, 200),
        "slowest_ms": slowest,
        "healthz_p99_ms": health.quantile_ms(0.99),
        "healthz_failed": sum(count for status, count in health.statuses.items() if status != 200),
        "neither answer nor refusal": wrong,
        "lost": outcome.statuses[LOST],
    }
    print(f"\n{name}: " + json.dumps(figures, indent=1))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--burst", type=int, default=1000, help="connections of a burst")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    with ExitStack() as stack:
        system = System(stack)
        port = system.gateway
        best, clients = best_goodput(port)
        before_ms = one_client_ms(port)
        figures["best"] = {"goodput": best, "clients": clients, "one client p50_ms": before_ms}

        async def overload() -> tuple[Outcome, Outcome]:
            bodies = retrieve_bodies(next(SEEDS))
            load = open_loop(port, "/v1/retrieve", bodies, rate=10 * best, seconds=options.seconds)
            return await with_health(port, asyncio.create_task(load))

        async def burst() -> tuple[Outcome, Outcome]:
            bodies = retrieve_bodies(next(SEEDS))
            load = closed_loop(port, "/v1/retrieve", bodies, clients=options.burst, seconds=15)
            return await with_health(port, asyncio.create_task(load))

        loads = {"ten times the capacity": overload}
        loads |= {f"{options.burst} connections, {number}": burst for number in (1, 2, 3)}
        for name, load in loads.items():
            memory = {part: resident_mb(pid) for part, pid in system.pids.items()}
            told = tell(name, *uvloop.run(load()), best)
            time.sleep(1)
            told["a second later, one client p50 over before"] = one_client_ms(port) / before_ms
            told["memory_mb"] = {
                part: (round(memory[part]), round(resident_mb(pid))) for part, pid in system.pids.items()
            }
            print(json.dumps({name: told[name] for name in list(told)[-2:]}))
            figures[name] = told
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
