"""An acknowledged write has been synced to the disk: shown by the system calls that a writer makes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

WRITES = 25
WRITER = f"""
import os, sys
from pathlib import Path
import numpy as np
from services.image_index.store.embedded.store import EmbeddedStore
from tests.image_index.store.conftest import WEIGHTS, made_image

store = EmbeddedStore(Path(sys.argv[1]), WEIGHTS)
rng = np.random.default_rng(0)
for number in range({WRITES}):
    os.write(1, b"put\\n")
    store.put([made_image(f"i{{number % 5}}", rng.random(14), content=str(number))], replace=True)
    os.write(1, b"acknowledged\\n")
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_every_acknowledged_write_was_synced_before_it_was_acknowledged(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=write,fsync,fdatasync"]
    subprocess.run(
        [*command, sys.executable, "-c", WRITER, str(tmp_path / "index")],
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    calls = re.findall(r'(fsync|fdatasync)\(\d+\) += 0|write\(1, "(put|acknowledged)', trace.read_text())
    story = "".join("s" if sync else {"put": "p", "acknowledged": "a"}[said] for sync, said in calls)

    assert story.count("a") == WRITES
    assert len(re.findall("ps+a", story)) == WRITES
