"""The facts of each method."""

from typing import Any

import pytest

from mcptap.tap.dissect.mcp import facts, trace_id
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
        (
            "result",
            {"result": {"supportedVersions": ["a"], "capabilities": {}, "serverInfo": {"name": "s", "version": ""}}},
            {"supported_versions": ["a"], "capabilities": [], "server_name": "s", "server_version": ""},
        ),
        ("result", {"result": {"task": {"taskId": "t"}}}, {"result_type": "task"}),
        ("result", {"result": {"isError": True}}, {"is_error": True}),
        ("result", {"result": {"isError": "yes"}}, None),
        ("error", {"error": {"code": -32601, "message": "no"}}, {"error_code": -32601, "error_message": "no"}),
        ("error", {"error": {"code": "x", "message": 5, "data": 7}}, None),
        ("noise", "text", None),
    ],
)
def test_facts_of_a_message(kind: Kind, body: Any, expected: Any) -> None:
    assert facts(kind, body) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("00-" + "a1" * 16 + "-" + "b2" * 8 + "-01", "a1" * 16),
        ("00-" + "0" * 32 + "-" + "b2" * 8 + "-01", None),
        ("00-" + "A1" * 16 + "-" + "b2" * 8 + "-01", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_only_a_valid_traceparent_names_a_trace(header: str | None, expected: str | None) -> None:
    assert trace_id(header) == expected
