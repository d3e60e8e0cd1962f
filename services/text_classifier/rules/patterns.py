"""Write a phrase, get a pattern: a space stands for any white space, and a phrase begins and ends with its words."""

import re


def any_of(*phrases: str) -> re.Pattern[str]:
    r"""Compile alternatives; earlier ones win. In a look-behind write `\s`: a space there has no fixed width.

    For text in lower case: ignoring the case while searching takes half as long again.
    """
    return re.compile(rf"\b(?:{'|'.join(f'(?:{spaced(phrase)})' for phrase in phrases)})\b")


def lower_case(text: str) -> str:
    """Lower case, letter for letter: a letter that would become two (İ) stays."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def spaced(phrase: str) -> str:
    return phrase.replace(" ", r"\s+")


def several(*words: str) -> str:
    """Any number of these words, each with the space behind it: the filler between a cue and its object."""
    return rf"(?:(?:{'|'.join(words)}) )*"


def up_to(count: int) -> str:
    """At most `count` words of any kind, with the space behind each."""
    return rf"(?:[\w'-]+ ){{0,{count}}}"
