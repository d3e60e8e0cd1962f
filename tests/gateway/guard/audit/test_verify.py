"""Whatever is done to the files of an audit without its key is found, and the place is named."""

import json
import re

import pytest

from gateway.guard.audit.failures import AuditBroken, AuditUnusable
from gateway.guard.audit.folder import HEAD_FILE, lines_files
from tests.gateway.guard.audit.audits import verified, written


@pytest.fixture
def folder(tmp_path):
    written(tmp_path, 10)
    return tmp_path


def edit(folder, change):
    file = lines_files(folder)[0].path
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(change(lines)))


def findings(folder, witness=None) -> str:
    with pytest.raises(AuditBroken) as broken:
        verified(folder, witness)
    return str(broken.value)


def test_an_audit_that_nobody_touched_holds(folder):
    found = verified(folder)
    assert (found.head.count, found.files, found.removed, found.unfinished) == (10, 1, 0, False)


def other_seal(line: bytes) -> bytes:
    return re.sub(rb"[0-9a-f]{64}", lambda seal: seal[0][::-1], line)


def fifth(change):
    return lambda lines: [*lines[:4], change(lines[4]), *lines[5:]]


TAMPERED = {
    "changed": (
        fifth(lambda line: line.replace(b'"action":"R"', b'"action":"D"')),
        "line 5: line 5 was changed",
    ),
    "its seal changed": (fifth(other_seal), "line 5: line 5 was changed"),
    "removed": (lambda lines: lines[:4] + lines[5:], "line 5: this is line 6; before it line 5 is missing"),
    "several removed": (lambda lines: lines[:4] + lines[7:], "this is line 8; before it lines 5 to 7 are missing"),
    "the first removed": (lambda lines: lines[1:], "line 1: this is line 2; before it line 1 is missing"),
    "swapped": (
        lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]],
        "line 6: this is line 5 in the place of line 7",
    ),
    "put in twice": (
        lambda lines: [*lines[:4], lines[3], *lines[4:]],
        "line 5: this is line 4 in the place of line 5",
    ),
    "made up": (
        lambda lines: [*lines[:4], b'{"resourceType":"AuditEvent"}\n', *lines[4:]],
        "line 5: this is no line of an audit",
    ),
    "added at the end": (
        lambda lines: [*lines, re.sub(rb"\.10\b", b".11", lines[-1], count=1)],
        "line 11: line 11 was changed, or put",
    ),
    "cut off": (
        lambda lines: lines[:-2],
        "the end is cut off: 10 lines were written (head.json), and the last one here is number 8",
    ),
    "cut off within a line": (lambda lines: [*lines[:-1], lines[-1][:50]], "line 10: this is no line of an audit"),
    "all gone": (lambda _lines: [], "the last one here is number 0"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_done_to_a_line_is_found_with_its_place(folder, what):
    change, said = TAMPERED[what]
    edit(folder, change)
    assert said in findings(folder)


def test_one_line_that_was_changed_is_one_finding(folder):
    edit(folder, TAMPERED["changed"][0])
    assert findings(folder).count("\n") == 1


def test_lines_that_another_key_sealed_do_not_hold(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    written(other, 10)
    edit(folder, lambda lines: [*lines[:5], *lines_files(other)[0].path.read_bytes().splitlines(keepends=True)[5:]])
    assert "line 6: this is line 6 of another chain" in findings(folder)


def test_a_head_that_somebody_wrote_is_known(folder):
    head = json.loads((folder / HEAD_FILE).read_text())
    (folder / HEAD_FILE).write_text(json.dumps(head | {"count": 8}))
    with pytest.raises(AuditUnusable, match=r"head\.json was changed"):
        verified(folder)


def test_a_head_that_is_gone_is_a_finding(folder):
    (folder / HEAD_FILE).unlink()
    assert "There is no head" in findings(folder)


def test_an_end_cut_off_together_with_an_old_head_is_found_by_a_head_kept_elsewhere(tmp_path):
    journal = written(tmp_path, 6)
    old_head, old_lines = (tmp_path / HEAD_FILE).read_bytes(), lines_files(tmp_path)[0].path.read_bytes()
    journal = written(tmp_path, 4)
    witness = (journal.head.count, journal.head.seal[:12])
    assert verified(tmp_path, witness).head == journal.head

    (tmp_path / HEAD_FILE).write_bytes(old_head)
    lines_files(tmp_path)[0].path.write_bytes(old_lines)
    assert verified(tmp_path).head.count == 6
    assert "--head 10:" in findings(tmp_path, witness)
    assert "another seal" in findings(tmp_path, (3, "0" * 12))


def test_half_a_line_that_the_head_does_not_count_is_no_finding(folder):
    with lines_files(folder)[0].path.open("ab") as stream:
        stream.write(b'{"resourceType":"AuditEv')
    assert verified(folder).unfinished


def test_every_byte_of_a_line_counts(folder):
    file = lines_files(folder)[0].path
    content = file.read_bytes()
    line = content.index(b"\n") + 1
    for place in range(line, content.index(b"\n", line)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert "line 2" in findings(folder)
