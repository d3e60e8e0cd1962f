import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.image_index.training.phantoms.gallery import write_gallery

pytestmark = pytest.mark.e2e


@pytest.fixture
def folder(tmp_path: Path, system) -> Path:
    """A working directory like the repository's, with a gallery of 12 phantoms."""
    shutil.copy(Path(__file__).parents[2] / "Procfile", tmp_path)
    write_gallery(tmp_path / "gallery", count=12, seed=3, size=256)
    return tmp_path


def demo(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.demo", "--data", str(folder / "gallery"), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_demo_indexes_a_folder_answers_and_leaves_nothing_running(folder, system):
    apart = type(system)(folder)  # ports and settings of its own
    environment = apart.environment | {"CHEX_DATA_DIR": str(folder / "data")}
    finished = demo(folder, environment, "--impression", "Large right pleural effusion.")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "The index holds 12" in finished.stdout
    assert "Pleural Effusion" in finished.stdout
    answer = json.loads((folder / ".demo" / "answer.json").read_bytes())
    assert len(answer["results"][0]["hits"]) == 5
    for port in apart.ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_demo_says_which_port_is_taken(folder, system):
    finished = demo(folder, system.environment)
    assert finished.returncode == 1
    assert f"Port {system.ports['gateway']} is in use" in finished.stderr
    assert "CHEX_GATEWAY_PORT" in finished.stderr


def test_demo_says_what_a_folder_lacks(folder, system):
    (folder / "gallery" / "labels.csv").unlink()
    finished = demo(folder, type(system)(folder).environment)
    assert finished.returncode == 1
    assert "must hold labels.csv" in finished.stderr
