"""What can befall the system while it works. Each is a context: it begins, lasts, and is mended."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

from tests.e2e.conftest import System

Fault = Callable[[System], AbstractContextManager[None]]

HERE, THERE = "10.231.87.1", "10.231.87.2"


@contextmanager
def killed(system: System, part: str) -> Iterator[None]:
    system.stop(part, sign=signal.SIGKILL)
    try:
        yield
    finally:
        system.start(part)


@contextmanager
def paused(system: System, part: str) -> Iterator[None]:
    system.processes[part].send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        system.processes[part].send_signal(signal.SIGCONT)


@contextmanager
def locked(system: System, file: str) -> Iterator[None]:
    """Another process's write lock on an SQLite file; here, one of this process, which is another one."""
    address = f"{(system.folder / file).as_uri()}?mode=rw"  # not made where there is none
    with closing(sqlite3.connect(address, uri=True)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.rollback()


@contextmanager
def full(system: System, folder: str) -> Iterator[None]:
    """A disk of its own, as `small_disk` gives it."""
    filler = system.folder / folder / "filler"
    descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
    try:
        left = shutil.disk_usage(filler.parent).free
        while left > 0:
            try:
                left -= os.write(descriptor, bytes(min(left, 2**20)))
            except OSError:
                break
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


@contextmanager
def cut_off(_system: System, namespace: str) -> Iterator[None]:
    """The link between two network namespaces goes down: what is on its way is lost, and nobody is told."""
    _run("ip", "-n", namespace, "link", "set", "inner", "down")
    try:
        yield
    finally:
        _run("ip", "-n", namespace, "link", "set", "inner", "up")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Whether there is one: mounting needs rights that not everybody has."""
    folder.mkdir(mode=0o700)
    mounted = _may("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            _run("umount", "--lazy", str(folder))


@contextmanager
def namespace_of(system: System, part: str) -> Iterator[str | None]:
    """A network namespace in which the part is to run, reached over a link; None where there can be none.

    Its variables for the address that it listens at are set here, and the gateway's for where it is found.
    """
    name, outer = f"chex{os.getpid()}", f"cx{os.getpid()}"[:15]
    try:
        if not _may("ip", "netns", "add", name) or not _may(
            "ip", "link", "add", outer, "type", "veth", "peer", "name", "inner", "netns", name
        ):
            yield None
        else:
            _run("ip", "addr", "add", f"{HERE}/30", "dev", outer)
            _run("ip", "link", "set", outer, "up")
            for command in (f"addr add {THERE}/30 dev inner", "link set inner up", "link set lo up"):
                _run("ip", "-n", name, *command.split())
            system.before[part] = ["ip", "netns", "exec", name]
            system.more[part] = {"CHEX_HOST": THERE}
            system.more["gateway"] = {"CHEX_INDEX_URL": f"http://{THERE}:{system.ports[part]}"}
            yield name
    finally:
        _may("ip", "link", "del", outer)
        _may("ip", "netns", "del", name)


def faults(*, namespace: str | None, small_disks: bool) -> dict[str, Fault]:
    """By what the table calls them."""
    parts = {"text classifier": "text-classifier", "image index": "image-index", "gateway": "gateway"}
    made: dict[str, Fault] = {f"{name} killed (-9)": partial(killed, part=part) for name, part in parts.items()}
    made |= {f"{name} stopped (SIGSTOP)": partial(paused, part=part) for name, part in parts.items()}
    made["store of the index locked"] = partial(locked, file="data/image-index/index.sqlite3")
    made["kept answers of the gateway locked"] = partial(locked, file="gateway/idempotency.sqlite3")
    if small_disks:
        made["disk of the index full"] = partial(full, folder="data")
        made["disk of the gateway full"] = partial(full, folder="gateway")
    if namespace is not None:
        made["network to the index cut"] = partial(cut_off, namespace=namespace)
    return made


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _may(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
