"""Prints the table of faults under load: `python -m tests.e2e.faults [--seconds 15]`; root can do all of them."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.e2e.faults.measure import HEAD, lost_writes, run, system_with_faults, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="how long each fault lasts")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        system_with_faults(Path(folder)) as (system, faults),
    ):
        rows, load = run(system, faults, lasting_s=options.seconds)
        lines = [HEAD, *map(told, rows)]
        twice = [write.key for write in load.writes if write.made > 1]
        lost = lost_writes(system, load)
        counts = f"{len(load.writes)} writes, {len(lost)} lost, {len(twice)} made twice"
        sys.stdout.write("\n".join([*lines, "", f"{len(load.outcomes)} requests; {counts}.", ""]))


if __name__ == "__main__":
    main()
