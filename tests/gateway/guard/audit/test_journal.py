"""Lines are whole and in order whatever happens to the disk, the process and the day."""

import errno
import json
import resource
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from gateway.guard.audit.failures import AuditBroken, AuditUnusable
from gateway.guard.audit.folder import ANCHOR_FILE, HEAD_FILE, KEY_FILE, lines_files
from tests.gateway.guard.audit.audits import EVENTS, journal_in, lines_of, verified, written

DAY = date(2026, 11, 28)


@contextmanager
def no_file_longer_than(size):
    """What a full disk does: a write takes what there is room for, and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_chain_goes_on_where_it_was_left(tmp_path):
    written(tmp_path, 3)
    written(tmp_path, 2)
    assert verified(tmp_path).head.count == 5
    chain = json.loads((tmp_path / HEAD_FILE).read_text())["chain"]
    assert [line["id"] for line in lines_of(tmp_path)] == [f"{chain}.{number}" for number in range(1, 6)]


def test_all_that_is_kept_is_for_its_owner_alone(tmp_path):
    written(tmp_path / "audit", 1)
    kept = [tmp_path / "audit", *(tmp_path / "audit").iterdir()]
    assert len(kept) == 4
    assert {path.stat().st_mode & 0o077 for path in kept} == {0}


def test_files_follow_each_other_by_size_and_the_chain_goes_on_over_them(tmp_path):
    written(tmp_path, 40, max_bytes=1000)
    files = lines_files(tmp_path)
    assert len(files) > 5
    assert all(file.path.stat().st_size < 2000 for file in files)
    assert (verified(tmp_path).head.count, verified(tmp_path).files) == (40, len(files))
    files[2].path.unlink()
    with pytest.raises(AuditBroken, match=f"{files[3].path.name}, line 1: .* are missing"):
        verified(tmp_path)


def days(tmp_path, count, **options):
    """One line a day."""
    today = [DAY]
    journal = journal_in(tmp_path, today=lambda: today[0], **options)
    for number in range(count):
        today[0] = DAY + timedelta(days=number)
        journal.append([b'{"recorded":"%sT10:00:00.000+00:00"}' % today[0].isoformat().encode()])
    journal.sync_head()
    journal.close()


def test_each_day_has_a_file_of_its_own(tmp_path):
    days(tmp_path, 3)
    assert [file.path.name for file in lines_files(tmp_path)] == [
        "000000000001-2026-11-28.ndjson",
        "000000000002-2026-11-29.ndjson",
        "000000000003-2026-11-30.ndjson",
    ]
    assert verified(tmp_path).head.count == 3


def test_nothing_is_removed_unless_that_is_asked_for(tmp_path):
    days(tmp_path, 30)
    assert len(lines_of(tmp_path)) == 30


def test_old_files_are_removed_and_what_is_left_still_verifies(tmp_path):
    days(tmp_path, 30, keep_days=7)
    found = verified(tmp_path)
    assert len(lines_of(tmp_path)) == 8
    assert (found.head.count, found.removed) == (30, 22)
    lines_files(tmp_path)[0].path.unlink()
    with pytest.raises(AuditBroken, match="line 23 is missing"):
        verified(tmp_path)


def starts_and_writes_on(tmp_path, day, **options):
    journal = journal_in(tmp_path, today=lambda: DAY + timedelta(days=day), **options)
    journal.append(EVENTS[:1])
    journal.sync_head()
    journal.close()


def test_a_file_that_was_given_an_older_name_is_not_removed_as_old(tmp_path):
    days(tmp_path, 5)
    for file in lines_files(tmp_path)[:3]:
        file.path.rename(file.path.with_name(f"{file.first:012d}-2020-01-01.ndjson"))
    starts_and_writes_on(tmp_path, 5, keep_days=30)
    found = verified(tmp_path)
    assert (found.head.count, found.removed) == (6, 0)


def test_lines_that_were_moved_into_an_old_file_or_changed_in_it_are_not_removed_with_it(tmp_path):
    days(tmp_path, 10)
    first, second, third, *_ = (file.path for file in lines_files(tmp_path))
    content = first.read_bytes()
    forgeries = (content + second.read_bytes(), third.read_bytes(), content.replace(b"T10", b"T11"), b"")
    for day, forged in enumerate(forgeries, start=10):
        first.write_bytes(forged)
        starts_and_writes_on(tmp_path, day, keep_days=9)
        assert not (tmp_path / ANCHOR_FILE).exists()
        with pytest.raises(AuditBroken):
            verified(tmp_path)


def test_a_stop_between_the_anchor_and_the_removal_is_no_finding(tmp_path):
    days(tmp_path, 10)
    oldest = lines_files(tmp_path)[0].path
    content = oldest.read_bytes()
    today = DAY + timedelta(days=10)
    journal = journal_in(tmp_path, keep_days=9, today=lambda: today)
    journal.append(EVENTS[:1])
    journal.sync_head()
    journal.close()
    assert not oldest.exists()
    oldest.write_bytes(content)
    assert (verified(tmp_path).removed, verified(tmp_path).head.count) == (1, 11)


def test_an_anchor_that_somebody_wrote_is_known(tmp_path):
    days(tmp_path, 10, keep_days=3)
    anchor = json.loads((tmp_path / ANCHOR_FILE).read_text())
    (tmp_path / ANCHOR_FILE).write_text(json.dumps(anchor | {"count": 8}))
    with pytest.raises(AuditUnusable, match=r"anchor\.json was changed"):
        verified(tmp_path)


def test_half_a_line_is_taken_away_at_the_next_start(tmp_path):
    written(tmp_path, 3)
    file = lines_files(tmp_path)[0].path
    whole = file.read_bytes()
    for half in (b"{", b'{"resourceType":"AuditEvent","id":"', bytes(300), bytes(100) + b"\n" + bytes(100)):
        file.write_bytes(whole + half)
        journal_in(tmp_path).close()
        assert file.read_bytes() == whole
    assert verified(tmp_path).head.count == 3


def test_whole_lines_that_the_head_does_not_count_yet_are_kept(tmp_path):
    written(tmp_path, 3)
    head = (tmp_path / HEAD_FILE).read_bytes()
    written(tmp_path, 2)
    (tmp_path / HEAD_FILE).write_bytes(head)
    assert verified(tmp_path).head.count == 5
    journal_in(tmp_path).close()
    assert json.loads((tmp_path / HEAD_FILE).read_text())["count"] == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-1], "Lines are gone from the end"),
        (lambda lines: [*lines[:-1], lines[-1][:-5]], "Lines are gone from the end"),
        (lambda lines: [*lines, lines[-1]], "a line that it did not write"),
        (lambda lines: [*lines, b"{}\n"], "a line that it did not write"),
    ],
)
def test_an_end_that_was_tampered_with_is_not_gone_on_with(tmp_path, change, said):
    written(tmp_path, 3)
    file = lines_files(tmp_path)[0].path
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    before = file.read_bytes()
    with pytest.raises(AuditUnusable, match=said):
        journal_in(tmp_path)
    assert file.read_bytes() == before


@pytest.mark.parametrize(("gone", "said"), [(KEY_FILE, "key of the audit"), (HEAD_FILE, "no head")])
def test_without_its_key_or_its_head_an_audit_is_not_gone_on_with(tmp_path, gone, said):
    written(tmp_path, 3)
    (tmp_path / gone).unlink()
    with pytest.raises(AuditUnusable, match=said):
        journal_in(tmp_path)


def test_another_key_is_refused(tmp_path):
    written(tmp_path, 3, configured_key=b"the first key of all")
    assert not (tmp_path / KEY_FILE).exists()
    with pytest.raises(AuditUnusable, match=r"head\.json was changed, or written with another key"):
        journal_in(tmp_path, configured_key=b"the second key of all")


@pytest.mark.parametrize("room", [0, 10, 200])
def test_what_a_full_disk_left_of_a_group_is_taken_away(tmp_path, room):
    journal = journal_in(tmp_path)
    journal.append(EVENTS[:3])
    size = lines_files(tmp_path)[0].path.stat().st_size
    with no_file_longer_than(size + room):
        with pytest.raises(OSError) as full:
            journal.append(EVENTS[3:6])
        assert full.value.errno == errno.EFBIG
        with pytest.raises(OSError):
            journal.restore()
        assert lines_files(tmp_path)[0].path.stat().st_size == size
    journal.restore()
    journal.append(EVENTS[6:8])
    journal.sync_head()
    journal.close()
    assert [line["number"] for line in lines_of(tmp_path)] == [0, 1, 2, 6, 7]
    assert verified(tmp_path).head.count == 5
