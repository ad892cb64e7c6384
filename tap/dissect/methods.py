"""Every method of every MCP revision, both directions, and what is read from each: one row per method.

The idea: to know one more method is to add a row. A method without a row is a vendor's or a later revision's; its
messages are recorded and joined like any others, under their literal name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mcptap.tap.dissect.values import TASK, TOOL_ERROR, Reader, each, first, identity, keys, rpc_id, string, take, texts
from mcptap.tap.records import Side

V1, V2, V3, V4, V5 = "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"
REVISIONS: Final = (V1, V2, V3, V4, V5)
_LEGACY: Final = (V1, V2, V3, V4)
_C: Final[tuple[Side, ...]] = ("client",)
_S: Final[tuple[Side, ...]] = ("server",)
_BOTH: Final[tuple[Side, ...]] = ("client", "server")

PREFIX: Final = "io.modelcontextprotocol/"
RELATED_TASK: Final = PREFIX + "related-task"
TASKS_EXTENSION: Final = PREFIX + "tasks"

INITIALIZE: Final = "initialize"
DISCOVER: Final = "server/discover"
PING: Final = "ping"
LISTEN: Final = "subscriptions/listen"
CANCELLED: Final = "notifications/cancelled"
PROGRESS: Final = "notifications/progress"
LOG: Final = "notifications/message"
TASK_RESULT: Final = "tasks/result"
TASK_UPDATE: Final = "tasks/update"
TASK_CANCEL: Final = "tasks/cancel"


@dataclass(frozen=True, slots=True)
class Method:
    """One method: who sends it, since when, and how its messages are read."""

    kind: Literal["request", "notification"]
    senders: tuple[Side, ...]
    revisions: tuple[str, ...]
    params: tuple[Reader, ...] = ()  # what is read from `params`
    result: tuple[Reader, ...] = ()  # and from the `result` of its answer
    extension: str | None = None  # belongs to no revision by itself
    long_lived: bool = False  # answered after hours, or never: stays out of latencies
    waits: bool = False  # the other side's person or model answers
    rounds: bool = False  # a modern server may ask back for input, and the request is then repeated


def _asks(senders: tuple[Side, ...], revisions: tuple[str, ...], *params: Reader, **more: object) -> Method:
    return Method("request", senders, revisions, params, **more)  # type: ignore[arg-type]


def _tells(senders: tuple[Side, ...], revisions: tuple[str, ...], *params: Reader, **more: object) -> Method:
    return Method("notification", senders, revisions, params, **more)  # type: ignore[arg-type]


_NAME: Final = take("target", "name")
_URI: Final = take("target", "uri")
_TASK_ID: Final = take("task_id", "taskId")
_AS_TASK: Final = take("as_task", "task", keys)
_LEVEL: Final = take("level", "level")
# Whole, and under this very name: that is how redaction knows it, also where it is read from what was not kept.
STATE: Final = "requestState"
_STATE: Final = take(STATE, STATE, string)
_RESPONSES: Final = take("input_responses", "inputResponses", keys)
_CAPABILITIES: Final = take("capabilities", "capabilities", keys)

METHODS: Final[dict[str, Method]] = {
    INITIALIZE: _asks(
        _C,
        _LEGACY,
        take("requested_version", "protocolVersion"),
        _CAPABILITIES,
        identity("client", "clientInfo"),
        result=(take("protocol_version", "protocolVersion"), _CAPABILITIES, identity("server", "serverInfo")),
    ),
    "notifications/initialized": _tells(_C, _LEGACY),
    PING: _asks(_BOTH, _LEGACY),
    DISCOVER: _asks(
        _C,
        (V5,),
        result=(
            take("supported_versions", "supportedVersions", texts),
            _CAPABILITIES,
            identity("server", "serverInfo"),  # as release candidates had it, beside `_meta`
        ),
    ),
    "tools/list": _asks(_C, REVISIONS),
    "tools/call": _asks(_C, REVISIONS, _NAME, _AS_TASK, _STATE, _RESPONSES, rounds=True),
    "resources/list": _asks(_C, REVISIONS),
    "resources/templates/list": _asks(_C, REVISIONS),
    "resources/read": _asks(_C, REVISIONS, _URI, _STATE, _RESPONSES, rounds=True),
    "resources/subscribe": _asks(_C, _LEGACY, _URI),
    "resources/unsubscribe": _asks(_C, _LEGACY, _URI),
    "prompts/list": _asks(_C, REVISIONS),
    "prompts/get": _asks(_C, REVISIONS, _NAME, _STATE, _RESPONSES, rounds=True),
    "completion/complete": _asks(_C, REVISIONS, first("target", "ref", "name", "uri")),
    "logging/setLevel": _asks(_C, _LEGACY, _LEVEL),
    LISTEN: _asks(_C, (V5,), take("subscribes", "notifications", keys), long_lived=True),
    "sampling/createMessage": _asks(
        _S, _LEGACY, _AS_TASK, result=(take("model", "model"), take("stop_reason", "stopReason")), waits=True
    ),
    "roots/list": _asks(_S, _LEGACY, waits=True),
    "elicitation/create": _asks(
        _S,
        (V3, V4),
        _AS_TASK,
        take("mode", "mode"),
        take("elicitation_id", "elicitationId"),
        result=(take("action", "action"),),
        waits=True,
    ),
    "tasks/get": _asks(_BOTH, (V4,), _TASK_ID, result=(TASK,), extension=TASKS_EXTENSION),
    "tasks/cancel": _asks(_BOTH, (V4,), _TASK_ID, result=(TASK,), extension=TASKS_EXTENSION),
    TASK_RESULT: _asks(_BOTH, (V4,), _TASK_ID, result=(TOOL_ERROR,), long_lived=True),
    "tasks/list": _asks(_BOTH, (V4,)),
    TASK_UPDATE: _asks(_C, (), _TASK_ID, _RESPONSES, extension=TASKS_EXTENSION),
    CANCELLED: _tells(_BOTH, REVISIONS, take("request_id", "requestId", rpc_id)),
    PROGRESS: _tells(_BOTH, REVISIONS, take("progress_token", "progressToken", rpc_id)),
    LOG: _tells(_S, REVISIONS, _LEVEL, take("logger", "logger")),
    "notifications/tools/list_changed": _tells(_S, REVISIONS),
    "notifications/prompts/list_changed": _tells(_S, REVISIONS),
    "notifications/resources/list_changed": _tells(_S, REVISIONS),
    "notifications/resources/updated": _tells(_S, REVISIONS, _URI),
    "notifications/roots/list_changed": _tells(_C, _LEGACY),
    "notifications/elicitation/complete": _tells(_S, (V4,), take("elicitation_id", "elicitationId")),
    "notifications/tasks/status": _tells(_BOTH, (V4,), TASK),
    "notifications/tasks": _tells(_S, (), TASK, extension=TASKS_EXTENSION),
    "notifications/subscriptions/acknowledged": _tells(_S, (V5,), take("subscribes", "notifications", keys)),
}

# Keys of `_meta`, and what is read from each. MCP Apps adds none to a message: it stands in definitions.
ASKED_META: Final[tuple[Reader, ...]] = (
    take("protocol_version", PREFIX + "protocolVersion"),
    identity("client", PREFIX + "clientInfo"),
    take("log_level", PREFIX + "logLevel"),
    take("subscription_id", PREFIX + "subscriptionId", rpc_id),
    first("related_task", RELATED_TASK, "taskId"),
    take("progress_token", "progressToken", rpc_id),
    take("traceparent", "traceparent"),
    take("tracestate", "tracestate"),
)
ANSWERED_META: Final[tuple[Reader, ...]] = (
    identity("server", PREFIX + "serverInfo"),
    take("subscription_id", PREFIX + "subscriptionId", rpc_id),
    first("related_task", RELATED_TASK, "taskId"),
)
# Of an error's `data`: refused versions, capabilities that the client lacks, addresses that a person must visit.
ERROR_DATA: Final[tuple[Reader, ...]] = (
    take("requested_version", "requested"),
    take("supported_versions", "supported", texts),
    take("required_capabilities", "requiredCapabilities", keys),
    take("elicitations", "elicitations", each("elicitationId")),
)
# Of any result, whatever was asked.
RESULT: Final[tuple[Reader, ...]] = (
    take("result_type", "resultType"),
    _STATE,
    take("input_requests", "inputRequests", each("method")),
)
