"""`python -m gateway audit`, as an auditor runs it."""

import os
import subprocess
import sys

import pytest

from gateway.guard.audit.folder import lines_files
from tests.gateway.guard.audit.audits import written
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow


def audit(tmp_path, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "gateway", "audit", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "CHEX_GATEWAY_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_verify_says_that_all_is_there_and_head_what_to_keep(tmp_path):
    written(tmp_path / "audit", 4)
    head = audit(tmp_path, "head").stdout.strip()
    found = audit(tmp_path, "verify", "--head", head)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == f"4 lines in 1 files are as they were written.\nhead {head}\n"


def test_verify_names_file_and_line_and_ends_with_status_1(tmp_path):
    written(tmp_path / "copy", 4)
    file = lines_files(tmp_path / "copy")[0].path
    file.write_bytes(file.read_bytes().replace(b'"number":1,', b'"number":9,').replace(b'"number":1}', b'"number":9}'))
    found = audit(tmp_path, "verify", "--folder", str(tmp_path / "copy"))
    assert (found.returncode, found.stdout) == (1, "")
    assert f"{file.name}, line 2: line 2 was changed" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_key_from_a_file_is_the_one_that_counts(tmp_path):
    key = tmp_path / "key"
    key.write_text("a key that lies elsewhere\n")
    written(tmp_path / "audit", 2, configured_key=key.read_bytes().strip())
    assert audit(tmp_path, "verify", CHEX_AUDIT_KEY_FILE=str(key)).returncode == 0
    wrong = audit(tmp_path, "verify", CHEX_AUDIT_KEY="another key of the audit")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "another key" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify",), "There is no audit in"),
        (("head",), "There is no audit in"),
        (("verify", "--head", "x"), "--head is"),
    ],
)
def test_what_its_user_can_mend_is_one_sentence(tmp_path, arguments, said):
    found = audit(tmp_path, *arguments)
    assert found.returncode == 1
    assert said in found.stderr
    assert found.stderr.count("\n") == 1
