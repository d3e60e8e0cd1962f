"""The real system under a steady load, while parts of it are killed and stopped, its store locked and its disk full."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.faults.load import KINDS, NO_CONNECTION, Load
from tests.e2e.faults.measure import Row, lost_writes, run, system_with_faults

pytestmark = pytest.mark.e2e

LASTING_S = 2.0
SHORT = (
    "text classifier killed (-9)",
    "image index killed (-9)",
    "gateway killed (-9)",
    "image index stopped (SIGSTOP)",
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Iterator[tuple[str, list[Row], Load]]:
    with system_with_faults(tmp_path_factory.mktemp("faults")) as (system, faults):
        chosen = {name: fault for name, fault in faults.items() if name in SHORT}
        rows, load = run(system, chosen, lasting_s=LASTING_S)
        yield system, rows, load


def test_every_request_is_answered_unless_the_gateway_itself_was_killed(measured):
    _, rows, load = measured
    unanswered = [outcome for outcome in load.outcomes if outcome.said == "no answer"]
    assert unanswered == []
    for row in rows:
        without = {outcome.said for outcome in row.during} & NO_CONNECTION
        assert without == (NO_CONNECTION & without if row.name.startswith("gateway killed") else set()), row.name


def test_what_a_fault_does_not_concern_goes_on(measured):
    _, rows, _ = measured
    (row,) = (row for row in rows if row.name.startswith("text classifier killed"))
    said = {kind: {outcome.said for outcome in row.during if outcome.kind == kind} for kind in KINDS}
    assert said["search"] == said["write"] == {"2xx"}
    assert "503 unavailable, text-classifier" in said["retrieve"]


def test_a_failure_says_that_it_passes(measured):
    _, _, load = measured
    said = {outcome.said.split()[0] for outcome in load.outcomes}
    assert said <= {"2xx", "429", "503", "504", *NO_CONNECTION}


def test_no_acknowledged_write_is_lost_and_none_is_made_twice(measured):
    system, _, load = measured
    assert len(load.writes) > 10
    assert lost_writes(system, load) == []
    assert [write.key for write in load.writes if write.made > 1] == []
    assert len({write.image_id for write in load.writes}) == len(load.writes)
    assert httpx.get(f"{system.url}/v1/index").json()["size"] == len(load.writes)
