"""Whatever bytes arrive: a message or noise, never an exception."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.dissect import jsonrpc
from mcptap.tap.dissect.jsonrpc import classify, dissect, id_text
from mcptap.tap.dissect.mcp import facts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "id": JSON,
        "method": st.sampled_from(["tools/call", "initialize", "notifications/cancelled"]) | JSON,
        "params": st.fixed_dictionaries({}, optional={"_meta": JSON, "name": JSON, "requestId": JSON}) | JSON,
        "result": st.fixed_dictionaries({}, optional={"_meta": JSON, "serverInfo": JSON, "task": JSON}) | JSON,
        "error": st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON, "data": JSON}) | JSON,
    },
)


@settings(deadline=None)
@given(st.binary() | (ENVELOPES | JSON | st.lists(ENVELOPES)).map(lambda value: json.dumps(value).encode()))
def test_anything_is_dissected_and_can_be_written_as_json(data: bytes) -> None:
    message = dissect(data)
    for part in (message, *message.elements):
        assert orjson.dumps([part.value, facts(part.kind, part.value)])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"jsonrpc":"2.0","id":1,"method":"ping"}', "request"),
        ('{"jsonrpc":"2.0","id":null,"method":"ping"}', "request"),
        ('{"method":"ping","id":"x","jsonrpc":"2.0"}\r', "request"),
        ('\ufeff{"jsonrpc":"2.0","method":"notifications/initialized"}', "notification"),
        ('{"jsonrpc":"2.0","id":1,"result":null}', "result"),
        ('{"jsonrpc":"2.0","id":1,"result":{},"error":null}', "result"),
        ('{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}', "error"),
        ('{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}', "error"),
        ('[{"jsonrpc":"2.0","id":1,"method":"ping"},3]', "batch"),
        ('{"jsonrpc":"2.0","id":NaN,"method":"ping"}', "request"),
        ('{"jsonrpc":"2.0","id":{},"method":"ping"}', "noise"),
        ('{"jsonrpc":"2.0","id":true,"method":"ping"}', "noise"),
        ('{"jsonrpc":"2.0","id":1,"method":7}', "noise"),
        ('{"jsonrpc":"2.0","id":1,"error":"no"}', "noise"),
        ('{"jsonrpc":"2.0","result":{}}', "noise"),
        ('{"level":"info","method":"GET"}', "noise"),
        ("[1,2]", "noise"),
        ("[]", "noise"),
        ("", "noise"),
        ("Server ready", "noise"),
    ],
)
def test_the_kind_of_a_frame(text: str, kind: str) -> None:
    assert dissect(text.encode()).kind == kind


def test_a_batch_has_its_elements_in_order_noise_among_them() -> None:
    message = dissect(b'[{"jsonrpc":"2.0","id":1,"method":"ping"},3,[{"jsonrpc":"2.0","id":2,"method":"ping"}]]')
    assert [(part.kind, part.value) for part in message.elements[1:]] == [
        ("noise", "3"),
        ("noise", '[{"jsonrpc":"2.0","id":2,"method":"ping"}]'),
    ]


def test_a_huge_batch_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonrpc, "MAX_BATCH", 2)
    message = dissect(b'[{"jsonrpc":"2.0","id":1,"method":"ping"},3,4]')
    assert (message.kind, message.elements) == ("batch", ())
    assert "more than 2" in (message.unscanned or "")


def test_a_frame_of_countless_values_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonrpc, "MAX_NODES", 5)
    assert dissect(b"[[],[],[],[],[]]").unscanned


@pytest.mark.parametrize("depth", [900, 2_000, 200_000])
def test_deep_nesting_does_not_raise(depth: int) -> None:
    data = b'{"jsonrpc":"2.0","id":1,"method":"m","params":' + b"[" * depth + b"]" * depth + b"}"
    assert dissect(data).kind in ("request", "noise")


def test_ids_keep_their_type() -> None:
    texts = [id_text(value) for value in (1, "1", 1.0, None, "null", 2**53 + 1)]
    assert texts == ["1", '"1"', "1.0", "null", '"null"', "9007199254740993"]


def test_very_long_ids_stay_apart_in_little_space() -> None:
    assert id_text("x" * 9999 + "a") != id_text("x" * 9999 + "b")
    assert len(id_text("x" * 9999)) < 300


def test_what_orjson_refuses_is_read_all_the_same() -> None:
    text = '{"jsonrpc":"2.0","id":1,"result":{"a":NaN,"b":1e999,"c":"\\ud800","d":123456789012345678901234567890}}'
    value = dissect(text.encode().replace(b'"a"', b'"\xff"')).value
    assert value["result"] == {"\ufffd": "NaN", "b": "1e999", "c": "\ufffd", "d": 1.2345678901234568e29}


def test_an_envelope_without_a_version_is_no_message() -> None:
    assert classify({"id": 1, "method": "ping"}) == "noise"
