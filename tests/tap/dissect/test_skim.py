"""An envelope from a message's edges is what a full parse says, or none."""

import json
from itertools import pairwise
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.dissect import skim
from mcptap.tap.dissect.jsonrpc import classify
from mcptap.tap.dissect.mcp import facts
from mcptap.tap.dissect.skim import EDGE, Skim

HOSTILE = st.lists(
    st.sampled_from(
        [
            '"id":9}',
            ',"id":9}',
            '"',
            "\\",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            '\\"',
            "x" * 40,
            '{"method":"evil"}',
            "\n",
            "é",
        ]
    ),
    max_size=12,
).map("".join)
SMALL = st.none() | st.booleans() | st.integers(-5, 10**30) | st.floats(allow_nan=False, allow_infinity=False) | HOSTILE
NAMES = st.sampled_from(["id", "method", "jsonrpc", "name", "uri", "result", "error", "isError"]) | HOSTILE
LARGE = st.recursive(
    SMALL, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=20
)
ID = st.integers(0, 9) | SMALL
METHOD = st.sampled_from(["tools/call", "resources/read"]) | HOSTILE
PARAMS = st.tuples(st.dictionaries(st.sampled_from(["name", "uri"]), HOSTILE), st.dictionaries(NAMES, LARGE)).map(
    lambda parts: {**parts[0], **parts[1]}
)
FILLER = st.dictionaries(NAMES, LARGE, min_size=1, max_size=4).map(lambda value: {**value, "filler": '{"id":9}' * 60})
SHAPES: list[dict[str, st.SearchStrategy[Any]]] = [
    {"jsonrpc": st.just("2.0"), "id": ID, "method": METHOD, "params": PARAMS | FILLER},
    {"jsonrpc": st.just("2.0"), "method": METHOD, "params": PARAMS | FILLER},
    {"jsonrpc": st.just("2.0"), "id": ID, "result": FILLER | LARGE},
    {"jsonrpc": st.just("2.0"), "id": ID, "error": FILLER | LARGE},
]
EXTRAS = {"id": ID, "method": METHOD, "error": LARGE, "result": LARGE, "jsonrpc": SMALL, "extra": LARGE, "ключ": SMALL}
MEMBERS = st.one_of(*map(st.fixed_dictionaries, SHAPES))
EXTRA = st.just({}) | st.dictionaries(st.sampled_from([*EXTRAS]), st.none(), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: EXTRAS[name] for name in names})
)
MESSAGES = (
    st.tuples(MEMBERS, EXTRA)
    .map(lambda parts: {**parts[0], **parts[1]})
    .flatmap(lambda members: st.permutations(list(members.items())))
    .map(dict)
)
STYLES: list[dict[str, Any]] = [
    {},
    {"separators": (",", ":")},
    {"ensure_ascii": False},
    {"separators": (" , ", " :\t")},
]


def skimmed(data: bytes, cuts: list[int]) -> dict[str, Any] | None:
    looked = Skim()
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for low, high in pairwise(edges):
        looked.feed(data[low:high])
    return looked.envelope()


def told(message: Any) -> tuple[Any, ...]:
    """What is taken from an envelope."""
    kind = classify(message)
    return kind, message.get("method"), message.get("id", "absent")


@settings(deadline=None)
@given(MESSAGES, st.sampled_from(STYLES), st.integers(40, 400), st.lists(st.integers(0, 5000)), st.integers(1, 64))
def test_an_envelope_is_what_a_full_parse_says_or_none(
    message: dict[str, Any], style: dict[str, Any], edge: int, cuts: list[int], step: int
) -> None:
    data = json.dumps(message, **style).encode()
    with mock.patch.object(skim, "EDGE", edge), mock.patch.object(skim, "_STEP", step):
        envelope = skimmed(data, cuts)
    if envelope is not None:
        whole = orjson.loads(data)
        assert envelope.keys() == whole.keys()
        assert told(envelope) == told(whole)
        target = (facts(classify(envelope), envelope) or {}).get("target")
        assert target is None or target == (facts(classify(whole), whole) or {})["target"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*EXTRAS]), LARGE | ID), max_size=5), st.integers(8, 200))
def test_of_a_member_that_comes_twice_the_last_counts_or_none(members: list[tuple[str, Any]], edge: int) -> None:
    data = ("{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in members) + "}").encode()
    with mock.patch.object(skim, "EDGE", edge):
        envelope = skimmed(data, [])
    assert envelope is None or told(envelope) == told(orjson.loads(data))


BIG = {"content": [{"type": "text", "text": '"id":9}\\"' * EDGE}, {"id": 8, "method": "no", "error": {}}]}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("message", "kind", "target"),
    [
        ({"jsonrpc": "2.0", "id": 4, "result": BIG}, "result", None),
        ({"result": BIG, "jsonrpc": "2.0", "id": 4}, "result", None),
        ({"jsonrpc": "2.0", "id": 'é"4', "error": BIG}, "error", None),
        ({"error": BIG, "jsonrpc": "2.0", "id": None}, "error", None),
        ({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "up", "x": BIG}, "id": 4}, "request", "up"),
        ({"params": {"x": BIG, "name": "up"}, "method": "tools/call", "id": "a", "jsonrpc": "2.0"}, "request", None),
        ({"method": "resources/read", "params": {"uri": "f:x", "x": BIG}, "jsonrpc": "2.0", "id": 4}, "request", "f:x"),
        ({"method": "notifications/message", "params": BIG, "jsonrpc": "2.0"}, "notification", None),
    ],
)
def test_the_orders_that_peers_write_are_read(message: Any, kind: str, target: str | None, style: Any) -> None:
    envelope = skimmed(json.dumps(message, **style).encode(), [])
    assert envelope is not None
    assert told(envelope) == (kind, message.get("method"), message.get("id", "absent"))
    assert (facts(classify(envelope), envelope) or {}).get("target") == target
    assert len(str(envelope)) < 200


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "m", "params": BIG, "id": 4, "extra": BIG},
        {"jsonrpc": "2.0", "result": BIG, "id": "x" * EDGE},
        {"id": "x" * EDGE, "result": {}, "jsonrpc": "2.0"},
        {"result": BIG, "id": 'with a " in it', "jsonrpc": "2.0"},
        [{"jsonrpc": "2.0", "id": 4, "result": BIG}],
        {},
        "text" * EDGE,
    ],
)
def test_what_is_not_certain_is_not_told(message: Any) -> None:
    assert skimmed(json.dumps(message).encode(), []) is None


@pytest.mark.parametrize(
    "data", [b"", b"}", b'{"a":{}', b'{"a":{}}{"b":{}}', b'{"id":nul,"a":{}}', b'{"a":{}\\', b'"{']
)
def test_what_is_no_object_has_no_envelope(data: bytes) -> None:
    assert skimmed(data, []) is None
