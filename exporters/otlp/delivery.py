"""A batch on its way: sent, sent again after a pause, or taken apart until the one item is found that nobody takes.

The idea: nothing is given up for a reason that may be the whole destination's. A batch that is refused as it is (400,
413) is halved; a single item that is refused is passed over only if others pass, or a request without any does. A
backend that answers 400 to everything has a wrong setting, not a thousand wrong spans: then we wait.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from mcptap.exporters.otlp.outcome import Outcome

T = TypeVar("T")

PAUSES_S: Final = (1.0, 60.0)  # first and longest between attempts
REFUSED_S: Final = 30.0  # at least, when the user has to change something
LONGEST_ASKED_S: Final = 900.0  # that a backend may make us wait
RATE: Final = 2000.0  # items a second, at most: to catch up must not drown a backend
LOOK_S: Final = 0.2  # so soon a pause ends when there is hurry
PATIENCE: Final = 20  # refusals of one item while nothing passes, before it is passed over all the same


class Sender(Protocol):
    """Makes one attempt."""

    def send(self, batch: Any) -> Outcome:
        """What became of it. Never raises."""

    def close(self) -> None:
        """Gives the connection back."""


class Delivery:
    """Delivers the batches of one lane, one at a time. What it knows may be read from any thread."""

    def __init__(
        self,
        sender: Sender,
        leaving: threading.Event,
        hurry: threading.Event,
        *,
        pauses: tuple[float, float] = PAUSES_S,
    ) -> None:
        """`hurry`: gives up in place of waiting; `leaving`: at once."""
        self._sender, self._leaving, self.hurry, self._pauses = sender, leaving, hurry, pauses
        self.failures = 0  # in a row
        self.error, self.error_at = "", 0.0
        self.next_at = 0.0  # of the next attempt, while failing
        self._proven = False  # something has passed since something was passed over
        self._refusals = 0

    def deliver(self, items: Sequence[T], made: Callable[[Sequence[T]], Any], most: int) -> tuple[int, int, int] | None:
        """How many were sent, rejected and passed over; None if it has to be done again later."""
        sent = rejected = skipped = 0
        parts = deque(list(items[at : at + most]) for at in range(0, len(items), most))
        while parts:
            part, began = parts[0], time.monotonic()
            outcome = self._attempt(made, part)
            if outcome.verdict == "delivered":
                self._passed(outcome)
                sent, rejected = sent + len(part) - outcome.rejected, rejected + outcome.rejected
                parts.popleft()
                self._leaving.wait(max(0.0, began + len(part) / RATE - time.monotonic()))
            elif outcome.verdict in ("poison", "unfit") and len(part) > 1:
                parts.popleft()
                parts.extendleft((part[len(part) // 2 :], part[: len(part) // 2]))
            elif self._gives_up(outcome):
                self._tell(f"passed over: {outcome.detail}")
                parts.popleft()
                skipped += 1
            elif not self._pause(outcome):
                return None
        return sent, rejected, skipped

    def attempt(self, batch: Any) -> Outcome:
        """One attempt with a batch that is made anew each time; notes what came of it, and waits for nothing."""
        outcome = self._attempt(lambda _: batch, ())
        if outcome.verdict == "delivered":
            self._passed(outcome)
        else:
            self._delay(outcome)
        return outcome

    def _attempt(self, made: Callable[[Sequence[T]], Any], part: Sequence[T]) -> Outcome:
        try:
            batch = made(part)
        except Exception as bug:
            return Outcome("unfit", f"cannot be made into OpenTelemetry's form: {type(bug).__name__}")
        return self._sender.send(batch)

    def _passed(self, outcome: Outcome) -> None:
        self.failures, self._refusals, self._proven, self.next_at = 0, 0, True, 0.0
        if outcome.rejected:
            self._tell(f"the backend rejected {outcome.rejected}: {outcome.detail or 'no reason given'}")

    def _gives_up(self, outcome: Outcome) -> bool:
        """Whether to pass over a single item."""
        if outcome.verdict == "unfit":
            return True
        if outcome.verdict != "poison":
            return False
        self._refusals += 1
        if not self._proven and self._refusals <= PATIENCE:
            self._proven = self._sender.send(()).verdict == "delivered"  # then it is tried once more
            return False
        self._proven, self._refusals = False, 0
        return True

    def _pause(self, outcome: Outcome) -> bool:
        """Waits until the next attempt; False if there shall be none."""
        until = time.monotonic() + self._delay(outcome)
        while (left := until - time.monotonic()) > 0:
            if self.hurry.is_set() or self._leaving.wait(min(left, LOOK_S)):
                return False
        return True

    def _delay(self, outcome: Outcome) -> float:
        first, longest = self._pauses
        self.failures += 1
        delay: float = min(longest, first * 2 ** min(self.failures - 1, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
        if outcome.verdict in ("refused", "poison"):
            delay = max(delay, min(REFUSED_S, longest / 2))
        delay = max(delay, min(outcome.pause_s or 0.0, LONGEST_ASKED_S))
        self.next_at = time.time() + delay
        self._tell(outcome.detail)
        return delay

    def _tell(self, error: str) -> None:
        self.error, self.error_at = error, time.time()
