"""Wire model of a report's sections: where they are, and which of them were read."""

from typing import Literal

from pydantic import BaseModel, Field

SectionName = Literal[
    "history",
    "indication",
    "comparison",
    "technique",
    "examination",
    "findings",
    "impression",
    "recommendation",
    "addendum",
    "other",
]
SECTIONS = "The sections of a text with headings, in order, and which of them were read; empty where it has none."


class Section(BaseModel):
    """A section of a report, with its heading: the characters (code points) `[start, end)` of the text as sent."""

    name: SectionName = Field(description="What its heading calls it; `other` for text below no known heading.")
    start: int = Field(ge=0, description="First character of the section, counted from 0.")
    end: int = Field(gt=0, description="One past its last character.")
    read: bool = Field(description="Whether the labels were read from it; history, comparison and the like are not.")
