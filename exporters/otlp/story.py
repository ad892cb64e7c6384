"""What one run's journal tells, line by line, as things to send: spans, findings, gaps, the run's end.

The idea: an exchange may be told again (answered after it was cancelled, when its task ends), and what was found in it
comes after it. So it is *held* until it is settled, and sent once:

- for `SETTLE_S` after it was told, so that findings become events of its span;
- for `BETTER_S` when what was told may still be bettered: a cancelled call that may be answered, a task that has ended
  by its status and whose result may say more;
- a call that created a task, until the task ends: its span then lasts as long as the task;
- nothing longer than the run. A word that comes after that is not sent: a backend would show the span twice.

Time passes by the lines' own times, or, where there are no more lines, by the clock. A `Mark` says how far a run has
been sent; reading again from `mark.resume` restores everything, because what is held is named in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

import orjson

from mcptap.exporters.otlp.content import Content
from mcptap.exporters.otlp.items import Alarm, Context, End, Event, Item, Loss, Mark, Open, Passed, Span
from mcptap.tap.dissect.definitions import METHODS as LISTINGS
from mcptap.tap.dissect.definitions import page
from mcptap.tap.dissect.exchange import own_ids
from mcptap.tap.dissect.methods import INITIALIZE, LOG, PROGRESS, STATE
from mcptap.tap.dissect.pending import MAX_IN_FLIGHT, remember
from mcptap.tap.record_json import record_from_json
from mcptap.tap.records import Exchange, Finding, Gap, MessageRecord, Record, RunEnded, RunStarted, StderrLine

SETTLE_S: Final = 1.0
BETTER_S: Final = 10.0
MAX_EVENTS: Final = 64  # of one span; those that come later are counted
MAX_CALLS: Final = 256  # that were asked back and not repeated yet, of one run
MAX_KNOWN: Final = 4096  # messages whose span is known, for findings that come late
_SECOND: Final = 1_000_000_000
_AGES: Final = 1 << 62


class Story:
    """One run, read from its mark on. Everything that it holds is bounded."""

    def __init__(self, started: RunStarted, mark: Mark, content: Content) -> None:
        self.started, self._content = started, content
        self.done = False
        self._sent, self._upto = mark.upto, mark.resume
        self._now = self._last = 0  # ns since the epoch: the latest that was seen, and the last line's
        self._idle_since: int | None = None
        self._open: dict[int, Open] = {}
        self._due: list[tuple[int, int]] = []  # heap of when each that was told is settled
        state = orjson.loads(mark.state)
        self._held = {int(seq): Context(*link) if link else None for seq, link in state.get("held", {}).items()}
        self._calls = {call: Context(*link) for call, link in state.get("calls", {}).items()}
        self._session_at: int | None = state.get("session_at")
        self._protocol: str | None = state.get("protocol")
        self._belongs: dict[int, int] = {}  # message to request
        self._known: dict[int, Context] = {}  # request to span

    def mark(self) -> Mark:
        """Where the story stands, when all that it gave has been sent."""
        first = next(iter(self._open.values()), None)
        held = {str(seq): [*(request.link or ())] for seq, request in self._open.items() if request.exchange}
        calls = {call: [*context] for call, context in self._calls.items()}
        state = {"held": held, "calls": calls, "session_at": self._session_at, "protocol": self._protocol}
        upto = max(self._upto, self._sent)
        return Mark(upto if first is None else first.offset, upto, orjson.dumps(state))

    @property
    def pending(self) -> bool:
        """Whether something is held that time alone settles."""
        return bool(self._due) and self._due[0][0] < _AGES

    def feed(self, line: bytes, start: int, end: int) -> list[Item]:
        """What the line that stands there gives to send. A line that is none gives nothing."""
        self._upto, self._idle_since = end, None
        try:
            record = record_from_json(orjson.loads(line))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return []
        items = list(self._take(record, start))
        if end <= self._sent:
            return []
        return [*items, *self._release(done=self.done)]

    def pass_time(self, now: int) -> list[Item]:
        """What is settled at this time, when there are no more lines."""
        self._idle_since = now if self._idle_since is None else self._idle_since
        self._now = max(self._now, now, self._last + now - self._idle_since)  # the lines' clock may be another
        return list(self._release(done=self.done)) if self._upto >= self._sent else []

    def _take(self, record: Record, start: int) -> Iterator[Item]:
        at = self._last = record.at
        self._now = max(self._now, at)
        match record:
            case MessageRecord():
                self._message(record, start)
                yield from self._tell(record.exchanges, at, record)
                yield Passed(self.started, record.side, record.size_bytes, _rules(record), _tokens(record))
            case StderrLine():
                yield Passed(self.started, "stderr", record.size_bytes, _rules(record))
            case RunStarted() if record.redactions:
                yield Passed(self.started, None, 0, _rules(record))
            case Finding():
                yield from self._found(record)
            case Gap():
                yield Loss(self.started, record)
            case RunEnded():
                self.done = True
                yield from self._tell(record.exchanges, at, None)
                yield End(self.started, record, self._session_at, self._protocol)

    def _message(self, message: MessageRecord, start: int) -> None:
        if message.kind == "request":
            remember(self._open, message.seq, self._opened(message, start), MAX_IN_FLIGHT * 2)
        if message.exchange_seq is None:
            return
        remember(self._belongs, message.seq, message.exchange_seq, MAX_KNOWN)
        request = self._open.get(message.exchange_seq)
        if request is None or message.kind != "notification":
            return
        if message.method in (PROGRESS, LOG):
            self._happened(request, Event(message.method, message.at, self._content.of_event(message)))
        elif reason := self._content.reason(message):
            request.reason = reason

    def _opened(self, message: MessageRecord, start: int) -> Open:
        return Open(start, message.facts or {}, self._content.of_request(message))

    def _happened(self, request: Open, event: Event) -> None:
        if len(request.events) < MAX_EVENTS:
            request.events.append(event)
        else:
            request.dropped += 1

    def _tell(self, exchanges: tuple[Exchange, ...], at: int, reply: MessageRecord | None) -> Iterator[Item]:
        for exchange in exchanges:
            self._note_session(exchange)
            request = self._open.get(exchange.seq)
            context = Context(exchange.trace_id, exchange.span_id)
            remember(self._known, exchange.seq, context, MAX_KNOWN)
            link = self._linked(exchange, context)
            if request is None:
                continue  # it has been sent
            if self._upto <= self._sent and exchange.seq not in self._held:
                del self._open[exchange.seq]
                continue
            request.link = self._held.get(exchange.seq) or request.link or link
            request.session = self._session_at is not None and exchange.era == "legacy"
            request.exchange, request.told_at, request.due = exchange, at, at + _patience(exchange)
            heappush(self._due, (request.due, exchange.seq))
            if reply is not None and reply.seq == exchange.reply_seq:
                request.content |= self._content.of_reply(exchange, reply)
            yield from (Alarm(self.started, finding, context) for finding in request.deferred)
            request.deferred = []

    def _note_session(self, exchange: Exchange) -> None:
        if exchange.side != "client":
            return
        settled = exchange.outcome == "ok" and exchange.method == INITIALIZE
        modern = exchange.era == "modern" and exchange.outcome != "rpc_error"
        if self._session_at is None and (settled or modern):
            self._session_at = exchange.started_at
        if (settled or modern) and exchange.protocol_version:
            self._protocol = exchange.protocol_version

    def _linked(self, exchange: Exchange, context: Context) -> Context | None:
        """The span of the round before this one."""
        before = self._calls.pop(exchange.logical_id, None) if (exchange.round or 0) > 1 else None
        if exchange.outcome == "input_required":
            remember(self._calls, exchange.logical_id, context, MAX_CALLS)
        return before

    def _found(self, finding: Finding) -> Iterator[Item]:
        seq = self._belongs.get(finding.seq or 0, finding.seq or 0)
        request, context = self._open.get(seq), self._known.get(seq)
        if request is not None:
            self._happened(request, Event("mcptap.finding", finding.at, self._content.of_finding(finding)))
            context = context or _context_of(self.started.run_id, seq, request)
            if context is None:
                request.deferred.append(finding)
                return
        yield Alarm(self.started, finding, context)

    def _release(self, *, done: bool) -> Iterator[Item]:
        if done:
            due = sorted((request.told_at, seq) for seq, request in self._open.items() if request.exchange)
            yield from (self._send(seq) for _, seq in due)
        while self._due and self._due[0][0] <= self._now:
            at, seq = heappop(self._due)
            request = self._open.get(seq)
            if request and request.due == at:
                yield self._send(seq)

    def _send(self, seq: int) -> Span:
        request = self._open.pop(seq)
        assert request.exchange
        return Span(self.started, request.exchange, request, _end(request.exchange, request.told_at))


def _rules(record: MessageRecord | StderrLine | RunStarted) -> tuple[str, ...]:
    return tuple(redaction.rule for redaction in record.redactions)


def _tokens(message: MessageRecord) -> int:
    """Of the definitions that an answer lists."""
    listings = (one for one in message.exchanges if one.method in LISTINGS and one.reply_seq == message.seq)
    pages = (page(one.method, None, message.body) for one in listings)
    return sum(found.tokens_estimate for one in pages if one for found in one.definitions)


def _context_of(run_id: str, seq: int, request: Open) -> Context | None:
    """What the span of a request will be, where that is known before it is answered."""
    trace_id, span_id = own_ids(run_id, seq)
    if request.parent:
        return Context(request.parent.trace_id, span_id)
    goes_on = request.facts.keys() & {STATE, "input_responses", "related_task", "task_id"}
    return None if goes_on else Context(trace_id, span_id)


def _patience(exchange: Exchange) -> int:
    """Nanoseconds for which an exchange is held after it was told."""
    if exchange.outcome == "task_created" and exchange.task_outcome is None:
        return _AGES
    better = exchange.outcome == "cancelled" or exchange.task_outcome is not None
    return int((BETTER_S if better else SETTLE_S) * _SECOND)


def _end(exchange: Exchange, told_at: int) -> int:
    milliseconds = exchange.task_ms if exchange.task_ms is not None else exchange.duration_ms
    end = told_at if milliseconds is None else exchange.started_at + round(milliseconds * 1e6)
    return max(exchange.started_at, end)
