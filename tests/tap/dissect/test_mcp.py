"""The facts of each method."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.dissect.mcp import facts, trace_id
from mcptap.tap.dissect.methods import METHODS
from mcptap.tap.records import Kind

PREFIX = "io.modelcontextprotocol/"


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("request", {"method": "tools/call", "params": {"name": "echo"}}, {"target": "echo"}),
        ("request", {"method": "resources/read", "params": {"uri": "file:///x"}}, {"target": "file:///x"}),
        (
            "request",
            {"method": "completion/complete", "params": {"ref": {"type": "ref/prompt", "name": "p"}}},
            {"target": "p"},
        ),
        ("request", {"method": "tools/list", "params": {"name": "x"}}, None),
        ("notification", {"method": "notifications/cancelled", "params": {"requestId": "1"}}, {"request_id": '"1"'}),
        (
            "request",
            {
                "method": "server/discover",
                "params": {"_meta": {PREFIX + "protocolVersion": "2026-07-28", PREFIX + "clientInfo": {"name": "c"}}},
            },
            {"protocol_version": "2026-07-28", "client_name": "c"},
        ),
        (
            "request",
            {"method": "initialize", "params": {"protocolVersion": "v", "capabilities": {"roots": {}}}},
            {"requested_version": "v", "capabilities": ["roots"]},
        ),
        ("result", {"result": {"task": {"taskId": "t"}}}, {"result_type": "task", "task_id": "t"}),
        (
            "result",
            {"result": {"resultType": "task", "taskId": "t", "status": "working"}},
            {"result_type": "task", "task_id": "t", "task_status": "working"},
        ),
        ("result", {"result": {"taskId": "t", "serverInfo": {"name": "s"}, "protocolVersion": "v"}}, None),
        (
            "result",
            {"result": {"inputRequests": {"a": {"method": "roots/list"}, "b": 1}, "resultType": "input_required"}},
            {"result_type": "input_required", "input_requests": ["roots/list"]},
        ),
        (
            "error",
            {"error": {"code": -32042, "data": {"elicitations": [{"elicitationId": "e"}, {"elicitationId": 5}, "x"]}}},
            {"error_code": -32042, "elicitations": ["e"]},
        ),
        (
            "error",
            {"error": {"code": -32021, "data": {"requiredCapabilities": {"sampling": {}}}}},
            {"error_code": -32021, "required_capabilities": ["sampling"]},
        ),
        (
            "error",
            {"error": {"code": -32022, "data": {"supported": ["a", 1], "requested": "b"}}},
            {"error_code": -32022, "supported_versions": ["a"], "requested_version": "b"},
        ),
        ("error", {"error": {"code": -32020, "data": []}}, {"error_code": -32020}),
        (
            "notification",
            {"method": "notifications/progress", "params": {"progressToken": "7", "progress": 1}},
            {"progress_token": '"7"'},
        ),
        (
            "notification",
            {"method": "notifications/x", "params": {"_meta": {PREFIX + "subscriptionId": 9}}},
            {"subscription_id": "9"},
        ),
        (
            "request",
            {
                "method": "acme/thing",
                "params": {"name": "n", "_meta": {"progressToken": 7, PREFIX + "logLevel": "info"}},
            },
            {"progress_token": "7", "log_level": "info"},
        ),
        (
            "request",
            {"method": "elicitation/create", "params": {"mode": "url", "elicitationId": "e", "task": {"ttl": 1}}},
            {"mode": "url", "elicitation_id": "e", "as_task": ["ttl"]},
        ),
        (
            "notification",
            {
                "method": "notifications/tasks",
                "params": {"taskId": "t", "status": "completed", "result": {"isError": True}},
            },
            {"task_id": "t", "task_status": "completed", "task_result": "tool_error"},
        ),
        (
            "notification",
            {"method": "notifications/tasks/status", "params": {"taskId": "t", "status": "failed", "error": {}}},
            {"task_id": "t", "task_status": "failed", "task_result": "rpc_error"},
        ),
        (
            "request",
            {"method": "sampling/createMessage", "params": {"_meta": {PREFIX + "related-task": {"taskId": "t"}}}},
            {"related_task": "t"},
        ),
        ("result", {"result": {"isError": True}}, {"is_error": True}),
        ("result", {"result": {"isError": "yes"}}, None),
        ("error", {"error": {"code": -32601, "message": "no"}}, {"error_code": -32601, "error_message": "no"}),
        ("error", {"error": {"code": "x", "message": 5, "data": 7}}, None),
        ("noise", "text", None),
    ],
)
def test_facts_of_a_message(kind: Kind, body: Any, expected: Any) -> None:
    assert facts(kind, body) == expected


SERVER = {"supportedVersions": ["a"], "capabilities": {}, "serverInfo": {"name": "s", "version": ""}}


@pytest.mark.parametrize(
    ("asked", "result", "expected"),
    [
        (
            "server/discover",
            SERVER,
            {"supported_versions": ["a"], "capabilities": [], "server_name": "s", "server_version": ""},
        ),
        (
            "initialize",
            {**SERVER, "protocolVersion": "v"},
            {"protocol_version": "v", "capabilities": [], "server_name": "s", "server_version": ""},
        ),
        ("tools/call", {**SERVER, "protocolVersion": "v"}, None),
        ("elicitation/create", {"action": "decline"}, {"action": "decline"}),
        ("sampling/createMessage", {"model": "m", "stopReason": "x"}, {"model": "m", "stop_reason": "x"}),
        ("tasks/get", {"taskId": "t", "status": "working"}, {"task_id": "t", "task_status": "working"}),
        ("tasks/list", {"taskId": "t"}, None),
        ("acme/thing", {"taskId": "t"}, None),
    ],
)
def test_what_an_answer_says_depends_on_what_was_asked(asked: str, result: Any, expected: Any) -> None:
    assert facts("result", {"result": result}, asked) == expected


def test_name_and_version_of_a_side_are_of_one_source() -> None:
    result = {"serverInfo": {"name": "old", "version": "1"}, "_meta": {PREFIX + "serverInfo": {"name": "new"}}}
    assert facts("result", {"result": result}, "server/discover") == {"server_name": "new"}


def test_the_arguments_of_a_modern_call_are_told_apart_whatever_their_order() -> None:
    def found(arguments: Any, **meta: str) -> Any:
        params = {"name": "t", "arguments": arguments, "_meta": meta}
        return (facts("request", {"method": "tools/call", "params": params}) or {}).get("arguments_hash")

    modern = {PREFIX + "protocolVersion": "2026-07-28"}
    assert found({"a": 1, "b": 2}, **modern) == found({"b": 2, "a": 1}, **modern) != found({"a": 1}, **modern)
    assert found({}, **modern) is None
    assert found({"a": 1}) is None


@given(st.sampled_from(["request", "notification", "result", "error"]), st.sampled_from([*METHODS, None]), st.data())
def test_whatever_the_shapes_nothing_raises(kind: Kind, method: str | None, data: st.DataObject) -> None:
    names = st.sampled_from(["taskId", "task", "status", "result", "error", "data", "uri", "ref", "_meta", "requestId"])
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    value = st.recursive(leaf, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3))
    body = {"method": method, "params": data.draw(value), "result": data.draw(value), "error": data.draw(value)}
    found = facts(kind, body, method)
    assert found is None or (found and None not in found.values())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("00-" + "a1" * 16 + "-" + "b2" * 8 + "-01", "a1" * 16),
        ("00-" + "0" * 32 + "-" + "b2" * 8 + "-01", None),
        ("00-" + "A1" * 16 + "-" + "b2" * 8 + "-01", None),
        ("00-" + "a1" * 16 + "-" + "b2" * 8 + "-ff", "a1" * 16),
        ("00-" + "a1" * 16 + "-" + "b2" * 8 + "-01-more", None),
        ("cc-" + "a1" * 16 + "-" + "b2" * 8 + "-01-more", "a1" * 16),
        ("ff-" + "a1" * 16 + "-" + "b2" * 8 + "-01", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_only_a_valid_traceparent_names_a_trace(header: str | None, expected: str | None) -> None:
    assert trace_id(header) == expected
