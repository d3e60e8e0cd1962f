import re

import numpy as np
import pytest

from services.image_index.pictures.burned_in.check import UNCHECKED, TextCheck
from services.image_index.pictures.burned_in.reader import Line, Region
from services.image_index.pictures.radiograph import Grey, Radiograph
from shared.errors import BurnedInText
from tests.image_index.pictures.burned_in.written import NAME, line

GREY = np.arange(40_000, dtype=np.uint32).reshape(200, 200).astype(np.uint8)
SIDE = line("R", region=Region(0.9, 0.9, 0.95, 0.95))


def reads(*lines: Line) -> "Reader":
    return Reader(list(lines))


class Reader:
    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.calls = 0

    def __call__(self, _grey: Grey) -> list[Line]:
        self.calls += 1
        return self.lines


def test_refused_is_said_with_the_place_and_without_the_text() -> None:
    grey, found = TextCheck("refuse", reads(line(NAME), SIDE))(Radiograph(GREY))

    assert grey is GREY
    with pytest.raises(BurnedInText) as refusal:
        found.refuse()
    assert "from 10 to 40 % of its width and 0 to 5 % of its height" in refusal.value.detail
    assert "CHEX_BURNED_IN=mask" in refusal.value.detail
    assert not re.search("rosenbaum|tilda|90 to 95", refusal.value.detail, re.IGNORECASE)


def test_markers_alone_are_let_through() -> None:
    for policy in ("refuse", "mask"):
        grey, found = TextCheck(policy, reads(SIDE, line("AP PORTABLE")))(Radiograph(GREY))

        found.refuse()
        assert (grey == GREY).all()


def test_masked_are_the_regions_with_a_name_and_not_the_markers() -> None:
    grey, found = TextCheck("mask", reads(line(NAME), SIDE))(Radiograph(GREY))

    found.refuse()
    assert (found.regions, found.is_covered) == ((line(NAME).region,), True)
    assert len(np.unique(grey[:10, 20:80])) == 1
    assert (grey[100:] == GREY[100:]).all()


def test_allowed_is_not_even_read() -> None:
    reader = reads(line(NAME))
    grey, found = TextCheck("allow", reader)(Radiograph(GREY, burned_in=True))

    found.refuse()
    assert (grey is GREY, found.regions, reader.calls) == (True, (), 0)


def test_where_the_file_says_that_it_holds_text_all_of_it_is_masked() -> None:
    _grey, found = TextCheck("mask", reads(line(NAME), SIDE, line("?", 0.2)))(Radiograph(GREY, burned_in=True))

    assert found.regions == (line(NAME).region, SIDE.region)


def test_where_the_file_says_that_it_holds_text_and_none_is_found_it_is_refused() -> None:
    with pytest.raises(BurnedInText, match="BurnedInAnnotation"):
        TextCheck("mask", reads(SIDE))(Radiograph(GREY, burned_in=True))


def test_a_search_is_not_refused_and_sees_what_was_indexed() -> None:
    masking = TextCheck("mask", reads())

    assert TextCheck("refuse", reads()).of_searches is UNCHECKED
    assert masking.of_searches is masking


def test_of_many_places_the_first_are_named() -> None:
    _grey, found = TextCheck("refuse", reads(*[line(NAME)] * 8))(Radiograph(GREY))

    with pytest.raises(BurnedInText, match="and 3 more"):
        found.refuse()
