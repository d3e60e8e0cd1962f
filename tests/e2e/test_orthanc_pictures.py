"""Our pictures beside those that a real Orthanc shows (`/instances/{id}/rendered`), within two grey levels.

Where they differ on purpose, services/image_index/pictures/dicom/README.md says why.
"""

import io
import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.pictures.read import read_radiograph
from tests.e2e.conftest import free_port
from tests.image_index.pictures.dicom import compressed, encodings
from tests.image_index.pictures.dicom.made_dicom import made_dicom, to_bytes

pytestmark = pytest.mark.e2e

GDCM_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancGdcm.so")
WITHOUT_A_PICTURE_IN_ORTHANC = {
    "RGB, 16 bits",
    "JPEG 2000, colour",
    "YBR_FULL_422",
    *(name for name in compressed.ENCODINGS if name.startswith("HTJ2K")),
}
ANOTHER_PICTURE_ON_PURPOSE = {
    "samples at the upper end of their cells",
    "slope 0 is none",
    "PresentationLUTShape alone",
    *(name for name in encodings.ENCODINGS if "padding" in name or "table" in name),
}


def wide_window() -> bytes:
    return to_bytes(made_dicom(WindowCenter=1500, WindowWidth=6000))


def narrow_window() -> bytes:
    return to_bytes(made_dicom(WindowCenter=2600, WindowWidth=400))


FILES: dict[str, Callable[[], bytes]] = {
    name: make
    for name, make in {**encodings.ENCODINGS, **compressed.ENCODINGS}.items()
    if not name.startswith("PNG") and name not in WITHOUT_A_PICTURE_IN_ORTHANC | ANOTHER_PICTURE_ON_PURPOSE
} | {"a window wider than the values": wide_window, "a window narrower than the values": narrow_window}


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    if program is None:
        pytest.skip("Orthanc is not installed (Debian packages orthanc and orthanc-gdcm)")
    folder = tmp_path_factory.mktemp("orthanc")
    port, password = free_port(), secrets.token_hex(8)
    configuration = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {"test": password},
        "Plugins": [str(GDCM_PLUGIN)] if GDCM_PLUGIN.exists() else [],
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    log = (folder / "log").open("wb")
    process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=("test", password), timeout=60) as client:
            _wait_for(client, process, folder / "log")
            yield client
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        with suppress(httpx.TransportError):
            if client.get("/system").is_success:
                return
        time.sleep(0.1)
    raise AssertionError("Orthanc did not answer within 30 s")


@pytest.fixture(scope="module")
def decoders() -> Iterator[IsolatedDecoders]:
    with IsolatedDecoders() as decoders:
        yield decoders


def rendered(orthanc: httpx.Client, data: bytes) -> np.ndarray:
    stored = orthanc.post("/instances", content=data)
    assert stored.is_success, stored.text
    path = f"/instances/{stored.json()['ID']}"
    answer = orthanc.get(f"{path}/rendered", headers={"Accept": "image/png"})
    orthanc.delete(path)
    assert answer.is_success, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        return np.asarray(picture.convert("L"))


def off_by(orthanc: httpx.Client, decoders: IsolatedDecoders, data: bytes) -> int:
    ours = read_radiograph(data, decoders=decoders).grey
    theirs = rendered(orthanc, data)
    assert ours.shape == theirs.shape
    return int(np.abs(ours.astype(int) - theirs).max())


@pytest.mark.parametrize("name", FILES)
def test_orthanc_shows_the_same_picture(orthanc: httpx.Client, decoders: IsolatedDecoders, name: str) -> None:
    assert off_by(orthanc, decoders, FILES[name]()) <= 2


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["chest_pa_j2k_mono1.dcm", "chest_pa_jpeg_mono2.dcm"])
def test_orthanc_shows_the_same_real_radiograph(
    orthanc: httpx.Client, decoders: IsolatedDecoders, real_data: Path, name: str
) -> None:
    assert off_by(orthanc, decoders, (real_data / "dicom" / name).read_bytes()) <= 2
