"""What serving costs: the text service beside a plain FastAPI endpoint and LitServe, each around the bundled model; and
an impression's whole way through the gateway beside its parts. All turn by turn in one run.

    python tests/benchmarks/serving.py [--json OUT]
"""

import argparse
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import httpx
import uvloop
from load import Connection, Outcome, closed_loop
from servers import at_rest, free_port, running

CLIENTS = (1, 8, 32)
SECONDS = 3.0
ROUNDS = 5
PICTURES = 200

FINDINGS = (
    "Mild cardiomegaly", "Small left pleural effusion", "Moderate right pleural effusion", "Bibasilar atelectasis",
    "Possible early pneumonia in the right lower lobe", "Stable interstitial edema", "Dual lead pacemaker in place",
    "Right internal jugular catheter ends in the superior vena cava", "Old healed rib fractures on the left",
)  # fmt: skip
ABSENT = ("No pneumothorax", "No focal consolidation", "No pleural effusion", "The lungs are otherwise clear")


def impressions(seed: int) -> Iterator[str]:
    """Impressions as people write them, 3 to 30 words, hardly any twice."""
    draw = random.Random(seed)
    for number in itertools.count():
        said = draw.sample(FINDINGS, draw.randint(1, 3)) + draw.sample(ABSENT, draw.randint(0, 2))
        yield ". ".join(said) + f". Compared with study {seed}.{number}."


def classify_bodies(seed: int) -> Iterator[bytes]:
    return (json.dumps({"impressions": [text]}).encode() for text in impressions(seed))


def retrieve_bodies(seed: int) -> Iterator[bytes]:
    return (json.dumps({"impression": text}).encode() for text in impressions(seed))


def search_bodies(gateway: int, seed: int) -> Iterator[bytes]:
    """The searches that the gateway makes of `retrieve_bodies`, over and over."""
    with httpx.Client(base_url=f"http://127.0.0.1:{gateway}") as client:
        asked = [client.post("/v1/retrieve", json={"impression": text}) for text in islice(impressions(seed), 100)]
    return itertools.cycle([json.dumps({"labels": each.json()["results"][0]["query"]}).encode() for each in asked])


class System:
    """The three processes over a gallery of phantoms."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.text, self.index, self.gateway = free_port(), free_port(), free_port()
        environment = {
            "CHEX_TEXT_PORT": str(self.text),
            "CHEX_INDEX_PORT": str(self.index),
            "CHEX_GATEWAY_PORT": str(self.gateway),
            "CHEX_TEXT_URL": f"http://127.0.0.1:{self.text}",
            "CHEX_INDEX_URL": f"http://127.0.0.1:{self.index}",
            "CHEX_DATA_DIR": str(folder / "data"),
            "CHEX_GATEWAY_DIR": str(folder / "gateway"),
        }
        self._fill(folder, environment)
        self.pids = {
            name: stack.enter_context(running(["-m", *command.split()], port, "/readyz", environment))
            for name, command, port in (
                ("text", "services.text_classifier serve", self.text),
                ("index", "services.image_index serve", self.index),
                ("gateway", "gateway", self.gateway),
            )
        }

    def _fill(self, folder: Path, environment: dict[str, str]) -> None:
        import os
        import subprocess
        import sys

        gallery = folder / "gallery"
        command = [sys.executable, "-m", "services.image_index"]
        for arguments in (
            ["phantoms", "--out", str(gallery), "--count", str(PICTURES), "--seed", "1"],
            ["ingest", "--csv", str(gallery / "labels.csv"), "--images-root", str(gallery)],
        ):
            subprocess.run(
                [*command, *arguments], env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL
            )


class Server(NamedTuple):
    port: int
    pids: list[int]


def measure_servers(servers: dict[str, Server], rounds: int, seconds: float) -> dict[str, dict[int, list[Outcome]]]:
    outcomes: dict[str, dict[int, list[Outcome]]] = {name: {clients: [] for clients in CLIENTS} for name in servers}
    for number in range(rounds + 1):
        for clients in CLIENTS:
            for name, server in servers.items():
                bodies = classify_bodies(100 * number + clients)  # the same for each server
                others = [pid for other in servers.values() if other is not server for pid in other.pids]
                with at_rest(others):
                    run = closed_loop(server.port, "/v1/classify", bodies, clients=clients, seconds=seconds)
                    outcome = uvloop.run(run)
                assert set(outcome.statuses) == {200}, (name, outcome.statuses)
                if number:  # the first round warms up
                    outcomes[name][clients].append(outcome)
    return outcomes


def ratios(ours: list[float], others: list[float]) -> list[float]:
    """Of each round; sorted."""
    return sorted(mine / other for mine, other in zip(ours, others, strict=True))


def told(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({values[0]:.2f} to {values[-1]:.2f})"


def compare_servers(outcomes: dict[str, dict[int, list[Outcome]]]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for clients in CLIENTS:
        p50 = {name: [run.quantile_ms(0.5) for run in runs[clients]] for name, runs in outcomes.items()}
        rate = {name: [run.goodput for run in runs[clients]] for name, runs in outcomes.items()}
        print(f"\n{clients} client{'s' if clients > 1 else ''}: p50 in ms, answers a second")
        for name in outcomes:
            print(f"  {name:9} {statistics.median(p50[name]):7.2f} ms {statistics.median(rate[name]):7.1f}/s")
        for name in set(outcomes) - {"ours"}:
            slower, faster = ratios(p50["ours"], p50[name]), ratios(rate["ours"], rate[name])
            print(f"  ours over {name}: p50 {told(slower)}, answers {told(faster)}")
            figures[f"{clients} clients over {name}"] = {"p50": slower, "answers": faster}
    return figures


async def turn_by_turn(system: System, seed: int, seconds: float) -> tuple[Outcome, Outcome]:
    """One client that classifies and then searches, over and over, as the gateway does."""
    classified, searched = Outcome(), Outcome()
    text, index = Connection(system.text), Connection(system.index)
    texts, queries = classify_bodies(seed), search_bodies(system.gateway, seed)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for outcome, connection, path, bodies in (
            (classified, text, "/v1/classify", texts),
            (searched, index, "/v1/search", queries),
        ):
            asked = time.perf_counter()
            outcome.add(await connection.ask(path, next(bodies)), time.perf_counter() - asked)
    text.close()
    index.close()
    return classified, searched


def compare_ways(system: System, rounds: int, seconds: float) -> dict[str, object]:
    """p50 at one client: the whole way, and its two parts asked directly: each alone, and turn by turn. (Then each
    works from caches that the other has emptied, as on the whole way.)
    """
    alone = {
        "classify": lambda seed: (system.text, "/v1/classify", classify_bodies(seed)),
        "search": lambda seed: (system.index, "/v1/search", search_bodies(system.gateway, seed)),
        "retrieve": lambda seed: (system.gateway, "/v1/retrieve", retrieve_bodies(seed)),
    }
    p50: dict[str, list[float]] = {name: [] for name in (*alone, "classify in turn", "search in turn")}
    for number in range(rounds + 1):
        found = {}
        for name, way in alone.items():
            port, path, bodies = way(number)
            found[name] = uvloop.run(closed_loop(port, path, bodies, clients=1, seconds=seconds))
        found["classify in turn"], found["search in turn"] = uvloop.run(turn_by_turn(system, number, seconds))
        for name, outcome in found.items():
            assert set(outcome.statuses) == {200}, (name, outcome.statuses)
            if number:
                p50[name].append(outcome.quantile_ms(0.5))
    print("\nOne client: " + ", ".join(f"{name} {statistics.median(values):.2f} ms" for name, values in p50.items()))
    over: dict[str, list[float]] = {}
    for name, suffix in (("each alone", ""), ("turn by turn", " in turn")):
        parts = zip(p50["retrieve"], p50[f"classify{suffix}"], p50[f"search{suffix}"], strict=True)
        over[name] = sorted(retrieve - classify - search for retrieve, classify, search in parts)
        print(f"  retrieve over its parts, {name}: {told(over[name])} ms")
    return {"p50_ms": p50, "over_parts_ms": over}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    here = Path(__file__).parent
    with ExitStack() as stack:
        system = System(stack)
        ways = compare_ways(system, options.rounds, options.seconds)
        servers = {"ours": Server(system.text, list(system.pids.values()))}
        for name in ("plain", "litserve"):
            port = free_port()
            pid = stack.enter_context(running([str(here / f"{name}_server.py"), str(port)], port, "/health", {}))
            servers[name] = Server(port, [pid])
        outcomes = measure_servers(servers, options.rounds, options.seconds)
        figures = {"servers": compare_servers(outcomes), "ways": ways}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
