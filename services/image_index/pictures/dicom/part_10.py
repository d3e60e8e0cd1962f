"""Whatever a DICOM file begins with, made a Part 10 file of explicit meta information: what is missing is told from the
data set itself.

Archives send files without the 128-byte preamble, without a transfer syntax, and bare data sets.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import NamedTuple

from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import VR

from services.image_index.pictures.limits import Limits
from shared.errors import InvalidInput, PayloadTooLarge

_PREAMBLE = bytes(128)
_MAGIC = b"DICM"
_META_START = len(_PREAMBLE) + len(_MAGIC)
_META_GROUP = 0x0002
_TRANSFER_SYNTAX = 0x0010
_MOST_META_ELEMENTS = 100
_FIRST_GROUPS = (_META_GROUP, 0x0008)
_VRS = {vr.value.encode() for vr in VR if len(vr.value) == 2}
_LONG_VRS = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"}
_ELEMENTS_LOOKED_AT = 3


def is_dicom(data: bytes) -> bool:
    """With its preamble, with "DICM" alone, or a bare data set whose first elements are well-formed and in order."""
    return (
        data.startswith(_MAGIC, len(_PREAMBLE))
        or data.startswith(_MAGIC)
        or _encoding_at(data, 0, strict=True) is not None
    )


def as_part_10(data: bytes, limits: Limits) -> bytes:
    """The file itself where nothing is amiss. Inflated, if it is deflated: that can blow up a thousandfold, and pydicom
    would inflate it whole before anything can be checked.
    """
    start = next((place for place in (_META_START, len(_MAGIC)) if data.startswith(_MAGIC, place - len(_MAGIC))), 0)
    syntax, body = _transfer_syntax(data, start)
    if syntax == DeflatedExplicitVRLittleEndian:
        return _beginning(ExplicitVRLittleEndian) + _inflated(data[body:], limits)
    if syntax is None:
        return _beginning(_encoding_at(data, body) or ImplicitVRLittleEndian) + data[body:]
    return data if start == _META_START else _beginning(syntax) + data[body:]


def _transfer_syntax(data: bytes, start: int) -> tuple[UID | None, int]:
    """What the meta information says, and where the data set begins."""
    syntax, end = None, start
    for element in islice(_walk(data, start, ExplicitVRLittleEndian), _MOST_META_ELEMENTS):
        if element.group != _META_GROUP:
            break
        end = element.value + element.length
        if element.number == _TRANSFER_SYNTAX:
            syntax = data[element.value : end].decode("ascii", "replace").strip("\0 ")
    return UID(syntax) if syntax else None, end


def _beginning(syntax: UID) -> bytes:
    value = str(syntax).encode("ascii", "replace")
    value += b"\0" * (len(value) % 2)
    return _PREAMBLE + _MAGIC + b"\x02\x00\x10\x00UI" + struct.pack("<H", len(value)) + value


def _inflated(deflated: bytes, limits: Limits) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflater.decompress(deflated, limits.max_bytes + 1)
    if len(body) > limits.max_bytes:
        raise PayloadTooLarge(f"Inflated, the file has more than the {limits.max_bytes:,} bytes that are read.")
    if not inflater.eof:
        raise InvalidInput("The DICOM file is damaged: its deflated part is cut short.")
    return body


def _encoding_at(data: bytes, place: int, *, strict: bool = False) -> UID | None:
    """How the data set that begins here is written; None where none does. `strict`: it must begin as a file does."""
    for syntax in (ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian):
        if _begins_with_elements(data, place, syntax, strict=strict):
            return syntax
    return None


def _begins_with_elements(data: bytes, place: int, syntax: UID, *, strict: bool) -> bool:
    """Whether the first elements have known VRs, lengths within the file, and tags that rise."""
    elements = list(islice(_walk(data, place, syntax), _ELEMENTS_LOOKED_AT))
    tags = [(element.group, element.number) for element in elements]
    return (
        len(elements) == _ELEMENTS_LOOKED_AT
        and all(tag < following for tag, following in pairwise(tags))
        and (not strict or elements[0].group in _FIRST_GROUPS)
    )


class _Element(NamedTuple):
    group: int
    number: int
    value: int  # where it begins
    length: int


def _walk(data: bytes, place: int, syntax: UID) -> Iterator[_Element]:
    """Element by element, until one is none, goes beyond the file, or has no length."""
    order = "<" if syntax.is_little_endian else ">"
    while place + 12 <= len(data):
        group, number, vr = struct.unpack_from(f"{order}HH2s", data, place)
        if syntax.is_implicit_VR:
            value, (length,) = place + 8, struct.unpack_from(f"{order}L", data, place + 4)
        elif vr in _LONG_VRS:
            value, (length,) = place + 12, struct.unpack_from(f"{order}L", data, place + 8)
        elif vr in _VRS:
            value, (length,) = place + 8, struct.unpack_from(f"{order}H", data, place + 6)
        else:
            return
        place = value + length
        if place > len(data):
            return
        yield _Element(group, number, value, length)
