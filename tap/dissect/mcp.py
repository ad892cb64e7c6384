"""What a message says, as far as joining and the envelope need it: its facts.

The idea: the tables in `methods` know where each method keeps things, so that nothing after this has to. A record
carries its facts: a run can be correlated again from its records alone.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from mcptap.tap.dissect.methods import ANSWERED_META, ASKED_META, ERROR_DATA, METHODS, RESULT
from mcptap.tap.dissect.values import Facts, is_code, members, read_all, task, text
from mcptap.tap.records import Kind

# Any flags. Versions to come may say more behind them; ff is none.
_TRACEPARENT = re.compile(
    r"(?:00|(?!00|ff)(?P<later>[0-9a-f]{2}))-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})(?P<span>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?(later)(?:-.*)?)",
    re.DOTALL,
)


class Caller(NamedTuple):
    """The span that a request was sent from, as its `traceparent` names it."""

    trace_id: str  # 32 hex digits
    span_id: str  # 16 hex digits
    flags: int


def facts(kind: Kind, body: Any, asked: str | None = None) -> Facts | None:
    """The facts of a message, None if it has none. Never raises, whatever the shapes.

    `asked` is the method of the request that the message answers, if it is known.
    """
    found: Facts = {}
    if isinstance(body, dict):
        if kind in ("request", "notification"):
            _asked(body.get("method"), body.get("params"), found)
        elif kind == "result":
            _answered(body.get("result"), asked, found)
        elif kind == "error":
            _failed(body.get("error"), found)
    return found or None


def caller(traceparent: str | None) -> Caller | None:
    """What a valid W3C traceparent names."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return Caller(match["trace"], match["span"], int(match["flags"], 16)) if match else None


def trace_id(traceparent: str | None) -> str | None:
    """The trace id of a valid W3C traceparent."""
    found = caller(traceparent)
    return found.trace_id if found else None


def _asked(method: Any, params: Any, found: Facts) -> None:
    if not isinstance(params, dict):
        return
    meta = params.get("_meta")
    if meta and isinstance(meta, dict):
        read_all(ASKED_META, meta, found)
    row = METHODS.get(method) if isinstance(method, str) else None
    if row is None:
        return
    read_all(row.params, params, found)
    if row.rounds and "protocol_version" in found and (arguments := _hash(params.get("arguments"))) is not None:
        found["arguments_hash"] = arguments


def _answered(result: Any, asked: str | None, found: Facts) -> None:
    if not isinstance(result, dict):
        return
    if result.get("isError") is True:
        found["is_error"] = True
    read_all(RESULT, result, found)
    if "task" in result and isinstance(members(result["task"]).get("taskId"), str):
        found.setdefault("result_type", "task")
        task(result["task"], found)
    elif found.get("result_type") == "task":
        task(result, found)
    row = METHODS.get(asked) if asked else None
    if row and row.result:
        read_all(row.result, result, found)
    meta = result.get("_meta")
    if meta and isinstance(meta, dict):
        read_all(ANSWERED_META, meta, found)


def _failed(error: Any, found: Facts) -> None:
    error = members(error)
    code, message = error.get("code"), text(error.get("message"))
    if is_code(code):
        found["error_code"] = code
    if message is not None:
        found["error_message"] = message
    data = error.get("data")
    if isinstance(data, dict):
        read_all(ERROR_DATA, data, found)


def _hash(arguments: Any) -> str | None:
    """What tells calls of one tool apart; None for none. The same arguments in another order are the same."""
    if not arguments:
        return None
    try:
        return sha256(orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    except TypeError:  # nested deeper than orjson writes
        return None
