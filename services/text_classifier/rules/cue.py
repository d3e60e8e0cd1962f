"""What a cue is: words that deny, doubt or qualify a mention before or behind them."""

from dataclasses import dataclass
from enum import Enum, auto


class Cue(Enum):
    NEUTRAL = auto()  # looks like a denial and is none: "no change in"
    DOUBT_BEHIND = auto()  # "... cannot be excluded"
    DOUBT_AHEAD = auto()  # "possible ..."
    DENY_BEHIND = auto()  # "... has resolved"
    DENY_AHEAD = auto()  # "no ..."
    GONE_BEHIND = auto()  # "... has been removed": devices only
    GONE_AHEAD = auto()  # "removal of ..."
    KEEP = auto()  # "persistent": undoes a denial before it


@dataclass(frozen=True, slots=True)
class CueSpot:
    cue: Cue
    start: int
    end: int
    text: str
