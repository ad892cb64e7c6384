"""What is kept of each message of one run: the mode and the exemptions of its server and tool.

The idea: what may be about several tools is kept as the strictest of them has it, and what leads to no call that is
known as the strictest of all.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from mcptap.tap.dissect.about import CALL, About, Tools, called, links
from mcptap.tap.records import Kind, MessageRecord, Redaction, RunStarted, Side
from mcptap.tap.redact.lines import LineRedactor
from mcptap.tap.redact.redactor import Redactor
from mcptap.tap.redact.settings import Mode, Settings
from mcptap.tap.redact.survey import UnscannableError

MAX_REMEMBERED: Final = 10_000  # tools
STRICTNESS: Final[tuple[Mode, ...]] = ("full", "redact", "hash", "metadata")


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
        self._about = About()

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
        if kind == "request" and (tool := called(value)):
            return self._of(tool)
        try:
            named, _ = self._redactor.value(links(kind, value))
        except UnscannableError:
            return self._strictest(None)
        return self._strictest(self._about.tools(side, kind, named))

    def learn(self, record: MessageRecord) -> None:
        """Takes up a message that is written."""
        if self._single:
            return
        self._about.learn(record)
        tool, mode = (record.facts or {}).get("target"), _mode_of(record)
        if tool and mode and len(self._kept) < MAX_REMEMBERED:  # its name is known without secrets, and cut
            kept = self._of(tool)
            self._kept[tool] = Kept(max(kept.mode, mode, key=STRICTNESS.index), kept.redactor)

    def _strictest(self, tools: Tools | None) -> Kept:
        if tools is not None and len(tools) == 1:
            return self._of(*tools)
        modes = self._settings.modes(self._servers) if tools is None else {self._of(tool).mode for tool in tools}
        return Kept(max(modes, key=STRICTNESS.index), self.rest.redactor)  # whose exemptions are those of every tool

    def _of(self, tool: str | None) -> Kept:
        kept = self._kept.get(tool)
        if kept is None:
            exempt = self._settings.exempt(self._servers, tool)
            redactor = self._redactor.exempting(exempt) if exempt else self._redactor
            kept = Kept(self._settings.mode_of(self._servers, tool), redactor)
            if len(self._kept) < MAX_REMEMBERED:
                self._kept[tool] = kept
        return kept


def _mode_of(record: MessageRecord) -> Mode | None:
    """The mode in which the body of a call was not kept."""
    told = (mode for mode in STRICTNESS if record.unscanned == f"mode {mode}")
    return next(told, None) if record.kind == "request" and record.method == CALL else None
