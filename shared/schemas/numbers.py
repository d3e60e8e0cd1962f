"""Numbers that several wire models hold."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

Probability = Annotated[float, Field(ge=0, le=1)]


def _whole(value: object) -> object:
    """Of a query parameter's text: pydantic would take 5.0 and 1_000 for whole numbers."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise PydanticCustomError("int_parsing", "Input should be a valid integer")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
