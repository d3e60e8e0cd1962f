"""How an impression is written into the table."""

import re
from typing import Literal

Cleaning = Literal["fold", "original"]

# "1.", "2)", "3 -" where an item of a list begins, and not the 1 of "1.5 cm" or the 3 of "3 - 4 cm".
_LIST_NUMBER = re.compile(r"(^|[.:;?!]|\n)\s*\d{1,2}\s*(?:[.)](?!\d)|-(?!\s*\d))")
_NOT_KEPT = re.compile(r"[^a-z0-9.,\-/%\s]")


def cleaned(impression: str, how: Cleaning) -> str:
    """`fold`: each run of white space, line breaks too, becomes one space.

    `original`: before that, as the original project did it, in lower case, without the numbers of a list, and without
    any character but letters, digits and . , - / %
    """
    if how == "original":
        impression = _LIST_NUMBER.sub(r"\1 ", impression.lower())
        impression = _NOT_KEPT.sub("", impression)
    return " ".join(impression.split())
