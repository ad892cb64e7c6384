"""Answers of the database, kept as long as nothing is written, and else for a while that depends on what they cost.

The idea: whoever asks again gets the last answer at once, while a newer one is fetched behind their back; and what took
long is asked seldom, so that no number of viewers keeps the database from recording. An answer to which nothing was
added since is as good as a new one.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

KEPT_S: Final = 5.0
COST: Final = 40  # times what it took, an answer is kept: at most a fortieth of a processor for each question
SETTLED_S: Final = 1.0  # what was written so long before a question is in its answer
LOOKED_S: Final = 0.1  # from one look at what was written to the next
STALE: Final = 2  # times that long an answer may still be given, while a newer one is fetched
ENTRIES: Final = 500

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Entry(Generic[Answer]):
    answer: Answer | None = None
    at: float = float("-inf")
    asked_at: float = float("-inf")  # of the calendar's clock, as files have it
    kept_s: float = KEPT_S
    lock: threading.Lock = field(default_factory=threading.Lock)


class Answers(Generic[Answer]):
    """Asks `ask` with a question, and keeps what it says. Safe to be used from several threads.

    `written` tells when something was last written, in seconds since 1970; by default it may have been just now.
    """

    def __init__(
        self,
        ask: Callable[[str], Answer],
        *,
        written: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        calendar: Callable[[], float] = time.time,
    ) -> None:
        self._ask, self._written, self._clock, self._calendar = ask, written, clock, calendar
        self._written_at = self._looked_at = float("-inf")
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry[Answer]] = OrderedDict()

    def get(self, question: str, within: float | None = None) -> Answer:
        """The answer: kept, or asked for now. Raises what `ask` raises.

        `within`: seconds that it may be old where something was written since, and nothing older is given.
        """
        entry = self._entry(question)
        kept, given = (entry.kept_s, STALE * entry.kept_s) if within is None else (within, within)
        age = self._age(entry)
        if (answer := entry.answer) is not None and age <= given:
            if age > kept and entry.lock.acquire(blocking=False):
                threading.Thread(target=self._renew, args=(question, entry), daemon=True).start()
            return answer
        with entry.lock:  # who comes second gets what the first has fetched
            if entry.answer is None or self._age(entry) > (entry.kept_s if within is None else within):
                self._fetch(question, entry)
            assert entry.answer is not None
            return entry.answer

    def held(self, question: str, within: float | None = None) -> Answer | None:
        """The answer, if it is kept and none newer is due; `within` as for `get`."""
        entry = self._entries.get(question)
        if entry is None or self._age(entry) > (entry.kept_s if within is None else within):
            return None
        return entry.answer

    def ahead(self, *questions: str) -> None:
        """Has these asked from the last one on, while the caller asks for them from the first one on."""
        if due := [question for question in reversed(questions) if self.held(question) is None]:
            threading.Thread(target=self._ask_all, args=(due,), daemon=True).start()

    def forget(self) -> None:
        """Everything is asked for again."""
        with self._lock:
            self._entries.clear()

    def _age(self, entry: _Entry[Answer]) -> float:
        return 0.0 if self._holds(entry) else self._clock() - entry.at

    def _holds(self, entry: _Entry[Answer]) -> bool:
        now = self._clock()
        if now - self._looked_at >= LOOKED_S:
            self._written_at, self._looked_at = self._written(), now
        return self._written_at < entry.asked_at - SETTLED_S

    def _entry(self, question: str) -> _Entry[Answer]:
        with self._lock:
            entry = self._entries.setdefault(question, _Entry())
            self._entries.move_to_end(question)
            while len(self._entries) > ENTRIES:
                self._entries.popitem(last=False)
            return entry

    def _ask_all(self, questions: Sequence[str]) -> None:
        with suppress(Exception):  # who asks for it by itself is told
            for question in questions:
                self.get(question)

    def _renew(self, question: str, entry: _Entry[Answer]) -> None:
        try:
            self._fetch(question, entry)
        except Exception:  # noqa: S110  the old answer is still there; once it is too old, the asker is told
            pass
        finally:
            entry.lock.release()

    def _fetch(self, question: str, entry: _Entry[Answer]) -> None:
        begun, asked_at = self._clock(), self._calendar()
        entry.answer = self._ask(question)
        entry.at, entry.asked_at = self._clock(), asked_at
        entry.kept_s = max(KEPT_S, COST * (entry.at - begun))
