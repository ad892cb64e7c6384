"""What an exchange's span says, by the conventions: name, attributes, whether it failed and as what.

The idea: plain values, decided in tables, so that spans and metrics cannot disagree and nothing of OpenTelemetry is
needed to know them. Everything that a server may have chosen is made fit here: no surrogates, no endless texts, no
integers that a backend cannot hold.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from mcptap.exporters.otlp import conventions as name
from mcptap.exporters.otlp.items import Open, Span
from mcptap.tap.records import Exchange, RunStarted

MAX_NAME: Final = 200  # characters of a name
MAX_TEXT: Final = 1000  # of any other text
# Words of a command line that start a server and are not its name.
_STARTERS: Final = frozenset(
    ("npx", "uvx", "node", "bun", "deno", "python", "python3", "docker", "uv", "run", "exec", "sh", "env")
)
_BIGGEST: Final = (1 << 63) - 1


class Failure(NamedTuple):
    """How an exchange failed: the class of error, and words about it."""

    error_type: str
    description: str | None = None


def fit(value: Any, length: int = MAX_TEXT) -> Any:
    """The value as every backend takes it; None for what none takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[:length]
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _BIGGEST else str(value)
    if isinstance(value, list | tuple):
        return [fit(str(item), length) for item in value]
    return None


def service_name(started: RunStarted, chosen: str | None) -> str:
    """What a server is called: its label, else what the user set, else what its command looks like."""
    if label := started.name or chosen:
        return str(fit(label, MAX_NAME))
    words = [PurePath(word).name or word for word in started.command if not word.startswith("-")]
    named = [word for word in words if word not in _STARTERS] or words
    return str(fit(named[0], MAX_NAME)) if named else "unknown_service"


def target_of(exchange: Exchange, content: dict[str, Any]) -> dict[str, str]:
    """The tool or prompt that a request is about, as attribute and value."""
    if exchange.method == name.TOOLS_CALL and exchange.target is not None:
        return {name.TOOL_NAME: fit(exchange.target, MAX_NAME), name.OPERATION: name.EXECUTE_TOOL}
    if exchange.method == name.PROMPTS_GET and exchange.target is not None:
        return {name.PROMPT_NAME: fit(exchange.target, MAX_NAME)}
    if exchange.method == name.TOOLS_CALL:
        return {name.OPERATION: name.EXECUTE_TOOL}
    prompt = content.get(name.PROMPT_NAME)
    return {name.PROMPT_NAME: fit(prompt, MAX_NAME)} if isinstance(prompt, str) else {}


def span_name(exchange: Exchange, content: dict[str, Any]) -> str:
    """`{method} {target}`: a tool or a prompt is a target, an address is not."""
    about = target_of(exchange, content)
    target = about.get(name.TOOL_NAME) or about.get(name.PROMPT_NAME)
    method = fit(exchange.method, MAX_NAME) or name.OTHER
    return f"{method} {target}" if target else method


def failure(exchange: Exchange, reason: str | None = None) -> Failure | None:
    """How the exchange failed, as its reporter has to see it; None if it did not.

    `reason`: the class of reason for which it was cancelled.
    """
    outcome = exchange.task_outcome or exchange.outcome
    if outcome == "rpc_error" or (outcome == "late" and exchange.error_code is not None):
        by_caller = exchange.side == "client" and exchange.error_code in name.CALLERS_FAULT
        code = name.OTHER if exchange.error_code is None else str(exchange.error_code)
        return None if by_caller else Failure(code, fit(exchange.error_message))
    if outcome == "no_response" and exchange.long_lived:
        return None  # it is meant to last as long as the run
    kind = name.FAILURES.get(outcome)
    return Failure(reason or kind if outcome == "cancelled" else kind) if kind else None


def common(exchange: Exchange, content: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    """What spans and metrics have in common."""
    found: dict[str, Any] = {name.METHOD: fit(exchange.method, MAX_NAME) or name.OTHER, name.TRANSPORT: name.PIPE}
    found |= target_of(exchange, content)
    if failed := failure(exchange, reason):
        found[name.ERROR_TYPE] = failed.error_type
    if exchange.error_code is not None:
        found[name.STATUS_CODE] = str(exchange.error_code)
    if name.JSONRPC_VERSION in content:
        found[name.JSONRPC_VERSION] = fit(content[name.JSONRPC_VERSION], MAX_NAME)
    if exchange.protocol_version and not exchange.protocol_version.startswith(name.REJECTED):
        found[name.PROTOCOL_VERSION] = fit(exchange.protocol_version, MAX_NAME)
    return found


def of_span(span: Span, value_length: int) -> dict[str, Any]:
    """All attributes of a span."""
    exchange, request = span.exchange, span.request
    found = common(exchange, request.content, request.reason)
    rpc_id = _id(exchange.rpc_id)
    found |= {name.JSONRPC_ID: rpc_id} if rpc_id is not None else {}
    if exchange.method in name.WITH_URI and exchange.target is not None:
        found[name.RESOURCE_URI] = exchange.target
    if request.session:
        found[name.SESSION_ID] = span.started.run_id
    found |= {name.OBSERVER: True, name.RUN_ID: span.started.run_id}
    found |= {attribute: getattr(exchange, key) for key, attribute in name.FIELDS.items()}
    found |= _marks(exchange, request)
    found |= {key: value for key, value in request.content.items() if key not in found}
    lengths = dict.fromkeys(request.content, value_length)
    fitted = {key: fit(value, lengths.get(key, MAX_TEXT)) for key, value in found.items()}
    return {key: value for key, value in fitted.items() if value is not None}


def _marks(exchange: Exchange, request: Open) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if exchange.probe:
        found[name.PROBE] = True
    if exchange.long_lived:
        found[name.LONG_LIVED] = True
    version = exchange.protocol_version or ""
    if version.startswith(name.REJECTED):
        found[name.REJECTED_VERSION] = version.removeprefix(name.REJECTED) or None
    total = exchange.task_ms if exchange.task_ms is not None else exchange.duration_ms
    waiting = exchange.task_waiting_ms if exchange.task_waiting_ms is not None else exchange.waiting_ms
    if total is not None:
        found[name.WAITING_MS] = float(waiting or 0)
        found[name.SERVER_MS] = max(0.0, total - (waiting or 0))
    if request.dropped:
        found[name.EVENTS_DROPPED] = request.dropped
    return found


def _id(rpc_id: str) -> str | None:
    """An id as the conventions want it, from its JSON text; none for null."""
    try:
        value = json.loads(rpc_id)
    except ValueError:
        return rpc_id
    return None if value is None else value if isinstance(value, str) else rpc_id
