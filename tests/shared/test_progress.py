from dataclasses import dataclass
from io import StringIO

import pytest
from rich.console import Console

from shared import progress
from shared.progress import shown_progress


@dataclass
class Counted:
    done: int
    failed: int = 0


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_what_an_earlier_run_did_is_counted_but_tells_nothing_of_the_speed(clock):
    said = StringIO()
    with shown_progress(Console(file=said), 1000, "Labelling", "reports", already=400) as show:
        show(Counted(400))
        clock[0] = 20
        show(Counted(400))
        assert said.getvalue() == ""
        show(Counted(500, failed=3))
    assert said.getvalue() == "Labelling: 500 of 1,000, 5.0 reports/s, 3 failed, about 0 h 1 min left\n"


def test_a_terminal_is_shown_a_bar(clock):
    said = StringIO()
    with shown_progress(Console(file=said, force_terminal=True), 10, "Indexing", "images") as show:
        clock[0] = 2
        show(Counted(10))
    assert "10/10" in said.getvalue()
    assert "5.0 images/s" in said.getvalue()
