"""Puts images until it is killed, and writes the id of each one that was acknowledged to stdout.

With `early`, it acknowledges before the store has: the harness must catch that. With `deleting`, each batch is a study
with a report that is put and then deleted, and what is acknowledged is its deletion.
"""

import os
import sys
import threading
from pathlib import Path

import numpy as np

from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.reports import ReportTarget
from tests.image_index.store.conftest import WEIGHTS, made_image, made_report

BATCH = 3


def main(folder: Path, prefix: str, mode: str) -> None:
    store = EmbeddedStore(folder, WEIGHTS)

    def acknowledge(ids: list[str]) -> None:
        os.write(1, "".join(f"{image_id}\n" for image_id in ids).encode())  # one write of a pipe is never torn

    def put_for_ever(worker: int) -> None:
        rng = np.random.default_rng(worker)
        number = 0
        while True:
            ids = [f"{prefix}.{worker}.{number}.{part}" for part in range(BATCH)]
            study = f"{prefix}.{worker}.{number}" if mode == "deleting" else None
            images = [made_image(image_id, rng.random(14), study_instance_uid=study) for image_id in ids]
            if mode == "early":
                acknowledge(ids)
            store.put(images)
            if mode == "deleting":
                store.put_reports([(ReportTarget("study", str(study)), made_report())])
                store.delete_study(str(study))
            if mode != "early":
                acknowledge(ids)
            number += 1

    for worker in range(4):
        threading.Thread(target=put_for_ever, args=(worker,)).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
