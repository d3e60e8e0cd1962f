"""What a line holds is what FHIR R4 says an AuditEvent is, whoever calls and whatever the answer."""

import json

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.guard.audit.calls import Call
from gateway.guard.audit.chain import Chain
from gateway.guard.audit.event import Exchange, accession_hash, event_of
from gateway.guard.audit.notes import Notes
from gateway.guard.caller import LOCAL, Caller

KEY = b"a key"
INTERACTIONS = {"create": "C", "read": "R", "update": "U", "delete": "D", "search": "E", "operation": "E"}

texts = st.text(min_size=1, max_size=40).filter(lambda text: text.strip() == text)
names = st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,40}", fullmatch=True), max_size=4).map(dict.fromkeys)
hashes = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
notes = st.builds(
    Notes,
    images=names,
    studies=st.lists(st.from_regex(r"[1-9][0-9]{0,5}(\.[1-9][0-9]{0,5}){1,4}", fullmatch=True), max_size=3).map(
        dict.fromkeys
    ),
    patients=st.lists(st.from_regex(r"[0-9a-f]{16}", fullmatch=True), max_size=2).map(dict.fromkeys),
    shown_images=names,
    shown_studies=names,
    models=st.dictionaries(st.sampled_from(["text", "image"]), hashes),
    accession_number=st.none() | texts,
    generation=st.none() | st.integers(0, 10**9),
)
exchanges = st.builds(
    Exchange,
    caller=st.builds(Caller, texts, st.sampled_from(["key", "token", "local"]), st.just(frozenset())),
    client=st.sampled_from(["10.0.0.7", "::1", "unknown"]),
    server=st.just("127.0.0.1"),
    request_id=st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True),
    status=st.none() | st.integers(200, 599),
)
calls = st.sampled_from([Call("POST /v1/retrieve", action, kind) for kind, action in INTERACTIONS.items()])


def line_of(exchange: Exchange, call: Call, noted: Notes) -> bytes:
    chain = Chain(KEY, "ab" * 8)
    line, _link = chain.sealed(chain.start, event_of(exchange, call, noted, KEY))
    return line


@given(exchanges, calls, notes)
@settings(max_examples=150, deadline=None)
def test_fhir_resources_accepts_every_line(exchange, call, noted):
    line = line_of(exchange, call, noted)
    assert line.isascii()
    assert line.count(b"\n") == 1
    event = AuditEvent.model_validate_json(line)
    assert (event.action, event.subtype[0].code) == (call.action, call.interaction)
    kept = json.loads(line)
    assert json.loads(event.model_dump_json(exclude_none=True)).keys() == kept.keys()
    if noted.accession_number is not None:
        assert accession_hash(noted.accession_number, KEY) in line.decode()


SEEN = Exchange(LOCAL, "10.0.0.7", "127.0.0.1", "pacs-42", 200)


@pytest.mark.parametrize(
    ("kind", "profile", "client_role"),
    [
        ("read", "Read", "110152"),
        ("create", "Create", "110153"),
        ("update", "Update", "110153"),
        ("delete", "Delete", "110153"),
        ("search", None, "110153"),
    ],
)
def test_a_success_claims_the_profile_of_balp_that_it_keeps_to(kind, profile, client_role):
    event = json.loads(line_of(SEEN, Call("x", INTERACTIONS[kind], kind), Notes(images={"a": None})))
    claimed = event.get("meta", {}).get("profile", [])
    assert [name.rpartition("IHE.BasicAudit.")[2] for name in claimed] == ([] if profile is None else [profile])
    client, server, user = event["agent"]
    assert client["type"]["coding"][0]["code"] == client_role
    assert {client["type"]["coding"][0]["code"], server["type"]["coding"][0]["code"]} == {"110152", "110153"}
    assert user["type"]["coding"][0]["code"] == "IRCP"
    assert event["entity"][0]["what"]["identifier"]["value"] == "pacs-42"
    assert event["entity"][0]["type"]["code"] == "XrequestId"


def test_accession_numbers_are_hashed_with_the_key_and_without_the_spaces_around():
    assert accession_hash("A0042", KEY) == accession_hash(" A0042 ", KEY) != accession_hash("A0042", b"another key")
    assert "A0042" not in line_of(SEEN, Call("x", "C", "create"), Notes(accession_number="A0042")).decode()
