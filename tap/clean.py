"""What of a message may be written down: its redacted body, or why there is none, and what is read from it.

The idea: one way for every message, and it fails closed. Whatever goes wrong, nothing of the body is kept; envelope
and facts of a body that is not kept are redacted by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mcptap.tap.dissect import jsonrpc, mcp
from mcptap.tap.dissect.jsonrpc import Message
from mcptap.tap.guard import guarded, report
from mcptap.tap.records import Kind, Redaction, Side
from mcptap.tap.redact import LineRedactor, Redactor, UnscannableError
from mcptap.tap.scopes import Kept, NotKeptError, Scopes

Asked = Callable[[Side, str | None], str | None]  # the method that an answer of this side, with this id, answers


class Clean(NamedTuple):
    """What of a message may be written down."""

    body: Any = None
    redactions: tuple[Redaction, ...] = ()
    unscanned: str | None = None
    method: str | None = None
    rpc_id: str | None = None
    facts: dict[str, Any] | None = None


class Cleaner:
    """Cleans the messages of one run, in order."""

    def __init__(self, redactor: Redactor, scopes: Scopes, asked: Asked) -> None:
        self._redactor, self._scopes, self._asked = redactor, scopes, asked

    def clean(self, side: Side, message: Message, lines: LineRedactor) -> Clean:
        """What may be written down; `lines` is for noise. Never raises."""
        try:
            if message.value is None:
                facts = {"elements": len(message.elements)} if message.elements else None
                return Clean(facts=facts, unscanned=message.unscanned)
            if message.kind == "noise":
                return Clean(*lines.line(message.value))
            return self._body(side, message, self._scopes.of(side, message.kind, message.value))
        except Exception as error:
            report(error, "a body")
            return Clean(unscanned="internal error")

    def _body(self, side: Side, message: Message, kept: Kept) -> Clean:
        if message.unscanned:
            return self._envelope(side, message, message.unscanned)
        try:
            body, redactions = kept.value(message.value)
        except NotKeptError as why:
            return self._envelope(side, message, str(why), without=("error_message", "task_error_message"))
        except UnscannableError as why:
            return self._envelope(side, message, str(why))
        method, rpc_id = _named(body)
        return Clean(body, redactions, None, method, rpc_id, self._facts(side, message.kind, body, rpc_id))

    def _envelope(self, side: Side, message: Message, unscanned: str, without: tuple[str, ...] = ()) -> Clean:
        value = message.value
        envelope, redactions = self._redactor.value({key: value[key] for key in ("method", "id") if key in value})
        method, rpc_id = _named(envelope)
        told = self._facts(side, message.kind, value, rpc_id) or {}
        for key in ("arguments_hash", *without):  # the hash is of what has not been redacted
            told.pop(key, None)
        facts, more = self._redactor.value(told or None)
        return Clean(None, (*redactions, *more), unscanned, method, rpc_id, facts)

    def _facts(self, side: Side, kind: Kind, body: Any, rpc_id: str | None) -> dict[str, Any] | None:
        def read() -> dict[str, Any] | None:
            return mcp.facts(kind, body, self._asked(side, rpc_id) if kind == "result" else None)

        return guarded(read, None, "what a message says")


def _named(body: dict[str, Any]) -> tuple[str | None, str | None]:
    """Method and id of a redacted message."""
    method = body.get("method")
    return (
        method[: jsonrpc.MAX_METHOD] if isinstance(method, str) else None,
        jsonrpc.id_text(body["id"]) if "id" in body else None,
    )
