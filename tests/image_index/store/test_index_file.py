"""What may become of the database's file, and that it is noticed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.image_index.store.embedded import schema
from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.failures import StoreUnusable
from services.image_index.store.new_image import PutOutcome
from shared.errors import Unavailable
from shared.private_folder import open_folder
from tests.image_index.store.conftest import WEIGHTS, made_image
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

Open = Callable[[], EmbeddedStore]


def filled(open_store: Open, images: int = 30) -> None:
    with open_store() as store:
        store.put([made_image(f"i{n}", content=f"{n}" * 2000) for n in range(images)])


@pytest.mark.parametrize("kept", [0, 1, 100, 4096, 8192, 40960, -4096, -1])
def test_a_file_that_was_cut_short_is_refused_and_left_alone(folder: Path, open_store: Open, kept: int) -> None:
    filled(open_store)
    file = folder / "index.sqlite3"
    size = file.stat().st_size
    os.truncate(file, kept if kept >= 0 else size + kept)
    left = file.read_bytes()

    with pytest.raises(StoreUnusable, match=r"emptied|cannot be read|damaged"):
        open_store()
    assert file.read_bytes() == left


def test_a_log_without_its_file_is_refused_and_left_alone(folder: Path, open_store: Open) -> None:
    with open_store() as store:
        store.put([made_image("a")])
        shutil.copytree(folder, folder.with_name("copy"))
    copy = folder.with_name("copy")
    (copy / "index.sqlite3").unlink()
    log = (copy / "index.sqlite3-wal").read_bytes()

    with pytest.raises(StoreUnusable, match="is gone, but its log"):
        EmbeddedStore(copy, WEIGHTS)
    assert (copy / "index.sqlite3-wal").read_bytes() == log
    assert not (copy / "index.sqlite3").exists()


def test_a_database_of_another_program_is_refused(folder: Path, open_store: Open) -> None:
    folder.mkdir()
    with schema.connect(folder / "index.sqlite3") as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()

    with pytest.raises(StoreUnusable, match="another program"):
        open_store()


def deleted(file: Path) -> None:
    file.unlink()


def replaced(file: Path) -> None:
    shutil.copy(file, file.with_suffix(".copy"))
    file.with_suffix(".copy").rename(file)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


@pytest.mark.parametrize("harm", [deleted, replaced, emptied])
def test_nothing_is_acknowledged_that_would_be_lost_with_the_file(
    folder: Path, open_store: Open, harm: Callable[[Path], None]
) -> None:
    filled(open_store)
    with open_store() as store:
        assert store.write_trouble() is None
        harm(folder / "index.sqlite3")

        assert "moved, replaced or cut short" in str(store.write_trouble())
        with pytest.raises(Unavailable, match="restart"):
            store.put([made_image("new")])
        with pytest.raises(Unavailable, match="restart"):
            store.delete("i1")


CREATOR = """
import sys
from pathlib import Path
from services.image_index.store.embedded.store import EmbeddedStore
from tests.image_index.store.conftest import WEIGHTS
print("ready", flush=True)
sys.stdin.readline()
for folder in map(Path, sys.argv[1:]):
    EmbeddedStore(folder, WEIGHTS).close()
"""


def test_kill_9_while_an_index_is_made_leaves_a_folder_that_can_be_used(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(300)]
    command = [sys.executable, "-c", CREATOR, *map(str, folders)]
    begun: list[Path] = []
    for pause_s in (0.005, 0.02, 0.05, 0.11):
        rest = [folder for folder in folders if not folder.exists()]
        command = [sys.executable, "-c", CREATOR, *map(str, rest)]
        with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.readline()
            process.stdin.write(b"go\n")
            process.stdin.flush()
            time.sleep(pause_s)
            process.send_signal(signal.SIGKILL)
    begun = [folder for folder in folders if folder.exists()]
    assert begun
    for folder in begun:
        with EmbeddedStore(folder, WEIGHTS) as store:
            assert store.put([made_image("a")]) == [PutOutcome.CREATED]


@pytest.mark.parametrize("left", ["index.sqlite3.new", "index.sqlite3.new-journal"])
def test_what_an_interrupted_beginning_left_is_no_hindrance(folder: Path, open_store: Open, left: str) -> None:
    folder.mkdir()
    (folder / left).write_bytes(b"half a file")

    with open_store() as store:
        assert store.put([made_image("a")]) == [PutOutcome.CREATED]
    assert not (folder / left).exists()


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}


def test_an_index_is_for_its_owner_alone(folder: Path, open_store: Open) -> None:
    before = os.umask(0)
    try:
        with open_store() as store:
            store.put([made_image("a")])
            found = modes(folder)
    finally:
        os.umask(before)

    assert {"index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm", "index.lock"} <= set(found)
    assert found.pop(folder.name) == 0o700
    assert set(found.values()) == {0o600}


def test_an_index_that_others_may_read_is_closed_to_them_and_the_log_says_so(
    folder: Path, open_store: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(open_store)
    assert "made_private" not in capsys.readouterr().out
    folder.chmod(0o755)
    (folder / "index.sqlite3").chmod(0o644)
    (folder / "index.lock").chmod(0o664)
    with open_store():
        found = modes(folder)

    assert (found[folder.name], found["index.sqlite3"], found["index.lock"]) == (0o700, 0o600, 0o600)
    told = capsys.readouterr().out
    assert told.count("made_private") == 3
    assert "mode_before=644" in told


def test_a_folder_of_another_user_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError

    tmp_path.chmod(0o770)
    monkeypatch.setattr(Path, "chmod", refuse)
    open_folder(tmp_path)

    assert "not_private" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_picture_that_is_deleted_or_replaced_is_in_no_file_any_more(folder: Path, open_store: Open, how: str) -> None:
    picture = made_image("a", content="first")
    with open_store() as store:
        store.put([picture, *(made_image(f"other{n}") for n in range(5))])
        assert in_a_file(folder, picture.thumbnail)
        if how == "deleted":
            store.delete("a")
        else:
            store.put([made_image("a", content="second")], replace=True)
        assert not in_a_file(folder, picture.thumbnail)


def in_a_file(folder: Path, picture: bytes) -> bool:
    return any(picture in file.read_bytes() for file in folder.iterdir() if file.is_file())
