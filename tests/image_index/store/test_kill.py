"""kill -9 at random moments: what was acknowledged is there, and of a batch all or nothing.

`CHEX_KILL_ROUNDS` sets the number of rounds; a few are run by default.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from services.image_index.ranking.query import Query
from services.image_index.store.embedded.store import EmbeddedStore
from shared.schemas.search import SearchOptions
from tests.image_index.store.conftest import WEIGHTS
from tests.image_index.store.killed_writer import BATCH
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("CHEX_KILL_ROUNDS", "4"))


def killed_round(folder: Path, prefix: str, mode: str) -> set[str]:
    """Runs a writer, kills it a moment after its first acknowledgement, and returns what it acknowledged."""
    command = [sys.executable, "-m", "tests.image_index.store.killed_writer", str(folder), prefix, mode]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(random.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    return {line for line in (first + rest).decode().splitlines() if line.count(".") == 3}


def present_after(folder: Path) -> set[str]:
    with EmbeddedStore(folder, WEIGHTS) as store:
        size = store.info().size
        found = store.search(Query(np.ones(14), SearchOptions.model_construct(k=max(size, 1))))
        ids = {hit.record.image_id for hit in found.hits}
        assert len(ids) == size
        assert all(store.thumbnail(image_id) is not None for image_id in list(ids)[:20])
        return ids


def test_every_acknowledged_image_is_there_and_no_batch_is_half_there(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for number in range(ROUNDS):
        acknowledged |= killed_round(tmp_path, str(number), "honest")
        present = present_after(tmp_path)
        assert acknowledged <= present
        parts = Counter(image_id.rsplit(".", 1)[0] for image_id in present)
        assert set(parts.values()) == {BATCH}
    assert len(acknowledged) > 20 * ROUNDS


def test_a_study_that_was_deleted_stays_so_and_none_is_half_there(tmp_path: Path) -> None:
    for number in range(ROUNDS):
        acknowledged = killed_round(tmp_path, str(number), "deleting")
        present = present_after(tmp_path)
        assert acknowledged
        assert not acknowledged & present
        parts = Counter(image_id.rsplit(".", 1)[0] for image_id in present)
        assert set(parts.values()) <= {BATCH}
        with EmbeddedStore(tmp_path, WEIGHTS) as store:
            known = {store.get(image_id).metadata.study_instance_uid for image_id in present}
            assert store.describe().reports.waiting == 0  # no report outlives its study
            assert all(store.study(uid, BATCH).size == BATCH for uid in known)


def test_a_writer_that_acknowledges_too_early_is_caught(tmp_path: Path) -> None:
    lost: set[str] = set()
    for number in range(20):
        folder = tmp_path / str(number)
        lost |= killed_round(folder, "x", "early") - present_after(folder)
        if lost:
            break

    assert lost
