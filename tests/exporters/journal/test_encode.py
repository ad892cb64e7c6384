"""Records as JSON, whatever is in them."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.exporters.journal.encode import NOT_JSON, encode
from mcptap.tap.record_json import record_from_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@given(JSON)
def test_any_json_body_comes_back(trail_message, body):
    record = trail_message(1, {"body": body})
    back = record_from_json({"type": "message", **json.loads(encode(record))})
    assert back == record


@pytest.mark.parametrize("body", [{"big": 2**70}, nested(300)], ids=["integer", "nesting"])
def test_what_orjson_refuses_is_kept(trail_message, body):
    encoded = encode(trail_message(1, body))
    assert json.loads(encoded)["body"] == body
    assert b'"redactions":[{"pointer":"/params"' in encoded


def test_half_a_surrogate_pair_becomes_a_question_mark(trail_message):
    assert orjson.loads(encode(trail_message(1, {"a\ud800": "\udc00b"})))["body"] == {"a?": "?b"}


@pytest.mark.parametrize("body", [nested(3000), {"far": float("nan"), "big": 2**70}], ids=["nesting", "nan"])
def test_a_body_that_cannot_be_written_is_left_out_and_told(trail_message, body):
    members = orjson.loads(encode(trail_message(7, body)))
    assert (members["body"], members["unscanned"], members["seq"]) == (None, NOT_JSON, 7)
