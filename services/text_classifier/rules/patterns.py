"""Write a phrase, get a pattern: a space stands for any white space, and a phrase begins and ends with its words."""

import re


def any_of(*phrases: str) -> re.Pattern[str]:
    r"""Compile alternatives; earlier ones win. In a look-behind write `\s`: a space there has no fixed width."""
    return re.compile("|".join(rf"\b(?:{spaced(phrase)})\b" for phrase in phrases), re.IGNORECASE)


def spaced(phrase: str) -> str:
    return phrase.replace(" ", r"\s+")


def several(*words: str) -> str:
    """Any number of these words, each with the space behind it: the filler between a cue and its object."""
    return rf"(?:(?:{'|'.join(words)}) )*"


def up_to(count: int) -> str:
    """At most `count` words of any kind, with the space behind each."""
    return rf"(?:[\w'-]+ ){{0,{count}}}"
