"""Prints the table of faults under load: `python -m tests.e2e.faults [--seconds 15]`; root can do all of them."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.e2e.faults.measure import HEAD, lost_writes, run, size_of, system_with_faults, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="how long each fault lasts")
    parser.add_argument("--only", default="", help="those whose names hold this")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # namespaces and mounts are taken away
    with (
        tempfile.TemporaryDirectory() as folder,
        system_with_faults(Path(folder)) as (system, faults),
    ):
        chosen = {name: fault for name, fault in faults.items() if options.only in name}
        say(HEAD)
        measured = run(system, chosen, lasting_s=options.seconds, tell=lambda row: say(told(row)))
        writes, lost = measured.load.writes, lost_writes(system, measured.load)
        twice = size_of(system) - len(writes)
        say(
            f"\n{len(measured.load.outcomes)} requests, {len(measured.unanswered)} of them without an answer while the "
            f"gateway ran. {len(writes)} writes, {measured.sent_again} of them sent again; {len(lost)} lost, "
            f"{twice} made twice."
        )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
