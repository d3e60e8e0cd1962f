"""Reads the text in a picture with RapidOCR, an extra of its own (`ocr`), whose models come in its package.

What is read may be a name. It is judged at once and forgotten: it is never logged, kept or sent.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.image_index.pictures.radiograph import Grey
from shared.errors import InferenceFailed

LONGEST_SIDE = 736
"""Pixels, of the picture that is read: nearly three times what is served, so that nothing is legible there only."""

_LEAST_SIDE = 64
_DETECTOR = "PP-OCRv6_det_small.onnx"
_RECOGNIZER = "PP-OCRv6_rec_small.onnx"
_SURE = 0.95  # what is not upright is read with less, or as a name or a number all the same
# Turned over, markers and ribs are like one letter or another: what is read so is short, or not quite sure.
_SURE_TURNED = 0.98
_LONG = 6  # signs
_OTHER_WAYS = ((-1, -1), (1, -1), (-1, 1))  # steps down and along a line: upside down, mirrored, and both

Picture = NDArray[np.uint8]


class Region(NamedTuple):
    """Parts of the width and height, from 0 to 1, from the upper left."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Line:
    region: Region
    text: str = field(repr=False)
    confidence: float  # in [0, 1]


class ReaderMissing(Exception):
    """Text is to be looked for, and what reads it is not installed, or not wholly."""


def is_installed() -> bool:
    return find_spec("rapidocr") is not None


class TextReader:
    """Thread-safe. Each call runs on one core.

    Lines may run in any of the four directions, and be mirrored: a scanner, a header or its viewer may have turned the
    picture after the text was written into it.
    """

    def __init__(self) -> None:
        """Loads the models, half a second. Raises ReaderMissing."""
        try:
            self._ocr = _open()
        except Exception as error:  # whatever a library lacks at the bottom of it
            raise ReaderMissing("The reader of burned-in text cannot be loaded: pip install '.[ocr]' again.") from error

    def __call__(self, grey: Grey) -> list[Line]:
        """Raises InferenceFailed, which names neither text nor the reader's own error."""
        small = _resized(grey)
        rows, columns = small.shape
        # The library would stretch a narrow picture.
        framed = np.pad(small, ((0, max(0, _LEAST_SIDE - rows)), (0, max(0, _LEAST_SIDE - columns))))
        try:
            read = self._read(np.repeat(framed[:, :, None], 3, axis=2))
        except Exception:  # noqa: BLE001 - its errors quote what they choke on
            raise InferenceFailed("The picture could not be searched for text.") from None
        scale = np.array([columns, rows])
        lines = []
        for corners, (text, confidence) in read:  # corners: (4, 2)
            least, most = np.clip([corners.min(axis=0) / scale, corners.max(axis=0) / scale], 0, 1)
            region = Region(float(least[0]), float(least[1]), float(most[0]), float(most[1]))
            lines.append(Line(region, text, confidence))
        return lines

    def _read(self, picture: Picture) -> list[tuple[NDArray[np.float32], tuple[str, float]]]:
        """The corners of every line, and what it says: of the ways to read it, the one that is read most surely."""
        corners = self._ocr(picture).boxes
        if corners is None:
            return []
        crops = self._ocr.crop_text_regions(picture, corners)  # lying, where they were tall
        read = self._recognized(crops)
        for down, along in _OTHER_WAYS:
            unsure = [at for at, (_, confidence) in enumerate(read) if confidence < _SURE]
            turned = [np.ascontiguousarray(crops[at][::down, ::along]) for at in unsure]
            for at, again in zip(unsure, self._recognized(turned), strict=True):
                if again[1] >= _SURE_TURNED or len(again[0]) >= _LONG:
                    read[at] = max(read[at], again, key=itemgetter(1))
        return [(box, line) for box, line in zip(corners, read, strict=True) if line[0]]

    def _recognized(self, crops: list[Picture]) -> list[tuple[str, float]]:
        if not crops:
            return []
        found = self._ocr.recognize_txt(crops)
        texts = [text.strip() for text in found.txts]
        return [(text, float(score) if text else 0.0) for text, score in zip(texts, found.scores, strict=True)]


def _open() -> Any:
    import rapidocr  # noqa: PLC0415 - an extra of its own, and slow to import

    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            # Named by path, so that none is ever looked for elsewhere.
            "Det.model_path": str(models / _DETECTOR),
            "Rec.model_path": str(models / _RECOGNIZER),
            # The size is ours.
            "Det.limit_side_len": _LEAST_SIDE,
            "Global.use_preprocess_img": False,
            "Global.use_vertical_padding": False,
            "Global.use_cls": False,  # which way up a line is: it knows nothing of mirrors
            "Global.use_rec": False,  # when it is called: lines are recognized apart, in several ways
            "Global.text_score": 0.0,  # how sure it is, is judged here
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # pictures are read side by side
        }
    )


def _resized(grey: Grey) -> Grey:
    rows, columns = grey.shape
    scale = LONGEST_SIDE / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    picture = Image.fromarray(np.ascontiguousarray(grey))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))
