"""What a compressed picture says of itself before anything is decoded: JPEG, JPEG-LS and (HT)JPEG 2000 codestreams.

A codestream can claim more than the file around it does, and a decoder believes the codestream.
"""

from dataclasses import dataclass

from shared.errors import InvalidInput

_NO_FRAME_MARKERS = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC: between the SOF markers, but no frame headers
_WITHOUT_LENGTH = {0xFF, 0x01, *range(0xD0, 0xD8)}  # fill byte, TEM, restart markers
_SCAN = b"\xff\xda"
_JPEG_LS = 0xF7
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}


@dataclass(frozen=True)
class Codestream:
    rows: int
    columns: int
    components: int
    bits: int  # of a sample
    scans: int  # how often a decoder walks over the whole picture
    tiles: int
    process: str  # "JPEG", "lossless JPEG", "JPEG-LS" or "JPEG 2000"


def read_codestream(code: bytes) -> Codestream | None:
    """None for what is none of the three (RLE). Raises InvalidInput where there is no frame header."""
    if code.startswith(b"\xff\xd8"):
        return _read_jpeg(code)
    start = code.find(b"\xff\x4f\xff\x51", 0, 4096)  # SOC, SIZ; the boxes of a JP2 file may come before
    return None if start < 0 else _read_jpeg_2000(code[start : start + 48])


def _read_jpeg_2000(code: bytes) -> Codestream:
    if len(code) < 43:
        raise InvalidInput("The compressed picture has no frame header.")
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = (
        int.from_bytes(code[place : place + 4]) for place in range(8, 40, 4)
    )
    tiles_across = -(-(right - tile_left) // max(1, tile_width))
    tiles_down = -(-(bottom - tile_top) // max(1, tile_height))
    return Codestream(
        rows=bottom - top,
        columns=right - left,
        components=int.from_bytes(code[40:42]),
        bits=(code[42] & 0x7F) + 1,
        scans=1,
        tiles=tiles_across * tiles_down,
        process="JPEG 2000",
    )


def _read_jpeg(code: bytes) -> Codestream:
    position = 2
    while position + 10 <= len(code):
        if code[position] != 0xFF:
            break
        marker = code[position + 1]
        if marker == _JPEG_LS or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_MARKERS):
            return Codestream(
                rows=int.from_bytes(code[position + 5 : position + 7]),
                columns=int.from_bytes(code[position + 7 : position + 9]),
                components=code[position + 9],
                bits=code[position + 4],
                scans=code.count(_SCAN, position),
                tiles=1,
                process="JPEG-LS" if marker == _JPEG_LS else "lossless JPEG" if marker in _LOSSLESS else "JPEG",
            )
        if marker in _WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        position += 2 + int.from_bytes(code[position + 2 : position + 4])
    raise InvalidInput("The compressed picture has no frame header.")
