import pickle

import pytest

torch = pytest.importorskip("torch")

from services.workbench.checkpoint_file import load_checkpoint, save_checkpoint  # noqa: E402


def test_what_is_saved_is_loaded_and_nothing_else_is_left(tmp_path):
    for epoch in (1, 2):
        save_checkpoint(tmp_path / "last.pt", {"epoch": epoch, "network": {"weight": torch.full((2,), float(epoch))}})
    content = load_checkpoint(tmp_path / "last.pt")
    assert (content["epoch"], content["network"]["weight"].tolist()) == (2, [2.0, 2.0])
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]


def test_a_save_that_fails_leaves_the_old_one(tmp_path):
    save_checkpoint(tmp_path / "last.pt", {"epoch": 1})
    with pytest.raises(Exception, match=r"pickle|lambda"):
        save_checkpoint(tmp_path / "last.pt", {"epoch": lambda: 2})
    assert load_checkpoint(tmp_path / "last.pt") == {"epoch": 1}


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    torch.save({"path": tmp_path}, tmp_path / "strange.pt")
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(tmp_path / "strange.pt")
