"""No JSON body holds up the process, every wrong one is told what is wrong, and none is quoted."""

import json
import time
import tracemalloc
from datetime import UTC, datetime

import pytest
from fastapi.exceptions import RequestValidationError

from shared.errors import InvalidInput
from shared.labels import LABELS, State
from shared.schemas.reports import ReportLabels
from shared.schemas.retrieve import RetrieveRequest
from shared.schemas.search import MAX_EXCLUDED, SearchRequest
from shared.schemas.text import ClassifyRequest
from shared.web.json_body import MAX_VALUES, parse_json

SECRET = "Jane Roe has a mass"


def listed(item: str, count: int) -> str:
    return "[" + ",".join([item] * count) + "]"


def keyed(count: int) -> str:
    return "{" + ",".join(f'"k{number}":1' for number in range(count)) + "}"


BAD_BODIES = {
    "unknown label names": '{"labels":' + listed('"x"', 400_000) + "}",
    "unknown label names in few bytes": '{"labels":' + listed('"x"', 4_000) + "}",
    "unknown label keys": '{"labels":' + keyed(150_000) + "}",
    "unknown label keys in few bytes": '{"labels":' + keyed(900) + "}",
    "unknown keys": keyed(150_000),
    "deep arrays": "[" * 2_000_000,
    "deep arrays in few bytes": "[" * 16_000,
    "deep objects": '{"a":' * 300_000,
    "empty arrays": '{"labels":' + listed("[]", 650_000) + "}",
    "empty objects": '{"labels":' + listed("{}", 650_000) + "}",
    "a number without end": '{"labels":["Edema"],"k":' + "9" * 2_000_000 + "}",
    "long numbers": '{"labels":' + listed("9" * 4_300, 480) + "}",
    "impressions of one character": '{"impressions":' + listed('"x"', 500_000) + "}",
    "wrong ids": '{"labels":["Edema"],"filters":{"excluded_image_ids":' + listed('"/"', 400_000) + "}}",
    "wrong ids, as many as may be": '{"labels":["Edema"],"filters":{"excluded_image_ids":' + listed("1", 10_000) + "}}",
    "view positions": '{"labels":["Edema"],"filters":{"view_position":' + listed('"PA"', 400_000) + "}}",
    "one key over and over": "{" + ",".join(['"":1'] * 400_000) + "}",
    "quotes": '"' * 2_000_000,
    "a string without end": '"' + '\\"' * 90_000 + "x" * 1_800_000,
    "backslashes": '"' + "\\" * 1_999_999,
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_body_is_refused_in_little_time_and_memory(name):
    data = BAD_BODIES[name].encode()
    started = time.perf_counter()
    with pytest.raises((InvalidInput, RequestValidationError)):
        parse_json(data, SearchRequest)
    assert time.perf_counter() - started < 0.25  # 50 ms and less on a machine with nothing else to do
    tracemalloc.start()
    with pytest.raises((InvalidInput, RequestValidationError)) as refusal:
        parse_json(data, SearchRequest)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25_000_000
    if isinstance(refusal.value, RequestValidationError):
        assert len(refusal.value.errors()) <= 1000


def test_all_that_a_search_may_hold_is_read():
    ids = [f"1.2.840.{number}" for number in range(MAX_EXCLUDED)]
    kinds = ("image_ids", "study_uids", "patient_ids")
    body = {"labels": ["Edema"], "filters": {f"excluded_{kind}": ids for kind in kinds}}
    assert parse_json(json.dumps(body, indent=1).encode(), SearchRequest).filters.excluded_patient_ids == ids


def test_punctuation_in_an_impression_is_no_structure():
    text = '{"a": [1, 2], "b": \\' * 900
    assert parse_json(json.dumps({"impressions": [text] * 10}).encode(), ClassifyRequest).impressions == [text] * 10


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "line 1, column 1"),
        (b'{"impressions": ["Jane Roe has a mass"],\n "evidence" true}', "line 2, column 13"),
        (b'{"impressions": ["Jane Roe has a mass]}', "Unterminated string starting at line 1, column 18"),
        (b'{"impressions": ["Jane Roe has a mass\x00"]}', "Invalid control character at line 1, column 38"),
        ('{"impressions": ["Jane Roe has a mass"]}'.encode("utf-16"), "UTF-8"),
        (b'{"impressions": ["Jane Roe has a mass \xff"]}', "byte 39"),
        (b'{"impressions": ["Jane Roe has a mass \\ud800"]}', "surrogate"),
        (b'{"impressions": ["a"], "\\udfff Jane Roe has a mass": 1}', "surrogate"),
        (b'{"impressions": ["a"], "evidence": false, "evidence": true}', "evidence twice"),
        (b'{"impressions": ["a"], "Jane Roe has a mass": 1, "Jane Roe has a mass": 2}', "* twice"),
        (b'{"impressions": [NaN]}', "NaN and Infinity"),
        (b'{"impressions": [-Infinity]}', "NaN and Infinity"),
        (b'{"impressions": [123456789012345678901]}', "more than 20 digits"),
        (b"[" * 5_000, "nested too deeply"),
        (b"[" + b"1," * MAX_VALUES + b"1]", "at most 50,000 values"),
    ],
)
def test_body_that_is_no_json_is_told_why_and_where_and_is_not_quoted(data, says):
    with pytest.raises(InvalidInput) as refusal:
        parse_json(data, ClassifyRequest)
    assert says in refusal.value.detail
    assert "Jane" not in refusal.value.detail


def test_whole_surrogate_pairs_and_a_byte_order_mark_are_read():
    data = b'\xef\xbb\xbf{"impressions": ["Edema \\ud83d\\ude00"]}'
    assert parse_json(data, ClassifyRequest).impressions == ["Edema \U0001f600"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": True},
        {"k": "5"},
        {"k": 5.0},
        {"offset": "1"},
        {"binarize": 1},
        {"evidence": "yes"},
        {"uncertain_weight": True},
        {"uncertain_weight": "0.5"},
        {"min_score": "0.5"},
        {"diversity": False},
        {"filters": {"age_min": "18"}},
        {"filters": {"required_labels": {"Edema": True}}},
    ],
)
def test_value_of_another_type_is_refused(wrong):
    with pytest.raises(RequestValidationError) as refusal:
        parse_json(json.dumps({"impression": "Edema", **wrong}).encode(), RetrieveRequest)
    assert len(refusal.value.errors()) == 1


def test_moment_and_state_are_read_from_their_words_and_from_nothing_else():
    def labels(**changed: object) -> bytes:
        said = {
            "states": dict.fromkeys(LABELS, "absent"),
            "probabilities": dict.fromkeys(LABELS, 0.5),
            "text_model_sha256": "ab" * 32,
            "issued": "2026-03-01T09:30:00+01:00",
        }
        return json.dumps(said | changed).encode()

    read = parse_json(labels(), ReportLabels)
    assert read.states["Edema"] is State.ABSENT
    assert read.issued == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    for wrong in ({"issued": 5}, {"issued": "2026-03-01T09:30:00"}, {"states": dict.fromkeys(LABELS, "no")}):
        with pytest.raises(RequestValidationError):
            parse_json(labels(**wrong), ReportLabels)


def test_whole_number_is_good_for_a_fraction():
    body = b'{"impression": "Edema", "uncertain_weight": 1, "min_score": 0, "filters": {"age_min": 18}}'
    assert parse_json(body, RetrieveRequest).uncertain_weight == 1.0


@pytest.mark.parametrize("score", ["1e400", "-1e400"])
def test_score_beyond_all_numbers_is_refused(score):
    with pytest.raises(RequestValidationError):
        parse_json(b'{"labels": ["Edema"], "min_score": %s}' % score.encode(), SearchRequest)
