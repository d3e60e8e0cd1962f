"""`python -m gateway keys`, as it is typed, on one folder."""

import re
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from gateway.__main__ import cli
from gateway.guard.keys.key import parse_key
from gateway.guard.keys.store import KeyFile, KeysUnusable

pytestmark = pytest.mark.slow


@pytest.fixture
def type_in(tmp_path, monkeypatch):
    monkeypatch.setenv("CHEX_GATEWAY_DIR", str(tmp_path / "gateway"))

    def type_in(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["keys", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    return type_in


@pytest.fixture
def file(tmp_path) -> KeyFile:
    return KeyFile(tmp_path / "gateway")


def test_key_is_shown_once_and_kept_as_a_hash_for_its_owner_alone(type_in, file):
    written = parse_key(type_in("create", "--name", "PACS", "--right", "retrieve", "--right", "ingest"))
    (key,) = file.all()
    assert (key.id, key.name, key.rights, key.rate, key.expires_at) == (
        written.id, "PACS", {"retrieve", "ingest"}, None, None,
    )  # fmt: skip
    assert key.hash.startswith("$argon2id$")
    assert written.secret.encode() not in file.path.read_bytes()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert written.secret not in type_in("list")


def test_list_says_whose_key_it_is_what_for_and_until_when(type_in):
    assert type_in("list") == ""
    type_in("create", "--name", "Dr. Øre", "--right", "retrieve", "--expires", "30", "--rate", "60/minute")
    line = type_in("list")
    assert re.search(r"valid  retrieve  made \S+  until \S+  never used  60/minute  Dr. Øre$", line)


def test_revoked_key_stays_in_the_list_as_ended(type_in, file):
    written = parse_key(type_in("create", "--name", "x", "--right", "admin"))
    type_in("revoke", written.id)
    assert file.all()[0].ended(time.time()) == "was revoked"
    assert "ended" in type_in("list")
    with pytest.raises(KeysUnusable, match="was revoked"):
        type_in("rotate", written.id)


@pytest.mark.parametrize(("grace", "left_s"), [((), 0), (("--grace", "2"), 7200)])
def test_rotated_key_is_as_the_old_one_which_ends_after_the_grace(type_in, file, grace, left_s):
    old = parse_key(type_in("create", "--name", "x", "--right", "admin", "--rate", "5/second"))
    new = parse_key(type_in("rotate", old.id, *grace))
    before, after = file.all()
    assert (after.id, after.name, after.rights, after.rate) == (new.id, before.name, before.rights, before.rate)
    assert before.expires_at == pytest.approx(time.time() + left_s, abs=5)
    assert after.expires_at is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["create", "--name", "", "--right", "admin"], "A name has 1 to 64 characters"),
        (["create", "--name", "a\nb", "--right", "admin"], "all of which can be seen"),
        (["create", "--name", "\x1b[31mred", "--right", "admin"], "all of which can be seen"),
        (["create", "--name", "a", "--right", "root"], "A right is one of retrieve, ingest, deliver, delete, admin"),
        (["create", "--name", "a", "--right", "admin", "--rate", "often"], "A rate is written as"),
        (["create", "--name", "a", "--right", "admin", "--expires", "soon"], "--expires takes a number of days"),
        (["create", "--name", "a", "--right", "admin", "--expires", "2020-01-01"], "lies in the past"),
        (["create", "--name", "a", "--right", "admin", "--expires", "9999999999"], "--expires takes"),
        (["revoke", "0123456789ab"], "There is no key of this id"),
    ],
)
def test_mistake_is_said_and_makes_no_key(type_in, file, wrong, said):
    with pytest.raises(KeysUnusable, match=said):
        type_in(*wrong)
    assert file.all() == []


def test_damaged_file_is_one_sentence_and_not_an_open_gateway(file):
    file.path.parent.mkdir()
    file.path.write_bytes(b"no database" * 100)
    run = [sys.executable, "-m", "gateway"]
    variables = {"CHEX_GATEWAY_DIR": str(file.path.parent), "PATH": ""}
    done = subprocess.run(run, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("gateway: The file of the keys")
    assert len(done.stderr.splitlines()) == 1


def test_processes_that_write_at_once_lose_no_key(file):
    program = (
        "import sys, time; from pathlib import Path; from gateway.guard.keys.key import Key, new_key\n"
        "from gateway.guard.keys.store import KeyFile\n"
        "for _ in range(20):\n"
        "    KeyFile(Path(sys.argv[1])).add(Key(new_key().id, 'n', frozenset(), 'h', None, time.time()))"
    )
    run = [sys.executable, "-c", program, str(file.path.parent)]
    writers = [subprocess.Popen(run) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(file.all()) == 60
