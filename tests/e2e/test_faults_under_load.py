"""The real system under a steady load, while parts of it are killed and stopped, its store locked and its disk full."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import System
from tests.e2e.faults.load import KINDS, WITHOUT_ANSWER
from tests.e2e.faults.measure import Measured, lost_writes, run, size_of, system_with_faults

pytestmark = pytest.mark.e2e

LASTING_S = 2.0
SHORT = (
    "text classifier killed (-9)",
    "image index killed (-9)",
    "gateway killed (-9)",
    "image index stopped (SIGSTOP)",
)


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Iterator[tuple[System, Measured]]:
    with system_with_faults(tmp_path_factory.mktemp("faults")) as (system, faults):
        yield system, run(system, {name: faults[name] for name in SHORT}, lasting_s=LASTING_S)


def test_every_request_is_answered_unless_the_gateway_itself_was_killed(done):
    _, measured = done
    assert measured.unanswered == []


def test_what_a_fault_does_not_concern_goes_on(done):
    _, measured = done
    (row,) = (row for row in measured.rows if row.name.startswith("text classifier killed"))
    said = {kind: {outcome.said for outcome in row.during if outcome.kind == kind} for kind in KINDS}
    assert said["search"] == {"2xx"}
    assert said["write"] <= {"2xx", "429 overloaded"}  # a slow machine has no place for every picture
    assert "503 unavailable, text-classifier" in said["retrieve"]


def test_a_failure_says_that_it_passes(done):
    _, measured = done
    said = {outcome.said.split()[0] for outcome in measured.load.outcomes if outcome.said not in WITHOUT_ANSWER}
    assert said <= {"2xx", "429", "503", "504"}


def test_no_acknowledged_write_is_lost_and_none_is_made_twice(done):
    system, measured = done
    writes = measured.load.writes
    assert len(writes) > 10
    assert lost_writes(system, measured.load) == []
    assert [write.key for write in writes if write.made > 1] == []
    assert len({write.image_id for write in writes}) == size_of(system) == len(writes)
