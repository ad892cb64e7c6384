"""Joins requests with their answers, one run at a time.

It works on redacted records, reading their envelope and facts and never a body. So the records already written
restore its state: feed them again in order, and it stands where it stood.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeVar

from mcptap.tap.dissect import mcp
from mcptap.tap.records import Exchange, MessageRecord, Outcome, Side

# A peer that never answers must not fill memory. Real hosts have tens of requests in flight, listening ones included.
MAX_IN_FLIGHT: Final = 10_000

_Key = tuple[Side, str]
_K = TypeVar("_K")
_V = TypeVar("_V")
_RESULT_TYPES: Final[dict[str, Outcome]] = {"input_required": "input_required", "task": "task_created"}


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits for its answer."""

    seq: int
    side: Side
    at: int
    method: str
    rpc_id: str
    size: int
    facts: dict[str, Any]
    probe: bool
    logical_id: str


class Correlator:
    """The exchanges of one run. Not safe for threads; everything it holds is bounded."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._waiting: dict[int, Pending] = {}  # by seq, so in order of arrival
        self._by_id: dict[_Key, list[int]] = {}  # an id may be outstanding twice: the oldest is answered first
        self._cancelled: dict[_Key, Pending] = {}  # may still be answered
        self._rounds: dict[str, str] = {}  # redacted requestState to the logical call it belongs to
        self._initialize: dict[str, Any] = {}  # facts of the latest initialize request
        self._initialized: dict[str, Any] = {}  # facts of its result
        self._discovered: dict[str, Any] = {}  # facts of the latest discover result
        self._probed = False

    def settle(self, message: MessageRecord) -> tuple[Exchange, ...]:
        """The exchanges that `message` settles. One settled as `cancelled` may come again as `late`, same seq."""
        if message.kind == "request":
            return self._ask(message)
        if message.kind in ("result", "error"):
            return self._answer(message)
        if message.method == mcp.CANCELLED:
            return self._cancel(message)
        return ()

    def unanswered(self) -> tuple[Exchange, ...]:
        """What nobody has answered yet, as the run ends. Nothing is outstanding afterwards."""
        pending = list(self._waiting.values())
        self._waiting.clear()
        self._by_id.clear()
        return tuple(self._exchange(request, "no_response") for request in pending)

    def _ask(self, message: MessageRecord) -> tuple[Exchange, ...]:
        facts = message.facts or {}
        method = message.method or ""
        state = facts.get("request_state")
        own = f"{self.run_id}/{message.seq}"
        request = Pending(
            seq=message.seq,
            side=message.side,
            at=message.at,
            method=method,
            rpc_id=message.rpc_id or "null",
            size=message.size_bytes,
            facts=facts,
            probe=method == mcp.PING or (method == mcp.DISCOVER and not self._probed),
            logical_id=self._rounds.get(state, own) if state else own,
        )
        self._probed |= method == mcp.DISCOVER
        if method == mcp.INITIALIZE and message.side == "client":
            self._initialize = facts
        self._waiting[request.seq] = request
        self._by_id.setdefault((request.side, request.rpc_id), []).append(request.seq)
        return self._evict()

    def _evict(self) -> tuple[Exchange, ...]:
        if len(self._waiting) <= MAX_IN_FLIGHT:
            return ()
        oldest = next(iter(self._waiting.values()))
        self._take((oldest.side, oldest.rpc_id))
        return (self._exchange(oldest, "no_response"),)

    def _take(self, key: _Key) -> Pending | None:
        """The oldest outstanding request with this id, no longer outstanding."""
        seqs = self._by_id.get(key)
        if not seqs:
            return None
        request = self._waiting.pop(seqs.pop(0))
        if not seqs:
            del self._by_id[key]
        return request

    def _answer(self, message: MessageRecord) -> tuple[Exchange, ...]:
        if message.rpc_id is None:
            return ()
        asker: Side = "client" if message.side == "server" else "server"
        key = (asker, message.rpc_id)
        if request := self._take(key):
            self._learn(request, message)
            return (self._exchange(request, _outcome(message), message),)
        if request := self._cancelled.pop(key, None):
            return (self._exchange(request, "late", message),)
        return ()

    def _cancel(self, message: MessageRecord) -> tuple[Exchange, ...]:
        rpc_id = (message.facts or {}).get("request_id")
        if rpc_id is None:
            return ()
        key = (message.side, rpc_id)
        if message.side == "server" and key not in self._by_id and self._is_listening(rpc_id):
            key = ("client", rpc_id)  # a modern server ends a subscription so
        request = self._take(key)
        if request is None:
            return ()
        _remember(self._cancelled, key, request)
        return (self._exchange(request, "cancelled", cancelled_at=message.at),)

    def _is_listening(self, rpc_id: str) -> bool:
        return any(self._waiting[seq].method == mcp.LISTEN for seq in self._by_id.get(("client", rpc_id), ()))

    def _learn(self, request: Pending, reply: MessageRecord) -> None:
        """Keeps what later exchanges of the run inherit."""
        facts = reply.facts or {}
        if reply.kind == "result" and request.side == "client":
            if request.method == mcp.INITIALIZE:
                self._initialized = facts
            elif request.method == mcp.DISCOVER:
                self._discovered = facts
        if state := facts.get("request_state"):
            _remember(self._rounds, state, request.logical_id)

    def _exchange(
        self,
        request: Pending,
        outcome: Outcome,
        reply: MessageRecord | None = None,
        cancelled_at: int | None = None,
    ) -> Exchange:
        facts = (reply.facts if reply else None) or {}
        digest = sha256(f"{self.run_id}/{request.seq}".encode()).hexdigest()
        version, era = self._version(request, facts)
        ended = reply.at if reply else cancelled_at
        return Exchange(
            seq=request.seq,
            reply_seq=reply.seq if reply else None,
            side=request.side,
            method=request.method,
            target=request.facts.get("target"),
            rpc_id=request.rpc_id,
            started_at=request.at,
            duration_ms=None if ended is None else (ended - request.at) / 1e6,
            outcome=outcome,
            error_code=facts.get("error_code"),
            error_message=facts.get("error_message"),
            request_bytes=request.size,
            reply_bytes=reply.size_bytes if reply else None,
            protocol_version=version,
            era=era,
            probe=request.probe,
            long_lived=request.method in mcp.LONG_LIVED,
            client_name=_first("client_name", request.facts, self._initialize),
            server_name=_first("server_name", facts, self._initialized, self._discovered),
            trace_id=mcp.trace_id(request.facts.get("traceparent")) or digest[:32],
            span_id=digest[32:48],
            logical_id=request.logical_id,
        )

    def _version(self, request: Pending, reply: dict[str, Any]) -> tuple[str | None, Any]:
        """Protocol version and era of one exchange: its own, else what the handshake settled, else what it asked."""
        own = request.facts.get("protocol_version")
        version = own or _first("protocol_version", self._initialized)
        version = version or _first("requested_version", request.facts, self._initialize)
        if request.method == mcp.INITIALIZE and not own:
            version = reply.get("protocol_version") or request.facts.get("requested_version")
        era = "modern" if own else "legacy" if version else None
        if reply.get("error_code") == mcp.UNSUPPORTED_VERSION:
            version = f"rejected:{own or reply.get('requested_version') or version or ''}"
        return version, era


def _outcome(reply: MessageRecord) -> Outcome:
    if reply.kind == "error":
        return "rpc_error"
    facts = reply.facts or {}
    if facts.get("is_error"):
        return "tool_error"
    return _RESULT_TYPES.get(facts.get("result_type", ""), "ok")


def _first(key: str, *sources: dict[str, Any]) -> str | None:
    return next((source[key] for source in sources if source.get(key)), None)


def _remember(table: dict[_K, _V], key: _K, value: _V) -> None:
    """Adds to a bounded table; the oldest entry gives way."""
    table.pop(key, None)
    table[key] = value
    if len(table) > MAX_IN_FLIGHT:
        del table[next(iter(table))]


def restore(run_id: str, messages: Iterable[MessageRecord]) -> Correlator:
    """The correlator as it stood after these messages."""
    correlator = Correlator(run_id)
    for message in messages:
        correlator.settle(message)
    return correlator
