"""The names, units and rules of the MCP semantic conventions (development, 1.42.0), and ours beside them.

The idea: one place for every name that leaves the machine. The package that publishes these as constants marks them
deprecated and will drop them, so they are written down here.
"""

from __future__ import annotations

from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/gen-ai/1.42.0"
SCOPE: Final = "mcptap"

TOOLS_CALL: Final = "tools/call"
PROMPTS_GET: Final = "prompts/get"
COMPLETE: Final = "completion/complete"
WITH_URI: Final = frozenset(
    ("resources/read", "resources/subscribe", "resources/unsubscribe", "notifications/resources/updated")
)

METHOD: Final = "mcp.method.name"
PROTOCOL_VERSION: Final = "mcp.protocol.version"
SESSION_ID: Final = "mcp.session.id"
RESOURCE_URI: Final = "mcp.resource.uri"
ERROR_TYPE: Final = "error.type"
STATUS_CODE: Final = "rpc.response.status_code"
JSONRPC_ID: Final = "jsonrpc.request.id"
JSONRPC_VERSION: Final = "jsonrpc.protocol.version"
TOOL_NAME: Final = "gen_ai.tool.name"
PROMPT_NAME: Final = "gen_ai.prompt.name"
OPERATION: Final = "gen_ai.operation.name"
EXECUTE_TOOL: Final = "execute_tool"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
PROMPT_VARIABLE: Final = "gen_ai.prompt.variable."
TRANSPORT: Final = "network.transport"
PIPE: Final = "pipe"

OBSERVER: Final = "mcptap.observer"
RUN_ID: Final = "mcptap.run.id"
SEQ: Final = "mcptap.seq"
CALL_ID: Final = "mcptap.call.id"
OUTCOME: Final = "mcptap.outcome"
PROBE: Final = "mcptap.probe"
LONG_LIVED: Final = "mcptap.long_lived"
TRUNCATED: Final = "mcptap.truncated"
STREAM: Final = "mcptap.stream"
RULE: Final = "mcptap.redaction.rule"
EVENTS_DROPPED: Final = "mcptap.events.dropped"
SERVER_MS: Final = "mcptap.server_ms"
WAITING_MS: Final = "mcptap.waiting_ms"
REJECTED: Final = "rejected:"  # how a record tells a version that was refused
REJECTED_VERSION: Final = "mcptap.protocol.rejected_version"

# A field of an exchange -> the attribute that tells it as it is.
FIELDS: Final = {
    "seq": SEQ,
    "logical_id": CALL_ID,
    "outcome": OUTCOME,
    "era": "mcptap.era",
    "round": "mcptap.round",
    "client_name": "mcptap.client.name",
    "client_version": "mcptap.client.version",
    "server_name": "mcptap.server.name",
    "server_version": "mcptap.server.version",
    "request_bytes": "mcptap.request.size",
    "reply_bytes": "mcptap.response.size",
    "task_id": "mcptap.task.id",
    "task_outcome": "mcptap.task.outcome",
}
EVENT_NUMBERS: Final = {"progress": "mcptap.progress.value", "total": "mcptap.progress.total"}
EVENT_NAMES: Final = {"level": "mcptap.log.level", "logger": "mcptap.log.logger"}
EVENT_TEXTS: Final = {"message": "mcptap.progress.message", "data": "mcptap.log.data"}
FINDING: Final = {
    "finding_id": "mcptap.finding.id",
    "detector": "mcptap.finding.detector",
    "rule": "mcptap.finding.rule",
    "severity": "mcptap.finding.severity",
    "channel": "mcptap.finding.channel",
    "title": "mcptap.finding.title",
    "pointer": "mcptap.finding.pointer",
    "fingerprint": "mcptap.finding.fingerprint",
}
EVIDENCE: Final = "mcptap.finding.evidence"

# The caller's own fault: no error of a server.
CALLERS_FAULT: Final = frozenset((-32700, -32600, -32601, -32602, -32002))
OTHER: Final = "_OTHER"
# Outcome -> error.type, where the outcome alone tells it.
FAILURES: Final = {"tool_error": "tool_error", "no_response": "connection_closed", "cancelled": "cancelled"}

DURATIONS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)  # s
OVERFLOW: Final = "otel.metric.overflow"
