import stat

import pytest

from shared.private_folder import write_private


def test_a_file_is_replaced_whole_and_is_its_owners_alone(tmp_path):
    file = tmp_path / "fit.json"
    file.write_bytes(b"an older and longer one")
    write_private(file, b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [*tmp_path.iterdir()] == [file]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "fit.json").mkdir()
    with pytest.raises(OSError):
        write_private(tmp_path / "fit.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["fit.json"]
