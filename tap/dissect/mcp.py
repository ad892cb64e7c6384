"""What MCP's methods mean, as tables.

`facts` reads from a message what correlation and the envelope need, so that nothing after it has to know where a
method keeps things. A record carries its facts: a run can be correlated again from its records alone.
"""

from __future__ import annotations

import re
from typing import Any, Final

from mcptap.tap.dissect.jsonrpc import id_text
from mcptap.tap.records import Kind

LONG_LIVED: Final = frozenset({"subscriptions/listen", "tasks/result"})
PING: Final = "ping"
DISCOVER: Final = "server/discover"
INITIALIZE: Final = "initialize"
CANCELLED: Final = "notifications/cancelled"
LISTEN: Final = "subscriptions/listen"
UNSUPPORTED_VERSION: Final = -32022

# Where a request names its tool, prompt or resource.
TARGETS: Final[dict[str, tuple[str, ...]]] = {
    "tools/call": ("name",),
    "prompts/get": ("name",),
    "resources/read": ("uri",),
    "resources/subscribe": ("uri",),
    "resources/unsubscribe": ("uri",),
    "notifications/resources/updated": ("uri",),
    "completion/complete": ("ref", "name|uri"),
}

_PREFIX: Final = "io.modelcontextprotocol/"
_MAX_TEXT: Final = 2_000  # characters of one fact; bodies are whole
_MAX_KEYS: Final = 64  # of capabilities
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def facts(kind: Kind, body: Any) -> dict[str, Any] | None:
    """What correlation needs of a message, absent values left out. Never raises, whatever the shapes."""
    if not isinstance(body, dict):
        return None
    found: dict[str, Any] = {}
    if kind in ("request", "notification"):
        found = _asked(body.get("method"), _dict(body.get("params")))
    elif kind == "result":
        found = _answered(_dict(body.get("result")))
    elif kind == "error":
        found = _failed(_dict(body.get("error")))
    return {key: value for key, value in found.items() if value is not None} or None


def trace_id(traceparent: str | None) -> str | None:
    """The trace id of a valid W3C traceparent."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None


def _asked(method: Any, params: dict[str, Any]) -> dict[str, Any]:
    meta = _dict(params.get("_meta"))
    found = {
        "target": _target(method, params),
        "protocol_version": _text(meta.get(_PREFIX + "protocolVersion")),
        "traceparent": _text(meta.get("traceparent")),
        "request_state": _text(params.get("requestState")),
        **_identity("client", meta.get(_PREFIX + "clientInfo")),
    }
    if method == INITIALIZE:
        found["requested_version"] = _text(params.get("protocolVersion"))
        found["capabilities"] = _keys(params.get("capabilities"))
        found |= _identity("client", params.get("clientInfo"))
    if method == CANCELLED and "requestId" in params:
        found["request_id"] = _id(params["requestId"])
    return found


def _answered(result: dict[str, Any]) -> dict[str, Any]:
    meta = _dict(result.get("_meta"))
    task = isinstance(_dict(result.get("task")).get("taskId"), str)
    return {
        "is_error": True if result.get("isError") is True else None,
        "result_type": _text(result.get("resultType")) or ("task" if task else None),
        "request_state": _text(result.get("requestState")),
        "protocol_version": _text(result.get("protocolVersion")),
        "supported_versions": _texts(result.get("supportedVersions")),
        "capabilities": _keys(result.get("capabilities")),
        **_identity("server", meta.get(_PREFIX + "serverInfo") or result.get("serverInfo")),
    }


def _failed(error: dict[str, Any]) -> dict[str, Any]:
    code = error.get("code")
    data = _dict(error.get("data"))
    return {
        "error_code": code if isinstance(code, int) and abs(code) < 2**31 else None,
        "error_message": _text(error.get("message")),
        "requested_version": _text(data.get("requested")),
        "supported_versions": _texts(data.get("supported")),
    }


def _target(method: Any, params: dict[str, Any]) -> str | None:
    value: Any = params
    for step in TARGETS.get(method, ()) if isinstance(method, str) else ():
        value = next((_dict(value)[key] for key in step.split("|") if key in _dict(value)), None)
    return None if value is params else _text(value)


def _identity(who: str, info: Any) -> dict[str, Any]:
    if not isinstance(info, dict):
        return {}
    found = {f"{who}_name": _text(info.get("name")), f"{who}_version": _text(info.get("version"))}
    return {key: value for key, value in found.items() if value is not None}


def _id(value: Any) -> str | None:
    return id_text(value) if isinstance(value, (str, int, float)) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value[:_MAX_TEXT] if isinstance(value, str) else None


def _texts(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [item[:_MAX_TEXT] for item in value[:_MAX_KEYS] if isinstance(item, str)]


def _keys(value: Any) -> list[str] | None:
    return [key[:_MAX_TEXT] for key in list(value)[:_MAX_KEYS]] if isinstance(value, dict) else None
