"""What a page of a listing defines, and that only what counts changes its hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.dissect import definitions
from mcptap.tap.dissect.definitions import METHODS, canonical, page, tokens

ASKED = {"id": 1, "method": "tools/list"}
TOOL = {"name": "add", "title": "Add", "description": "Adds", "inputSchema": {"type": "object"}, "_meta": {"x": 1}}
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


def tools(*items: Any, asked: Any = ASKED, **more: Any) -> definitions.Page:
    found = page("tools/list", asked, {"result": {"tools": list(items), **more}})
    assert found is not None
    return found


def shuffled(value: Any) -> Any:
    """The same value with its members the other way round and whole numbers with a fraction."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case list():
            return [shuffled(item) for item in value]
        case dict():
            return {key: shuffled(item) for key, item in reversed(value.items())}
    return value


@given(JSON)
def test_the_order_of_members_and_the_form_of_numbers_do_not_count(value: Any) -> None:
    assert canonical(shuffled(value)) == canonical(value)


@given(JSON)
def test_canonical_json_says_the_same_as_what_it_was_made_of(value: Any) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_canonical_json_is_known_to_the_byte() -> None:
    value = {"b": [1.0, 1e2, -0.0, 0.5, True, None], "a": "é\n", "é": {}}
    assert canonical(value) == '{"a":"é\\n","b":[1,100,0,0.5,true,null],"é":{}}'.encode()


def test_a_tool_is_told_with_its_hash_its_size_and_what_it_costs() -> None:
    (tool,) = tools(TOOL).definitions
    body = json.dumps(TOOL, sort_keys=True, separators=(",", ":"))
    shown = {key: TOOL[key] for key in ("name", "description", "inputSchema")}
    assert (tool.kind, tool.name, tool.title, tool.description) == ("tool", "add", "Add", "Adds")
    assert (tool.body, tool.size_bytes) == (body, len(body))
    assert tool.hash == hashlib.sha256(body.encode()).hexdigest()
    assert tool.tokens_estimate == tokens(len(json.dumps(shown, separators=(",", ":"))))


@pytest.mark.parametrize("change", [{"description": "adds"}, {"inputSchema": {}}, {"_meta": {"x": 2}}, {"new": None}])
def test_any_change_of_a_tool_changes_its_hash(change: dict[str, Any]) -> None:
    assert tools(TOOL).definitions[0].hash != tools(TOOL | change).definitions[0].hash


@pytest.mark.parametrize(
    ("method", "result", "kind", "names"),
    [
        ("tools/list", {"tools": [{"name": "a"}, {"name": "b"}]}, "tool", ["a", "b"]),
        ("prompts/list", {"prompts": [{"name": "p"}]}, "prompt", ["p"]),
        ("resources/list", {"resources": [{"uri": "file:///x", "name": "x"}]}, "resource", ["file:///x"]),
        (
            "resources/templates/list",
            {"resourceTemplates": [{"uriTemplate": "f:{x}", "name": "x"}]},
            "resource_template",
            ["f:{x}"],
        ),
        ("initialize", {"instructions": "Be kind", "capabilities": {}}, "instructions", ["instructions"]),
        ("server/discover", {"instructions": "Be kind"}, "instructions", ["instructions"]),
        ("initialize", {"capabilities": {}}, "instructions", []),
        ("initialize", {"instructions": ""}, "instructions", []),
        ("initialize", {"instructions": ["no text"]}, "instructions", []),
    ],
)
def test_each_method_defines_its_kind(method: str, result: dict[str, Any], kind: str, names: list[str]) -> None:
    found = page(method, {"method": method}, {"result": result})
    assert found is not None
    assert (found.kind, [one.name for one in found.definitions], found.whole) == (kind, names, True)


def test_both_eras_tell_the_same_instructions() -> None:
    first, second = (
        page(method, {}, {"result": {"instructions": "x"}}) for method in ("initialize", "server/discover")
    )
    assert first == second


def test_a_file_that_grows_is_no_other_resource() -> None:
    old = {"uri": "f", "size": 1, "annotations": {"lastModified": "1", "priority": 1}}
    new = {"uri": "f", "size": 2, "annotations": {"lastModified": "2", "priority": 1}}
    hashes = [page("resources/list", {}, {"result": {"resources": [one]}}) for one in (old, new)]
    assert hashes[0] == hashes[1]


def test_a_cursor_tells_which_page_it_is() -> None:
    first = tools(nextCursor="c")
    last = tools(asked={"params": {"cursor": "c"}})
    assert (first.cursor, last.next_cursor) == (None, None)
    assert first.next_cursor == last.cursor is not None
    assert tools(nextCursor="d").next_cursor != first.next_cursor
    assert tools(nextCursor=None).next_cursor is None


# What a hostile server may send


@pytest.mark.parametrize("name", [5, None, True, ["a"], {"a": 1}, 1.5])
def test_a_name_that_is_no_text_is_told_as_json(name: Any) -> None:
    (tool,) = tools({"name": name}).definitions
    assert tool.name == canonical(name).decode()


def test_a_tool_without_a_name_is_kept() -> None:
    assert [one.name for one in tools({"description": "x"}).definitions] == ["null"]


def test_a_name_of_a_megabyte_is_cut_and_stays_distinct() -> None:
    one, other = tools({"name": "x" * 2**20}, {"name": "x" * 2**20 + "y"}).definitions
    assert one.name != other.name
    assert len(one.name) < definitions.MAX_NAME + 20


def test_of_equal_definitions_one_is_kept_and_of_a_name_with_two_texts_both() -> None:
    found = tools(TOOL, dict(reversed(TOOL.items())), TOOL | {"description": "other"})
    assert [one.description for one in found.definitions] == ["Adds", "other"]
    assert found.whole


def test_what_is_no_definition_makes_a_page_incomplete() -> None:
    found = tools("add", 5, None, [TOOL], TOOL)
    assert [one.name for one in found.definitions] == ["add"]
    assert not found.whole


def test_a_listing_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "MAX_DEFINITIONS", 3)
    found = tools(*({"name": str(number)} for number in range(5)))
    assert [one.name for one in found.definitions] == ["0", "1", "2"]
    assert not found.whole


def test_an_answer_to_an_unknown_request_is_never_a_whole_listing() -> None:
    assert not tools(TOOL, asked=None).whole


def test_a_definition_that_is_nested_too_deeply_is_left_out() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"a": deep}
    found = tools({"name": "deep", "inputSchema": deep}, TOOL)
    assert [one.name for one in found.definitions] == ["add"]
    assert not found.whole


def test_half_a_surrogate_pair_costs_its_definition_only() -> None:
    found = tools({"name": "\ud800"}, {"name": "a", "x": {"\udc00": 1}}, TOOL, nextCursor="\ud800")
    assert [one.name for one in found.definitions] == ["add"]
    told = page("initialize", {}, {"result": {"instructions": "\ud800"}})
    assert told == definitions.Page("instructions", None, None, (), whole=False)


@given(st.sampled_from([*METHODS, "ping", "tools/call"]), JSON, JSON)
def test_nothing_that_is_sent_raises(method: str, request: Any, reply: Any) -> None:
    for answer in (reply, {"result": reply}, {"result": {"tools": reply, "resources": [reply]}}):
        found = page(method, request, answer)
        assert found is None or found.digest


def test_a_cursor_that_is_no_text_is_none() -> None:
    assert tools(nextCursor=5, asked={"params": {"cursor": ["x"]}}).cursor is None
