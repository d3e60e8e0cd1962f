import os
import subprocess
import sys

PROGRAM = """
import os, services.inference.session
print(os.environ["ORT_DISABLE_TELEMETRY"], len(os.listdir("/proc/self/task")))
"""


def test_the_engine_keeps_no_device_id_and_starts_no_sender(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment
        | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["1", "1"]
    assert ran.stderr == ""
    assert list(tmp_path.rglob("*")) == []
