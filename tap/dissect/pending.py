"""What is outstanding, and the bounds on what is remembered of it.

The idea: a peer that never answers must not fill memory, so every table of the correlator has an end, at which the
oldest entry gives way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from mcptap.tap.records import MessageRecord, Side

# Real hosts have tens of requests in flight, listening ones included.
MAX_IN_FLIGHT: Final = 10_000
MAX_RECENT: Final = 1_000  # of those that are answered: for duplicates and stragglers
MAX_WAITS: Final = 1_000  # of one request; what was waited for beyond counts as the other side's time

SIZE: Final = "size_bytes"  # the fact of a batch's element that tells its size

OTHER: Final[dict[Side, Side]] = {"client": "server", "server": "client"}

Span = tuple[int, int]  # nanoseconds since the epoch: from, until
Key = tuple[Side, str]  # who asked, and under which id, progress token or task id
_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(slots=True)
class Pending:
    """A request that waits for its answer, and what has come meanwhile."""

    seq: int
    side: Side
    at: int
    method: str
    rpc_id: str
    size: int
    facts: dict[str, Any]
    probe: bool
    logical_id: str
    round: int | None
    handshake: tuple[dict[str, Any], dict[str, Any]] | None = None  # what had been settled when it was sent
    trace_id: str | None = None  # of the request that began its logical call
    progress: int = 0
    logs: int = 0
    waits: tuple[Span, ...] = ()  # in which a person or a model was asked on its behalf


def size_of(message: MessageRecord) -> int:
    """Bytes of a message; of a batch's element those of its JSON, since its frame's are counted with the batch."""
    size: int = (message.facts or {}).get(SIZE, message.size_bytes)
    return size


def waited(waits: Iterable[Span], since: int, until: int) -> float:
    """Milliseconds of `since` to `until` that lie within any of `waits`."""
    total, reached = 0, since
    for start, end in sorted(waits):
        low, high = max(start, reached), min(end, until)
        if high > low:
            total, reached = total + high - low, high
    return total / 1e6


def add_wait(waits: tuple[Span, ...], span: Span) -> tuple[Span, ...]:
    """`waits` and one more, within bounds."""
    return (*waits, span) if len(waits) < MAX_WAITS else waits


def remember(table: dict[_K, _V], key: _K, value: _V, most: int = MAX_IN_FLIGHT) -> None:
    """Adds to a bounded table; the oldest entry gives way."""
    table.pop(key, None)
    table[key] = value
    if len(table) > most:
        del table[next(iter(table))]
