"""Decodes JPEG-LS, lossless and extended JPEG in processes of its own: GDCM, the decoder for them, ends its process on
some damaged files. Here that costs one child and one clear answer, not the service.

A child reads `length, DICOM file` from stdin and writes `length, .npy` (length 0: cannot be decoded), until stdin ends.
"""

import io
import os
import resource
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit

from services.image_index.pictures.codestream import read_codestream
from services.image_index.pictures.dicom.extended_jpeg import BITS, decode_extended
from shared.errors import InvalidInput

MAX_MEMORY = 4 * 2**30
TIMEOUT_S = 30
_LENGTH = struct.Struct("<Q")

Child = subprocess.Popen[bytes]


class IsolatedDecoders:
    """As many children as threads decode at once; a child is kept for the next file."""

    def __init__(self) -> None:
        self._idle: list[Child] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            children, self._idle = self._idle, []
        for child in children:
            _end(child)

    def first_frame(self, data: bytes) -> NDArray[Any]:
        """Stored values of the first frame. Raises InvalidInput where the child finds no picture, dies or hangs."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child or _start()
        alarm = threading.Timer(TIMEOUT_S, child.kill)
        alarm.start()
        try:
            answer = _ask(child, data)
        except (OSError, EOFError) as error:
            _end(child)
            raise InvalidInput("The compressed picture is damaged: its decoder broke on it.") from error
        finally:
            alarm.cancel()
        with self._lock:
            self._idle.append(child)
        if not answer:
            raise InvalidInput("The compressed picture is damaged, or compressed in a way that is not supported.")
        return np.asarray(np.load(io.BytesIO(answer), allow_pickle=False))


def _start() -> Child:
    command = [sys.executable, "-m", "services.image_index.pictures.dicom.isolated"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603


def _end(child: Child) -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def _ask(child: Child, data: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    _send(child.stdin, data)
    return _receive(child.stdout)


def _send(stream: BinaryIO | Any, content: bytes) -> None:
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def _receive(stream: BinaryIO | Any) -> bytes:
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(header)
    content: bytes = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


def _decode(data: bytes) -> bytes:
    try:
        values = _first_frame(dcmread(io.BytesIO(data)))
    except Exception:  # noqa: BLE001 - whatever it was, the file cannot be decoded
        return b""
    out = io.BytesIO()
    np.save(out, values, allow_pickle=False)
    return out.getvalue()


def _first_frame(dataset: Dataset) -> NDArray[Any]:
    if dataset.file_meta.TransferSyntaxUID == JPEGExtended12Bit:
        code = get_frame(dataset.PixelData, 0, number_of_frames=int(dataset.get("NumberOfFrames") or 1))
        stream = read_codestream(code)
        if stream and (stream.bits, stream.components) == (BITS, 1):
            return decode_extended(code, stream.rows, stream.columns)
    return pixel_array(dataset, index=0)


def _serve() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a decoder prints must not get among the answers
    with suppress(EOFError):
        while True:
            _send(answers, _decode(_receive(sys.stdin.buffer)))


if __name__ == "__main__":
    _serve()
