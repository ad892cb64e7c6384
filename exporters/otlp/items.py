"""What there is to send: a settled exchange, a finding, a gap, a run's end, what counts; each with its run.

The idea: values between those who read the journal and those who know OpenTelemetry; neither has to know the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mcptap.tap.dissect.mcp import Caller, caller
from mcptap.tap.records import Exchange, Finding, Gap, RunEnded, RunStarted, Stream


class Context(NamedTuple):
    """A span's identity, in hex digits."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while a request was open."""

    name: str
    at: int
    attributes: dict[str, Any]


@dataclass(slots=True)
class Open:
    """A request, and all that came of it so far."""

    offset: int  # of its line in the journal
    facts: dict[str, Any]
    content: dict[str, Any]  # attributes that its bodies give
    events: list[Event] = field(default_factory=list)
    dropped: int = 0  # events beyond the first MAX_EVENTS
    deferred: list[Finding] = field(default_factory=list)  # to be told when the trace is known
    exchange: Exchange | None = None
    told_at: int = 0
    due: int = 0  # when it is settled
    link: Context | None = None  # the round before
    session: bool = False
    reason: str | None = None  # why it was cancelled

    @property
    def parent(self) -> Caller | None:
        """The span that it was sent from."""
        return caller(self.facts.get("traceparent"))


@dataclass(frozen=True, slots=True)
class Span:
    """An exchange that is settled."""

    started: RunStarted
    exchange: Exchange
    request: Open
    end: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """A finding, and the span that it is about if that is known."""

    started: RunStarted
    finding: Finding
    context: Context | None


@dataclass(frozen=True, slots=True)
class Loss:
    """Traffic that passed unrecorded."""

    started: RunStarted
    gap: Gap


@dataclass(frozen=True, slots=True)
class Passed:
    """A message, a line of stderr or a command line, for what counts of it."""

    started: RunStarted
    stream: Stream | None
    bytes: int
    rules: tuple[str, ...]  # that took something out, once for each time
    tokens: int = 0  # of the definitions that it lists, estimated


@dataclass(frozen=True, slots=True)
class End:
    """A run's end. `session_at`: since when its client and server had agreed to talk; None if they never did."""

    started: RunStarted
    ended: RunEnded
    session_at: int | None
    protocol_version: str | None


Item = Span | Alarm | Loss | Passed | End


class Mark(NamedTuple):
    """How far a run has been sent."""

    resume: int = 0  # what stands before this offset is needed no more
    upto: int = 0  # what was told before this offset has been sent, unless it is held
    state: bytes = b"{}"
