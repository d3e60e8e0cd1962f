"""What is planted in the header of a DICOM file does not come out: not in answers, nor in the index's files or logs."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from services.image_index.app import create_app
from services.image_index.encoding.encoder import Encoder
from services.image_index.pictures.read import read_radiograph
from services.image_index.settings import ImageIndexSettings
from shared.errors import ServiceError
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes
from tests.repository import REPOSITORY

SECRET = "ZQXJ"  # short enough for every VR, and nothing else spells it
SECRET_DATE, SECRET_UID = "19631122", "1.2.63112263112263"
PLANTED = {
    **dict.fromkeys(("AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"), SECRET),
    "DA": SECRET_DATE,
    "DT": SECRET_DATE,
    "UI": SECRET_UID,
}
DECIDING = {  # without these it is no radiograph, or not this picture
    "Modality",
    "PhotometricInterpretation",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SpecificCharacterSet",
}
KEYWORDS = {
    keyword: vr
    for tag, (vr, _multiplicity, _name, _retired, keyword) in DicomDictionary.items()
    if keyword and vr in PLANTED and tag >> 16 > 2 and keyword not in DECIDING
}

pytestmark = pytest.mark.filterwarnings("ignore")


def plant(dataset: Dataset, keywords: dict[str, str]) -> Dataset:
    for keyword, vr in keywords.items():
        setattr(dataset, keyword, PLANTED[vr])
    return dataset


def planted_everywhere() -> Dataset:
    dataset = plant(made_dicom(), KEYWORDS)
    dataset.OtherPatientIDsSequence = [plant(Dataset(), KEYWORDS)]
    block = dataset.private_block(0x0009, SECRET, create=True)
    block.add_new(1, "LO", SECRET)
    block.add_new(2, "SQ", [plant(Dataset(), {"PatientName": "PN"})])
    dataset.add_new(0x7FE11010, "LT", SECRET)  # beyond the pixels
    return dataset


def tells(text: str | bytes) -> bool:
    content = text.encode() if isinstance(text, str) else text
    days = (SECRET_DATE.encode(), b"1963-11-22")
    return SECRET.lower().encode() in content.lower() or any(day in content for day in (*days, SECRET_UID.encode()))


async def test_nothing_planted_in_a_header_comes_out(
    client: httpx.AsyncClient,
    settings: ImageIndexSettings,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    data = to_bytes(planted_everywhere())
    other = to_bytes(plant(made_dicom(made_dicom().pixel_array[::-1].copy()), {"PatientName": "PN"}))
    assert tells(data)
    answers = [await client.post("/v1/images", content=data, params={"accept_any": True})]
    assert answers[0].status_code == 201, answers[0].text
    path = f"/v1/images/{answers[0].json()['image_id']}"
    answers += [
        await client.get(path),
        await client.put(path, content=other, params={"accept_any": True}),
        await client.post("/v1/search/by-image", content=data, params={"accept_any": True}),
        await client.post("/v1/images", content=data[:-100]),
        await client.get("/metrics"),
    ]

    assert answers[2].status_code == 409
    assert answers[1].json()["metadata"]["study_date"] is None
    assert not [answer.text for answer in answers if tells(answer.text)]
    kept = [file for file in settings.data_dir.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if tells(file.read_bytes())]
    assert not tells(caplog.text)
    assert not tells("".join(capfd.readouterr()))


async def test_the_study_date_is_kept_where_that_is_configured(
    connect: Callable, settings: ImageIndexSettings, encoder: Encoder
) -> None:
    client = await connect(create_app(settings.model_copy(update={"keep_study_date": True}), encoder))
    data = to_bytes(made_dicom(StudyDate="20200531"))
    record = (await client.post("/v1/images", content=data, params={"accept_any": True})).json()

    assert record["metadata"]["study_date"] == "2020-05-31"
    assert record["metadata"]["frames"] == 1


@given(
    keywords=st.lists(st.sampled_from(sorted({*KEYWORDS, *DECIDING} - {"SpecificCharacterSet"})), max_size=30),
    word=st.sampled_from([SECRET, f"{SECRET}^{SECRET}", "\\".join([SECRET] * 3), f"ä{SECRET}\x00", SECRET * 40]),
    implicit=st.booleans(),
    cut=st.floats(0.2, 1),
)
@settings(max_examples=150, deadline=None)
def test_no_refusal_and_no_picture_tells_what_was_planted(
    keywords: list[str], word: str, implicit: bool, cut: float
) -> None:
    dataset = made_dicom()
    for keyword in keywords:
        setattr(dataset, keyword, word)
    if implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    data = to_bytes(dataset)
    try:
        radiograph = read_radiograph(data[: int(len(data) * cut)] if cut < 0.9 else data)
        told = repr(radiograph) + radiograph.metadata.model_dump_json()
    except ServiceError as refusal:
        told = refusal.detail

    assert not tells(told)


def test_a_process_that_reads_odd_values_prints_none_of_them(tmp_path: Path) -> None:
    """pydicom's warnings and log lines quote what they complain about."""
    files = []
    for number, (old, new) in enumerate([(b"063Y", SECRET.encode()), (b"MRN-0042", SECRET.encode() + b"\xff\xfe\0\\")]):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(to_bytes(made_dicom()).replace(old, new))
    files.append(tmp_path / "all")
    files[-1].write_bytes(to_bytes(planted_everywhere()))
    script = "import sys; from services.image_index.pictures.read import read_radiograph\n"
    script += "for file in sys.argv[1:]: print(read_radiograph(open(file, 'rb').read()).grey.shape)"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, files)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert done.stdout == "(96, 80)\n" * 3, done.stderr
    assert not tells(done.stderr)


def test_the_planted_file_is_a_file_that_holds_it_all() -> None:
    dataset = dcmread(io.BytesIO(to_bytes(planted_everywhere())))

    assert len(KEYWORDS) > 1000
    assert np.mean([keyword in dataset for keyword in KEYWORDS]) == 1
