"""Running totals of what the metrics count, small enough to be written down with every mark.

The idea: metrics are cumulative, and what has been counted stands beside how far the journal has been counted, in one
transaction. So a restart neither counts twice nor forgets, and a point that is sent again says the same. What a server
or a model can invent (names of tools, methods, codes) is bounded as OpenTelemetry bounds it: beyond `MAX_SERIES` of one
metric, everything new goes to one series that is marked as overflow.

A series is *fresh* until it was sent once: a backend that computes increases has to be told that it stood at zero
before, or it would take what was counted first for what has always been. Of each bucket the latest operation is kept as
its *exemplar* until it was sent.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from mcptap.exporters.otlp import attributes
from mcptap.exporters.otlp import conventions as name
from mcptap.exporters.otlp.items import Alarm, Context, End, Item, Loss, Passed, Span
from mcptap.tap.dissect.methods import METHODS

MAX_SERIES: Final = 1000  # of one metric
_VERSION: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLEAN_SIGNALS: Final = (None, 1, 2, 13, 15)  # what a host ends a server with
_CLEAN_CODES: Final = (None, 0, 129, 130, 141, 143)

Labels = tuple[tuple[str, Any], ...]


class Instrument(NamedTuple):
    """One metric: its unit, what it tells, and the bounds of its buckets; without them it counts."""

    unit: str
    description: str
    bounds: tuple[float, ...] = ()


SERVER_OPERATION: Final = "mcp.server.operation.duration"
CLIENT_OPERATION: Final = "mcp.client.operation.duration"
SESSION: Final = "mcp.server.session.duration"
WAITING: Final = "mcptap.operation.waiting"
FINDINGS: Final = "mcptap.findings"
RUNS: Final = "mcptap.runs"
TRAFFIC: Final = "mcptap.traffic"
UNRECORDED: Final = "mcptap.unrecorded"
REDACTIONS: Final = "mcptap.redactions"
TOKENS: Final = "mcptap.definitions.tokens"
INSTRUMENTS: Final = {
    SERVER_OPERATION: Instrument(
        "s", "Duration of requests that the client sent, from request to answer", name.DURATIONS
    ),
    CLIENT_OPERATION: Instrument(
        "s", "Duration of requests that the server sent, from request to answer", name.DURATIONS
    ),
    SESSION: Instrument("s", "Duration of sessions, from the handshake to the server's end", name.DURATIONS),
    WAITING: Instrument("s", "Time of an operation for which a person or a model was waited for", name.DURATIONS),
    FINDINGS: Instrument("{finding}", "Findings, by detector and severity"),
    RUNS: Instrument("{run}", "Servers that ended, by how they did"),
    TRAFFIC: Instrument("By", "Traffic that was recorded, by who sent it"),
    UNRECORDED: Instrument("By", "Traffic that passed unrecorded"),
    REDACTIONS: Instrument("{value}", "Values that were taken out, by the rule that did"),
    TOKENS: Instrument("{token}", "Definitions that were listed, as a model is shown them; estimated"),
}


class Example(NamedTuple):
    """An operation that stands for those of a bucket: seconds, when it ended, and its span."""

    value: float
    at: int
    context: Context


@dataclass(slots=True)
class Point:
    """One series so far. Without bounds only `total` is used."""

    count: int = 0
    total: float = 0.0
    buckets: list[int] = field(default_factory=list)
    low: float = 0.0
    high: float = 0.0
    fresh: bool = False  # has not been sent yet
    examples: dict[int, Example] = field(default_factory=dict)  # by bucket; not written down

    def add(self, value: float, bounds: tuple[float, ...], example: Example | None = None) -> None:
        """Counts one value."""
        self.low = min(self.low, value) if self.count else value
        self.high = max(self.high, value) if self.count else value
        self.count += 1
        self.total += value
        if bounds:
            self.buckets = self.buckets or [0] * (len(bounds) + 1)
            bucket = bisect_left(bounds, value)
            self.buckets[bucket] += 1
            if example:
                self.examples[bucket] = example


Series = dict[tuple[str, str, Labels], Point]


class Totals:
    """All series of one destination, by metric, service and attributes."""

    def __init__(self, start: int, series: Series | None = None, sent_at: int = 0) -> None:
        self.start, self.sent_at = start, sent_at  # ns since the epoch
        self.series: Series = series or {}
        self._sizes: dict[str, int] = {}
        for metric, _, _ in self.series:
            self._sizes[metric] = self._sizes.get(metric, 0) + 1

    @classmethod
    def from_bytes(cls, state: bytes) -> Totals:
        """As `to_bytes` wrote it."""
        told = orjson.loads(state)
        series = {
            (metric, service, tuple((key, value) for key, value in labels)): Point(*point)
            for metric, service, labels, point in told["series"]
        }
        return cls(told["start"], series, told.get("sent_at", 0))

    def to_bytes(self) -> bytes:
        """Everything, to be written down."""
        rows = [(metric, service, labels, _written(point)) for (metric, service, labels), point in self.series.items()]
        return orjson.dumps({"start": self.start, "sent_at": self.sent_at, "series": rows})

    def parts(self, most: int) -> Iterator[Totals]:
        """The same series, at most so many at once. What is noted of a part is noted here."""
        keys = list(self.series)
        for at in range(0, len(keys), most):
            yield Totals(self.start, {key: self.series[key] for key in keys[at : at + most]}, self.sent_at)

    def drop(self, part: Totals) -> None:
        """Forgets what was sent for good."""
        for metric, service, labels in part.series:
            del self.series[metric, service, labels]
            self._sizes[metric] -= 1

    def sent(self, at: int) -> None:
        """All has been taken by the backend."""
        self.sent_at = at
        for point in self.series.values():
            point.fresh = False
            point.examples.clear()

    def count(self, item: Item, service: str) -> None:
        """Takes one item into account."""
        match item:
            case Span():
                self._span(item, service)
            case Alarm(finding=finding):
                labels = {"mcptap.finding.detector": finding.detector, "mcptap.finding.severity": finding.severity}
                self._add(FINDINGS, service, labels, 1)
            case Loss(gap=gap):
                self._add(UNRECORDED, service, {name.STREAM: gap.stream}, gap.bytes)
            case Passed():
                self._passed(item, service)
            case End():
                self._end(item, service)

    def _span(self, span: Span, service: str) -> None:
        exchange = span.exchange
        if exchange.long_lived:
            return
        labels = attributes.common(exchange, span.request.content, span.request.reason)
        if exchange.method not in METHODS:
            labels[name.METHOD] = name.OTHER
        if not _VERSION.fullmatch(labels.get(name.PROTOCOL_VERSION, "")):
            labels.pop(name.PROTOCOL_VERSION, None)
        metric = SERVER_OPERATION if exchange.side == "client" else CLIENT_OPERATION
        seconds = (span.end - exchange.started_at) / 1e9
        example = Example(seconds, span.end, Context(exchange.trace_id, exchange.span_id))
        self._add(metric, service, labels, seconds, example)
        waiting = exchange.task_waiting_ms if exchange.task_waiting_ms is not None else exchange.waiting_ms
        if waiting:
            kept: dict[str, Any] = {key: labels[key] for key in (name.METHOD, name.TOOL_NAME) if key in labels}
            self._add(WAITING, service, kept, waiting / 1e3)

    def _passed(self, passed: Passed, service: str) -> None:
        if passed.bytes:
            self._add(TRAFFIC, service, {name.STREAM: passed.stream}, passed.bytes)
        for rule in passed.rules:
            self._add(REDACTIONS, service, {name.RULE: rule}, 1)
        if passed.tokens:
            self._add(TOKENS, service, {}, passed.tokens)

    def _end(self, end: End, service: str) -> None:
        ended = end.ended
        crashed = ended.exit_signal not in _CLEAN_SIGNALS or ended.exit_code not in _CLEAN_CODES
        how = "lost" if ended.state == "lost" else "crashed" if crashed else "ended"
        self._add(RUNS, service, {"mcptap.run.end": how}, 1)
        if end.session_at is None:
            return
        labels = {name.TRANSPORT: name.PIPE}
        if _VERSION.fullmatch(end.protocol_version or ""):
            labels[name.PROTOCOL_VERSION] = end.protocol_version or ""
        if how != "ended":
            labels[name.ERROR_TYPE] = "server_crashed" if how == "crashed" else "connection_lost"
        self._add(SESSION, service, labels, max(0, ended.at - end.session_at) / 1e9)

    def _add(
        self, metric: str, service: str, labels: dict[str, Any], value: float, example: Example | None = None
    ) -> None:
        key = (metric, service, tuple(sorted(labels.items())))
        if key not in self.series and self._sizes.get(metric, 0) >= MAX_SERIES:
            key = (metric, service, ((name.OVERFLOW, True),))
        if key not in self.series:
            self.series[key] = Point(fresh=True)
            self._sizes[metric] = self._sizes.get(metric, 0) + 1
        self.series[key].add(value, INSTRUMENTS[metric].bounds, example)


def _written(point: Point) -> tuple[Any, ...]:
    return (point.count, point.total, point.buckets, point.low, point.high, point.fresh)
