"""The first frame's codestream out of encapsulated pixel data.

Fragments are taken as they come: a frame begins where a codestream does. Offset tables are not asked, for writers get
them wrong, and the first frame is found without.
"""

from itertools import chain

from pydicom.encaps import generate_fragments

_BEGINNINGS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")  # JPEG and JPEG-LS; JPEG 2000; the same, boxed


def first_frame_code(pixel_data: bytes, frames: int) -> bytes:
    """Raises ValueError where the items are not well-formed. Of run lengths, which begin with no mark, a frame of
    several is one fragment, and all fragments are a single frame.
    """
    fragments = generate_fragments(pixel_data)
    table = next(fragments, b"")
    if table.startswith(_BEGINNINGS):  # there is none, not even an empty one
        fragments = chain([table], fragments)
    first = next(fragments, b"")
    code = [first]
    if first.startswith(_BEGINNINGS) or frames == 1:
        for fragment in fragments:
            if fragment.startswith(_BEGINNINGS):
                break
            code.append(fragment)
    return b"".join(code)
