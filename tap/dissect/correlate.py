"""Joins requests with their answers and with all that is said of them, one run at a time.

It works on redacted records, reading their envelope and facts and never a body. So the records already written
restore its state: feed them again in order, and it stands where it stood.

Waiting. While a client's request is open, a legacy server may ask back (`Method.waits`), and a person or a model
answers; that time is not the server's. No message says for which request a server asks, so: one that names its task is
for that task. Any other counts for every request of the client that was open when it was asked and still is when it is
answered: one that was answered meanwhile did not wait for it. Where that leaves several, the server's own time is
told too short rather than a person's time told as the server's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from mcptap.tap.dissect import methods
from mcptap.tap.dissect.belonging import Belonging
from mcptap.tap.dissect.exchange import LONG_LIVED, exchange, trace_of
from mcptap.tap.dissect.jsonrpc import respelled
from mcptap.tap.dissect.methods import METHODS
from mcptap.tap.dissect.pending import MAX_IN_FLIGHT, MAX_RECENT, OTHER, Key, Pending, add_wait, remember, size_of
from mcptap.tap.dissect.rounds import Rounds
from mcptap.tap.dissect.speakers import Speakers
from mcptap.tap.dissect.tasks import Tasks
from mcptap.tap.records import Exchange, MessageRecord, Outcome, Side

# With more requests open at once, nobody can say which of them waits for what a server asks.
MAX_ASKING: Final = 256

_RESULT_TYPES: Final[dict[str, Outcome]] = {"input_required": "input_required", "task": "task_created"}
_WAITS: Final = frozenset(name for name, row in METHODS.items() if row.waits)


class Settled(NamedTuple):
    """What one message settles, and which request it belongs to."""

    exchanges: tuple[Exchange, ...] = ()
    exchange_seq: int | None = None
    orphan: str | None = None  # of an answer to nothing: `duplicate` or `unknown`


NOTHING: Final = Settled()


class Correlator:
    """The exchanges of one run. Not safe for threads; everything it holds is bounded."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._waiting: dict[int, Pending] = {}  # by seq, so in order of arrival
        self._by_id: dict[Key, list[int]] = {}  # an id may be outstanding twice: the oldest is answered first
        self._cancelled: dict[Key, Pending] = {}  # may still be answered
        self._answered: dict[Key, int] = {}  # the latest, to the seq of their requests
        self._belonging = Belonging()
        self._rounds = Rounds()
        self._tasks = Tasks()
        self._speakers = Speakers()
        self._probed = False

    def settle(self, message: MessageRecord) -> Settled:
        """What `message` settles. An exchange may come again with more known of it: late, or when its task ends."""
        kind = message.kind
        if kind == "request":
            return self._ask(message)
        if kind in ("result", "error"):
            return self._answer(message)
        return self._note(message) if kind == "notification" else NOTHING

    def unanswered(self) -> tuple[Exchange, ...]:
        """What nobody has answered yet, as the run ends. Nothing is outstanding afterwards."""
        pending = list(self._waiting.values())
        self._waiting.clear()
        self._by_id.clear()
        return tuple(self._exchange(request, "no_response") for request in pending)

    def asked(self, side: Side, rpc_id: str | None) -> str | None:
        """The method that an answer from `side` with this id answers."""
        key = self._meant((OTHER[side], rpc_id or ""))
        seqs = self._by_id.get(key)
        request = self._waiting[seqs[0]] if seqs else self._cancelled.get(key)
        return request.method if request else None

    def _ask(self, message: MessageRecord) -> Settled:
        facts = message.facts or {}
        method = message.method or ""
        logical_id, number, trace_id = self._call(message, method, facts)
        request = Pending(
            seq=message.seq,
            side=message.side,
            at=message.at,
            method=method,
            rpc_id=message.rpc_id or "null",
            size=size_of(message),
            facts=facts,
            probe=method == methods.PING or (method == methods.DISCOVER and not self._probed),
            logical_id=logical_id,
            round=number,
            trace_id=trace_id,
        )
        self._probed |= method == methods.DISCOVER
        self._speakers.asks(request)
        if method == methods.TASK_UPDATE and "task_id" in facts:
            self._tasks.go_on((message.side, facts["task_id"]), message.at)
        self._waiting[request.seq] = request
        self._by_id.setdefault((request.side, request.rpc_id), []).append(request.seq)
        self._belonging.opened(request)
        return Settled(self._evict(), message.seq)

    def _call(self, message: MessageRecord, method: str, facts: dict[str, Any]) -> tuple[str, int | None, str | None]:
        """The logical call that a request belongs to, which of its rounds it is (None for a word on a task), and the
        trace of the request that began it."""
        own = f"{self.run_id}/{message.seq}"
        if "related_task" in facts or "task_id" in facts:
            about = self._about_task(message.side, facts)
            if about:
                return about.logical_id, None, trace_of(about)
            return own, None if "task_id" in facts else 1, None
        if methods.STATE in facts or "input_responses" in facts:
            return self._rounds.repeated(message.side, method, facts) or (own, 1, None)
        return own, 1, None

    def _about_task(self, side: Side, facts: dict[str, Any]) -> Pending | None:
        """The request that created the task which a request or notification from `side` names."""
        if "related_task" in facts:  # said by whoever works on it
            return self._creator(OTHER[side], facts["related_task"])
        if "task_id" in facts:
            return self._tasks.creator((side, facts["task_id"]))
        return None

    def _creator(self, side: Side, task_id: str) -> Pending | None:
        return self._tasks.creator((side, task_id)) or self._belonging.creating(side)

    def _evict(self) -> tuple[Exchange, ...]:
        if len(self._waiting) <= MAX_IN_FLIGHT:
            return ()
        oldest = next(iter(self._waiting.values()))
        self._take((oldest.side, oldest.rpc_id))
        return (self._exchange(oldest, "no_response"),)

    def _meant(self, key: Key) -> Key:
        """The key as its asker wrote it: a whole number may come back in its other form."""
        if key in self._by_id or not (other := respelled(key[1])):
            return key
        both = (key, (key[0], other))
        tables = (self._by_id, self._cancelled, self._answered)
        return next((one for table in tables for one in both if one in table), key)

    def _take(self, key: Key) -> Pending | None:
        """The oldest outstanding request with this id, no longer outstanding."""
        if not (seqs := self._by_id.get(key)):
            return None
        request = self._waiting.pop(seqs.pop(0))
        if not seqs:
            del self._by_id[key]
        self._belonging.closed(request)
        return request

    def _answer(self, message: MessageRecord) -> Settled:
        if message.rpc_id is None:
            return Settled(orphan="unknown")
        key = self._meant((OTHER[message.side], message.rpc_id))
        facts = message.facts or {}
        request = self._take(key)
        if request:
            made = self._exchange(request, _outcome(message), message)
            self._speakers.answered(request, facts, failed=message.kind == "error")
            self._waited(request, message.at)
        elif request := self._cancelled.pop(key, None):
            made = self._exchange(request, "late", message)
        else:
            seq = self._answered.get(key)
            return Settled((), seq, "unknown" if seq is None else "duplicate")
        remember(self._answered, key, request.seq, MAX_RECENT)
        return Settled(self._consequences(request, made, message, facts), request.seq)

    def _exchange(
        self, request: Pending, outcome: Outcome, reply: MessageRecord | None = None, until: int | None = None
    ) -> Exchange:
        return exchange(self.run_id, request, self._speakers, outcome, reply, until=until)

    def _consequences(
        self, request: Pending, made: Exchange, reply: MessageRecord, facts: dict[str, Any]
    ) -> tuple[Exchange, ...]:
        """What follows from an answer beside its own exchange: other rounds, and what becomes of tasks."""
        if methods.STATE in facts or facts.get("result_type") == "input_required":
            self._rounds.asked_back(request, facts)
        for elicitation in facts.get("elicitations", ()):
            self._belonging.elicits(elicitation, request.seq)
        if facts.get("result_type") == "task" and "task_id" in facts:
            key = (request.side, facts["task_id"])
            made = self._tasks.create(key, request, made)
            return (self._tasks.news(key, reply.at, facts) or made,)
        if "task_id" not in request.facts:
            return (made,)
        key = (request.side, request.facts["task_id"])
        if request.method == methods.TASK_RESULT:
            told = self._tasks.result(key, reply.at, _outcome(reply), facts)
        elif request.method == methods.TASK_CANCEL and reply.kind == "result" and "task_status" not in facts:
            told = self._tasks.cancel(key, reply.at)
        else:
            told = self._tasks.news(key, reply.at, facts)
        return (made, *self._ended(key, reply.at, told))

    def _ended(self, key: Key, at: int, told: Exchange | None) -> tuple[Exchange, ...]:
        """The exchange of a task that has come to its end."""
        if told is None:
            return ()
        if request := self._tasks.creator(key):  # a server's: the person or model has been waited for until now
            self._waited(request, at)
        return (told,)

    def _waited(self, request: Pending, until: int) -> None:
        """Notes for whom a person or a model was waited for, now that the server has its answer."""
        if request.side != "server" or request.method not in _WAITS or len(self._waiting) > MAX_ASKING:
            return
        task_id, span = request.facts.get("related_task"), (request.at, until)
        if task_id is not None:
            self._tasks.wait(("client", task_id), span)
        for asking in self._waiting.values():
            if asking.side == "client" and asking.seq < request.seq and self._may_wait(asking, task_id):
                asking.waits = add_wait(asking.waits, span)

    def _may_wait(self, asking: Pending, task_id: str | None) -> bool:
        """Whether a server may have asked back on behalf of this request; `task_id`: or of this task."""
        if task_id is None:
            return not asking.probe and asking.method not in LONG_LIVED
        return asking.facts.get("task_id") == task_id or self._creator("client", task_id) is asking

    def _note(self, message: MessageRecord) -> Settled:
        """A notification: what it settles, and which request it belongs to."""
        facts = message.facts or {}
        if message.method == methods.CANCELLED:
            return self._cancel(message, facts.get("request_id"))
        if "task_id" in facts:
            return self._task_note(message, facts)
        if "subscription_id" in facts:
            return Settled((), self._recent((OTHER[message.side], facts["subscription_id"])))
        if message.method == methods.PROGRESS:
            about = self._belonging.progressing((OTHER[message.side], facts.get("progress_token", "")))
            return _counted(about, progress=1)
        if "related_task" in facts or message.method == methods.LOG:
            about = self._about_task(message.side, facts) if "related_task" in facts else self._belonging.logging()
            return _counted(about, logs=int(message.method == methods.LOG))
        return Settled((), self._belonging.elicited(facts.get("elicitation_id", "")))

    def _task_note(self, message: MessageRecord, facts: dict[str, Any]) -> Settled:
        key = (OTHER[message.side], facts["task_id"])
        about = self._creator(*key)
        told = self._ended(key, message.at, self._tasks.news(key, message.at, facts))
        return Settled(told, about.seq if about else None)

    def _recent(self, key: Key) -> int | None:
        """The seq of the request with this id: the one that is open, else the latest."""
        if seqs := self._by_id.get(key):
            return seqs[0]
        cancelled = self._cancelled.get(key)
        return cancelled.seq if cancelled else self._answered.get(key)

    def _cancel(self, message: MessageRecord, rpc_id: str | None) -> Settled:
        if rpc_id is None:
            return NOTHING
        key = self._meant((message.side, rpc_id))
        if message.side == "server" and key not in self._by_id and self._is_listening(rpc_id):
            key = ("client", rpc_id)  # a modern server ends a subscription so
        request = self._take(key)
        if request is None:
            return Settled((), self._recent(key))
        self._waited(request, message.at)
        remember(self._cancelled, key, request)
        return Settled((self._exchange(request, "cancelled", until=message.at),), request.seq)

    def _is_listening(self, rpc_id: str) -> bool:
        return any(self._waiting[seq].method == methods.LISTEN for seq in self._by_id.get(("client", rpc_id), ()))


def _counted(request: Pending | None, *, progress: int = 0, logs: int = 0) -> Settled:
    if request is None:
        return NOTHING
    request.progress += progress
    request.logs += logs
    return Settled((), request.seq)


def _outcome(reply: MessageRecord) -> Outcome:
    if reply.kind == "error":
        return "rpc_error"
    facts = reply.facts or {}
    if facts.get("is_error"):
        return "tool_error"
    return _RESULT_TYPES.get(facts.get("result_type", ""), "ok")


def restore(run_id: str, messages: Iterable[MessageRecord]) -> Correlator:
    """The correlator as it stood after these messages."""
    correlator = Correlator(run_id)
    for message in messages:
        correlator.settle(message)
    return correlator
