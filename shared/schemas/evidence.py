"""By what an image is known."""

from typing import Literal

EvidenceName = Literal["all", "image", "report"]
Basis = Literal["image", "report", "both"]
