import json

import pytest

from services.workbench.json_file import write_json


def test_it_is_indented_and_ends_its_last_line(tmp_path):
    write_json(tmp_path / "figures.json", {"auroc": 0.5})
    assert (tmp_path / "figures.json").read_bytes() == b'{\n  "auroc": 0.5\n}\n'


def test_what_is_not_defined_is_null(tmp_path):
    nan = float("nan")
    write_json(tmp_path / "figures.json", {"low": nan, "labels": {"Edema": [nan, 1]}, "range": (0.0, nan)})
    read = json.loads((tmp_path / "figures.json").read_text())
    assert read == {"low": None, "labels": {"Edema": [None, 1]}, "range": [0.0, None]}


def test_what_is_infinite_is_a_mistake(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "figures.json", {"slope": float("inf")})
