"""The gateway keeps to its document where it asks for keys: what schemathesis makes up, with a key and without."""

import atexit
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from gateway.guard import identity
from gateway.guard.caller import RIGHTS
from gateway.guard.keys.check import hash_of
from gateway.guard.keys.key import Key, new_key
from gateway.guard.keys.store import KeyFile
from tests.gateway.fakes import FakeClassifier, FakeIndex, gateway_over
from tests.gateway.made_up import never_shut_down, not_said_by

pytestmark = pytest.mark.slow

WRITTEN = new_key()


FOLDER = TemporaryDirectory()  # schemathesis wants its document before any fixture is there
atexit.register(FOLDER.cleanup)
KeyFile(Path(FOLDER.name)).add(Key(WRITTEN.id, "test", frozenset(RIGHTS), hash_of(WRITTEN.secret), None, time.time()))
app = gateway_over(FakeClassifier(), FakeIndex(), auth="on", gateway_dir=Path(FOLDER.name))
schema = schemathesis.openapi.from_dict(app.openapi())
schema.app = never_shut_down(app)


@pytest.fixture(autouse=True, scope="module")
def as_many_strangers_as_there_are():
    """How many are told so in a second has a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "MOST_STRANGERS_A_SECOND", 10**6)
        yield


SETTINGS = settings(max_examples=5, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@schema.parametrize()
@SETTINGS
def test_gateway_keeps_to_its_document_for_who_has_a_key(case):
    case.headers.pop("X-API-Key", None)
    case.call_and_validate(headers={"Authorization": f"Bearer {WRITTEN}"}, excluded_checks=not_said_by(case))


@schema.parametrize()
@SETTINGS
def test_gateway_tells_who_has_none_nothing_but_that(case):
    case.headers.pop("Authorization", None)
    case.headers.pop("X-API-Key", None)
    answer = case.call()
    if case.operation.definition.raw.get("security"):
        assert answer.status_code == 401
