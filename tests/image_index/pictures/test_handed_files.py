"""The files beside the repository that archives' mistakes were gathered in, each by what its list expects of it."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.image_index.pictures.headers import check_header
from services.image_index.pictures.limits import Limits
from services.image_index.pictures.read import read_radiograph
from shared.errors import InvalidInput

_NOT_JUDGED = "burned_text_without_the_tag.dcm"  # whether text is looked for in pixels is decided elsewhere


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_every_handed_file_is_read_as_its_list_expects(real_data: Path) -> None:
    folder = real_data.parent / "cases" / "dicom"
    if not folder.is_dir():
        pytest.skip("the files with archives' mistakes are not beside the real data (cases/dicom)")
    with (folder / "README.csv").open(newline="", encoding="utf-8") as table:
        cases = [case for case in csv.DictReader(table) if case["file"] != _NOT_JUDGED]
    wrong = {case["file"]: found for case in cases if (found := _what_is_wrong(folder, case))}

    assert len(cases) > 30
    assert not wrong


def _what_is_wrong(folder: Path, case: dict[str, str]) -> str:
    """Empty where the file is read as expected."""
    data, expected = (folder / case["file"]).read_bytes(), case["expected"]
    try:
        check_header(data, Limits())
        radiograph = read_radiograph(data)
    except InvalidInput as refusal:
        attribute = re.search(r"missing_(\w+)|empty_(\w+)", case["file"])
        is_named = "names the attribute" in expected and attribute and attribute[1] in refusal.detail
        return "" if is_named else refusal.detail
    view = re.match(r"view_position (\w+)", expected)
    if view and radiograph.metadata.view_position != view[1]:
        return f"view position {radiograph.metadata.view_position}"
    if "flat grey" in expected and radiograph.grey.std() < 10:
        return "one flat grey"
    if case["expected_picture"]:
        picture = np.asarray(Image.open(folder / case["expected_picture"]).convert("L"))
        off = float(np.abs(radiograph.grey.astype(float) - picture).mean())
        return f"{off:.1f} grey levels off" if off > 2 else ""
    return ""
