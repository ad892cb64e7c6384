"""An exchange out of a request and what became of it.

The idea: everything that readers of an exchange need stands in it, so that nobody has to look at its neighbours.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from mcptap.tap.dissect import mcp
from mcptap.tap.dissect.methods import METHODS
from mcptap.tap.dissect.pending import Pending, size_of, waited
from mcptap.tap.dissect.speakers import Speakers
from mcptap.tap.records import Exchange, MessageRecord, Outcome

LONG_LIVED: Final = frozenset(name for name, row in METHODS.items() if row.long_lived)


def exchange(
    run_id: str,
    request: Pending,
    speakers: Speakers,
    outcome: Outcome,
    reply: MessageRecord | None,
    *,
    until: int | None,
) -> Exchange:
    """The exchange of `request`; `until`: when it ended if there is no reply, None if it has not."""
    facts = (reply.facts if reply else None) or {}
    version, era = speakers.version(request, facts)
    client_name, client_version = speakers.client(request)
    server_name, server_version = speakers.server(request, facts)
    ended = reply.at if reply else until
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
        reply_bytes=size_of(reply) if reply else None,
        protocol_version=version,
        era=era,
        probe=request.probe,
        long_lived=request.method in LONG_LIVED,
        client_name=client_name,
        server_name=server_name,
        trace_id=trace_of(request),
        span_id=own_ids(run_id, request.seq)[1],
        logical_id=request.logical_id,
        client_version=client_version,
        server_version=server_version,
        round=request.round,
        waiting_ms=None if ended is None else waited(request.waits, request.at, ended) if request.waits else 0.0,
        progress_count=request.progress,
        log_count=request.logs,
        task_id=request.facts.get("task_id"),
    )


def trace_of(request: Pending) -> str:
    """The trace that a request belongs to: the caller's, else that of its logical call."""
    own = mcp.trace_id(request.facts.get("traceparent"))
    return own or request.trace_id or _digest(request.logical_id)[:32]


def own_ids(run_id: str, seq: int) -> tuple[str, str]:
    """Trace and span id of a request that nobody traces and that begins its logical call."""
    digest = _digest(f"{run_id}/{seq}")
    return digest[:32], digest[32:48]


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()
