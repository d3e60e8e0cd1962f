import time
from dataclasses import replace

from gateway.guard.keys.key import Key
from gateway.guard.keys.ring import Ring
from gateway.guard.keys.store import KeyFile, KeysUnusable

KEY = Key("0123456789ab", "a key", frozenset({"retrieve"}), "hash", None, 1.0)


def looks_again(ring: Ring) -> None:
    ring._look_at = 0.0


def test_folder_without_keys_is_not_made(tmp_path):
    assert not Ring(tmp_path / "gateway")
    assert not (tmp_path / "gateway").exists()


def test_ring_follows_what_commands_write(tmp_path):
    ring, file = Ring(tmp_path), KeyFile(tmp_path)
    file.add(KEY)
    looks_again(ring)
    assert ring.get(KEY.id) == KEY
    file.revoke(KEY.id, 2.0)
    looks_again(ring)
    assert ring.get(KEY.id).revoked_at == 2.0
    ring.close()


def test_ring_follows_a_file_that_was_put_in_the_place_of_the_one_it_read(tmp_path):
    file, copies = KeyFile(tmp_path / "now"), KeyFile(tmp_path / "copy")
    file.add(KEY)
    file.add(replace(KEY, id="000000000000"))
    copies.add(KEY)
    ring = Ring(tmp_path / "now")
    for name in ("keys.sqlite-wal", "keys.sqlite-shm"):
        (tmp_path / "now" / name).unlink(missing_ok=True)
    copies.path.replace(file.path)
    file.revoke(KEY.id, 2.0)
    looks_again(ring)
    assert ring.get(KEY.id).revoked_at == 2.0
    assert ring.get("000000000000") is None
    ring.close()


def test_ring_whose_file_was_taken_away_stays_locked_with_what_it_read(tmp_path):
    file = KeyFile(tmp_path)
    file.add(KEY)
    ring = Ring(tmp_path)
    file.path.unlink()
    looks_again(ring)
    assert ring
    assert ring.get(KEY.id) == KEY
    file.add(replace(KEY, id="000000000000"))
    looks_again(ring)
    assert ring.get(KEY.id) is None
    assert ring.get("000000000000") is not None
    ring.close()


def test_file_that_is_damaged_takes_no_place(tmp_path):
    file = KeyFile(tmp_path)
    file.add(KEY)
    ring = Ring(tmp_path)
    (tmp_path / "damaged").write_bytes(b"no database" * 1000)
    (tmp_path / "damaged").replace(file.path)
    looks_again(ring)
    assert ring.get(KEY.id) == KEY
    ring.close()


def test_last_use_is_written_when_it_is_asked_to_be_and_no_sooner(tmp_path):
    file = KeyFile(tmp_path)
    file.add(KEY)
    ring = Ring(tmp_path)
    ring.used(KEY, 5.0)
    assert file.all()[0].used_at is None
    ring.write_uses()
    assert file.all()[0].used_at == 5.0
    ring.used(KEY, 6.0)
    ring.close()
    assert file.all()[0].used_at == 6.0


def test_what_was_read_holds_while_the_file_cannot_be_read(tmp_path, monkeypatch):
    file = KeyFile(tmp_path)
    file.add(KEY)
    ring = Ring(tmp_path)

    def fails(_changes: object) -> list[Key]:
        raise KeysUnusable("The disk is gone.")

    monkeypatch.setattr("gateway.guard.keys.store.Changes.news", fails)
    looks_again(ring)
    assert ring.get(KEY.id) == KEY
    ring.close()


def test_key_ends_by_its_hour_or_by_hand():
    assert KEY.ended(time.time()) is None
    assert Key(KEY.id, "", KEY.rights, "", None, 1.0, expires_at=5.0).ended(5.0) == "has expired"
    assert Key(KEY.id, "", KEY.rights, "", None, 1.0, revoked_at=5.0).ended(1.0) == "was revoked"
