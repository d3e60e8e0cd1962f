"""Ten thousand bodies that are wrong, among them all that were ever seen to take long: what the gateway answers, what
memory it takes, and how long others wait for it meanwhile.

    python tests/benchmarks/bad_bodies.py [--count 10000] [--json OUT]
"""

import argparse
import asyncio
import itertools
import json
import random
from contextlib import ExitStack
from pathlib import Path

import uvloop
from load import Connection, Outcome, beside
from overload import resident_mb
from serving import System

CLIENTS = 8
LARGE_EVERY = 20  # a body of up to two megabytes; the others are small

LARGE = {
    "unknown label names": b'{"labels": [' + b'"x",' * 400_000 + b'"x"]}',
    "unknown label keys": b'{"labels": {' + b",".join(b'"k%d": 1' % n for n in range(120_000)) + b"}}",
    "unknown keys": b"{" + b",".join(b'"k%d": 1' % n for n in range(120_000)) + b"}",
    "empty lists": b'{"labels": [' + b"[]," * 600_000 + b"[]]}",
    "nesting": b"[" * 2_000_000,
    "a long number": b'{"labels": ["Edema"], "k": ' + b"1" * 2_000_000 + b"}",
    "wrong ids": json.dumps({"labels": ["Edema"], "filters": {"excluded_image_ids": ["?"] * 300_000}}).encode(),
    "many impressions": json.dumps({"impressions": ["a"] * 300_000}).encode(),
    "long impressions": json.dumps({"impressions": ["a" * 20_000] * 64}).encode(),
    "escapes": b'{"impression": "' + b"\\u0041" * 330_000 + b'"}',
    "too long": b'{"impression": "' + b"a" * 3_000_000 + b'"}',
}
SMALL = (
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"labels": ["Edema"], "k": "5"}', b'{"labels": ["Edema"], "k": true}',
    b'{"labels": ["Edema"], "min_score": NaN}', b'{"labels": ["Edema"], "min_score": 1e400}', b'{"labels": ["Cough"]}',
    b'{"impression": "\\ud800"}', b'{"impression": "a", "impressions": ["b"]}', b'{"labels": {"Edema": 2}}',
    b'{"impressions": ["a"], "k": 1001}', b'{"labels": ["Edema"], "labels": ["Fracture"]}',
)  # fmt: skip
PATHS = ("/v1/retrieve", "/v1/classify", "/v1/search")


async def send_all(port: int, count: int) -> Outcome:
    outcome = Outcome()
    draw = random.Random(1)
    numbers = iter(range(count))
    large = itertools.cycle(LARGE.values())
    clock = asyncio.get_running_loop().time

    async def send_on() -> None:
        connection = Connection(port)
        for number in numbers:
            body = next(large) if number % LARGE_EVERY == 0 else draw.choice(SMALL)
            sent = clock()
            outcome.add(await connection.ask(draw.choice(PATHS), body), clock() - sent)
        connection.close()

    started = clock()
    await asyncio.gather(*(send_on() for _ in range(CLIENTS)))
    outcome.elapsed_s = clock() - started
    return outcome


async def with_health(port: int, count: int) -> tuple[Outcome, Outcome]:
    work = asyncio.create_task(send_all(port, count))
    connection = Connection(port)
    health = await beside(work, lambda: connection.ask("/healthz"), every_s=0.02)
    connection.close()
    return await work, health


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    with ExitStack() as stack:
        system = System(stack)
        before_mb = resident_mb(system.pids["gateway"])
        outcome, health = uvloop.run(with_health(system.gateway, options.count))
        figures = {
            "answers": dict(outcome.statuses),
            "seconds": outcome.elapsed_s,
            "memory_mb": (before_mb, resident_mb(system.pids["gateway"])),
            "healthz_ms": {share: health.quantile_ms(share) for share in (0.5, 0.99, 1.0)},
        }
        print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
