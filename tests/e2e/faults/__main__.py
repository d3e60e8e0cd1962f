"""Prints the table of faults under load: `python -m tests.e2e.faults [--seconds 15]`; root can do all of them."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.e2e.faults.measure import HEAD, lost_writes, run, system_with_faults, told


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
        rows, load = run(system, chosen, lasting_s=options.seconds)
        lines = [HEAD, *map(told, rows)]
        twice = [write.key for write in load.writes if write.made > 1]
        lost = lost_writes(system, load)
        counts = f"{len(load.writes)} writes, {len(lost)} lost, {len(twice)} made twice"
        sys.stdout.write("\n".join([*lines, "", f"{len(load.outcomes)} requests; {counts}.", ""]))


if __name__ == "__main__":
    main()
