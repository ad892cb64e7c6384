"""What of a message's body becomes an attribute: little by itself, arguments and results only when asked for.

The idea: bodies are read while their line is at hand, and what is kept of them is short. Everything has been redacted
before it was written; even so it leaves the machine only by the user's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from mcptap.exporters.otlp import conventions as name
from mcptap.tap.dissect.methods import CANCELLED
from mcptap.tap.dissect.values import members
from mcptap.tap.records import Exchange, Finding, MessageRecord

MAX_VARIABLES: Final = 32  # arguments of one prompt
_TIMED_OUT: Final = ("timeout", "timed out", "time out", "-32001")


@dataclass(frozen=True, slots=True)
class Content:
    """How much is told: `wanted` with arguments and results, each value up to `length` characters."""

    wanted: bool
    length: int

    def of_request(self, message: MessageRecord) -> dict[str, Any]:
        """Attributes from a request's body."""
        body = members(message.body)
        params = members(body.get("params"))
        found: dict[str, Any] = {}
        version = body.get("jsonrpc")
        if body and version != "2.0":
            found[name.JSONRPC_VERSION] = version if isinstance(version, str) else "none"
        if message.method == name.PROMPTS_GET and self.wanted:
            for key, value in list(members(params.get("arguments")).items())[:MAX_VARIABLES]:
                self._put(found, name.PROMPT_VARIABLE + key[:100], value)
        if message.method == name.TOOLS_CALL and self.wanted and "arguments" in params:
            self._put(found, name.TOOL_ARGUMENTS, params["arguments"])
        if message.method == name.COMPLETE and members(params.get("ref")).get("type") == "ref/prompt":
            found[name.PROMPT_NAME] = members(params["ref"]).get("name")
        return found

    def of_reply(self, exchange: Exchange, reply: MessageRecord) -> dict[str, Any]:
        """Attributes from an answer's body; only a tool's success has a result."""
        found: dict[str, Any] = {}
        result = members(reply.body).get("result")
        if self.wanted and exchange.method == name.TOOLS_CALL and exchange.outcome == "ok" and result is not None:
            self._put(found, name.TOOL_RESULT, result)
        return found

    def of_event(self, message: MessageRecord) -> dict[str, Any]:
        """Attributes of a notification that belongs to a request: numbers and names, texts only when asked for."""
        params = members(members(message.body).get("params"))
        found: dict[str, Any] = {}
        for key, attribute in name.EVENT_NUMBERS.items():
            if isinstance(params.get(key), int | float) and not isinstance(params[key], bool):
                found[attribute] = float(params[key])
        for key, attribute in name.EVENT_NAMES.items():
            if isinstance(params.get(key), str):
                found[attribute] = params[key]
        for key, attribute in name.EVENT_TEXTS.items() if self.wanted else ():
            if key in params:
                self._put(found, attribute, params[key])
        return found

    def of_finding(self, finding: Finding) -> dict[str, Any]:
        """Attributes of a finding, without its evidence."""
        return {attribute: getattr(finding, key) for key, attribute in name.FINDING.items()}

    def reason(self, message: MessageRecord) -> str | None:
        """The class of reason for which a request was cancelled."""
        if message.method != CANCELLED:
            return None
        told = members(members(message.body).get("params")).get("reason")
        late = isinstance(told, str) and any(sign in told.lower() for sign in _TIMED_OUT)
        return "timeout" if late else "cancelled"

    def _put(self, found: dict[str, Any], attribute: str, value: Any) -> None:
        """The value as text, cut and so marked."""
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        found[attribute] = text[: self.length]
        if len(text) > self.length:
            found.setdefault(name.TRUNCATED, []).append(attribute)
