"""Which request a message belongs to that bears no request's id.

The idea: each thing that a later message may name, a progress token or an elicitation, leads to its request for as long
as something may come, and a little longer.
"""

from __future__ import annotations

from mcptap.tap.dissect.pending import MAX_RECENT, Key, Pending, remember
from mcptap.tap.records import Side


class Belonging:
    """What open and recent requests of one run are known by. Everything that it holds is bounded."""

    def __init__(self) -> None:
        self._tokens: dict[Key, Pending] = {}  # progress tokens of open requests, by who asked
        self._spent: dict[Key, Pending] = {}  # of answered ones: a task goes on, and a report may come late
        self._logging: dict[int, Pending] = {}  # open requests that asked for log messages, oldest first
        self._as_task: dict[int, Pending] = {}  # open requests that ask for a task
        self._elicitations: dict[str, int] = {}  # to the seq of the request that told of them

    def opened(self, request: Pending) -> None:
        """Takes up a request."""
        facts = request.facts
        if "progress_token" in facts:
            self._tokens[request.side, facts["progress_token"]] = request
        if "log_level" in facts:
            self._logging[request.seq] = request
        if "as_task" in facts:
            self._as_task[request.seq] = request
        if "elicitation_id" in facts:
            self.elicits(facts["elicitation_id"], request.seq)

    def closed(self, request: Pending) -> None:
        """The request is no longer open."""
        facts = request.facts
        if "progress_token" in facts:
            key = (request.side, facts["progress_token"])
            if self._tokens.get(key) is request:
                del self._tokens[key]
            remember(self._spent, key, request, MAX_RECENT)
        if "log_level" in facts:
            self._logging.pop(request.seq, None)
        if "as_task" in facts:
            self._as_task.pop(request.seq, None)

    def elicits(self, elicitation: str, seq: int) -> None:
        """A person was sent to an address on behalf of this request."""
        remember(self._elicitations, elicitation, seq, MAX_RECENT)

    def elicited(self, elicitation: str) -> int | None:
        """The request on whose behalf a person was sent to an address."""
        return self._elicitations.get(elicitation)

    def progressing(self, key: Key) -> Pending | None:
        """The request that this progress token stands for."""
        return self._tokens.get(key) or self._spent.get(key)

    def logging(self) -> Pending | None:
        """The request that a modern log message is for: the message itself does not say, so the newest that asked."""
        return next(reversed(self._logging.values()), None)

    def creating(self, side: Side) -> Pending | None:
        """The request that an unknown task may be of: the only open one that asks for a task."""
        asking = [request for request in self._as_task.values() if request.side == side]
        return asking[0] if len(asking) == 1 else None
