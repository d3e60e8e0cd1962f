"""Numbers that several wire models hold."""

from typing import Annotated

from pydantic import Field

Probability = Annotated[float, Field(ge=0, le=1)]
