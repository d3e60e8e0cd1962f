from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from services.image_index.examples.sources import phantom_images
from services.image_index.training.pipeline import Parts
from services.image_index.training.remarks import remarks

pytestmark = pytest.mark.slow


def test_what_is_left_out_and_what_is_learned_softly_is_said(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("image,Edema,text_warnings\na.png,,nothing_stated\nb.png,1,\n")
    images = phantom_images(3, seed=1, size=8, workers=1)
    nobodys = replace(images, patients=np.array(["picture:a", "picture:b", "nih:1"]), soft=images.targets * 0.9)
    said = " ".join(remarks([table], Parts(nobodys, images, images)))
    assert "1 rows left out" in said
    assert "2 pictures name no patient" in said
    assert "3 training pictures teach probabilities" in said


def test_of_a_table_in_order_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,findings,patient_id\na.png,Edema,1\n")
    images = phantom_images(3, seed=1, size=8, workers=1)
    assert remarks([tmp_path], Parts(images, images, images)) == []
