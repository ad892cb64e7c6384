"""What is kept of each message of one run: the mode and the exemptions of its server and tool.

An answer does not name its tool, so the tool of each request is remembered until it is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from mcptap.tap.records import Kind, MessageRecord, Redaction, RunStarted, Side
from mcptap.tap.redact.lines import LineRedactor
from mcptap.tap.redact.redactor import Redactor
from mcptap.tap.redact.settings import Mode, Settings
from mcptap.tap.redact.walk import UnscannableError

MAX_REMEMBERED: Final = 10_000  # requests without an answer
CALL: Final = "tools/call"


class NotKeptError(UnscannableError):
    """A body that is not kept because its user does not want it."""


class Kept(NamedTuple):
    """How a message is kept, and what takes its secrets out."""

    mode: Mode
    redactor: Redactor

    def value(self, value: Any) -> tuple[Any, tuple[Redaction, ...]]:
        """What is written down of a body. Raises UnscannableError if that is nothing."""
        if self.mode == "redact":
            return self.redactor.value(value)
        if self.mode == "full":
            self.redactor.measure(value)
            return value, ()
        raise NotKeptError(f"mode {self.mode}")


def is_hashed(unscanned: str | None) -> bool:
    """Whether a hash stands for a body that was not kept, for this reason."""
    return unscanned is not None and unscanned != "mode metadata"


class Scopes:
    """The scopes of one run."""

    def __init__(self, settings: Settings, redactor: Redactor, started: RunStarted) -> None:
        self._settings, self._redactor = settings, redactor
        words = (word for word in started.command[:16] for word in (word, word.rsplit("/", 1)[-1]))
        self._servers = (started.name,) if started.name else tuple(words)
        self._single = not settings.scopes and not settings.allow
        self._kept: dict[str | None, Kept] = {}
        self._tools: dict[tuple[Side, str], str] = {}

    @property
    def rest(self) -> Kept:
        """How all that belongs to no tool is kept: other messages, noise, stderr."""
        return self._of(None)

    def lines(self) -> LineRedactor:
        """For one stream of lines: noise, or stderr."""
        return LineRedactor(self.rest.redactor, self.rest.mode)

    def of(self, side: Side, kind: Kind, value: Any) -> Kept:
        """How a message is kept."""
        if self._single or not isinstance(value, dict):
            return self.rest
        if kind == "request":
            return self._asked(side, value.get("method"), value.get("id"), _called(value))
        if kind in ("result", "error"):
            return self._of(self._tools.pop((_other(side), _id(value.get("id"))), None))
        return self.rest

    def replay(self, record: MessageRecord) -> None:
        """Takes up the state after a message that was written."""
        if self._single or record.rpc_id is None:
            return
        if record.kind == "request":
            self._remember(record.side, record.rpc_id, (record.facts or {}).get("target"), record.method)
        elif record.kind in ("result", "error"):
            self._tools.pop((_other(record.side), record.rpc_id), None)

    def _asked(self, side: Side, method: Any, rpc_id: Any, tool: Any) -> Kept:
        self._remember(side, _id(rpc_id), tool, method)
        return self._of(tool if method == CALL and isinstance(tool, str) else None)

    def _remember(self, side: Side, rpc_id: str, tool: Any, method: Any) -> None:
        if method == CALL and isinstance(tool, str):
            self._tools[side, rpc_id] = tool
            if len(self._tools) > MAX_REMEMBERED:
                del self._tools[next(iter(self._tools))]

    def _of(self, tool: str | None) -> Kept:
        kept = self._kept.get(tool)
        if kept is None:
            exempt = self._settings.exempt(self._servers, tool)
            redactor = self._redactor.exempting(exempt) if exempt else self._redactor
            kept = Kept(self._settings.mode_of(self._servers, tool), redactor)
            if len(self._kept) < MAX_REMEMBERED:
                self._kept[tool] = kept
        return kept


def _called(value: Mapping[str, Any]) -> Any:
    params = value.get("params")
    return params.get("name") if isinstance(params, dict) else None


def _id(rpc_id: Any) -> str:
    try:
        return orjson.dumps(rpc_id).decode()
    except TypeError:
        return ""


def _other(side: Side) -> Side:
    return "client" if side == "server" else "server"
