"""One signal of one destination: reads, sends, moves its mark, on a thread of its own.

The idea: lanes share nothing but the journal and the file of marks. A backend that takes traces and no logs, or that is
down for a week, holds up its own lane and no other.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from mcptap.exporters.otlp.addresses import GRPC
from mcptap.exporters.otlp.content import Content
from mcptap.exporters.otlp.counting import Counting
from mcptap.exporters.otlp.delivery import PAUSES_S, Delivery, Sender
from mcptap.exporters.otlp.gathering import ITEMS, Batch, Gathering
from mcptap.exporters.otlp.items import Alarm, Item, Span
from mcptap.exporters.otlp.marks import Marks
from mcptap.exporters.otlp.settings import Destination, Route

LOUD: Final = ("opentelemetry", "urllib3", "requests", "grpc")  # they may quote addresses and headers
TICK_S: Final = 0.5  # between two looks while something is held
LOOK_S: Final = 300.0  # between two looks at all runs
AGAIN_S: Final = 5.0  # after a failure of our own


def sender_of(route: Route) -> Sender:
    """What sends on this route. Imports what that takes, and leaves those libraries no other source and no other voice.

    They would add the headers of the environment, which may be another backend's; and what they would log is told by
    outcomes.
    """
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        os.environ.pop(name, None)  # another lane may have done it
    for library in LOUD:
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    if route.protocol == GRPC:
        from mcptap.exporters.otlp.over_grpc import GrpcSender

        return GrpcSender(route)
    from mcptap.exporters.otlp.over_http import HttpSender

    return HttpSender(route)


class Lane:
    """Sends one signal to one destination until it is told to leave. `alone`: only of runs that it is told of."""

    def __init__(
        self,
        home: Path,
        destination: Destination,
        route: Route,
        *,
        alone: bool = False,
        pauses: tuple[float, float] = PAUSES_S,
    ) -> None:
        self._home, self._destination, self._route, self._alone = home, destination, route, alone
        self._name = f"{destination.key}/{route.signal}"
        self._leaving, self._wake, self._hurry = threading.Event(), threading.Event(), threading.Event()
        self._telling = threading.Lock()
        self._told: list[str] = []  # runs that may have grown
        self._own: list[str] = []  # runs that are to be sent here
        self._pauses = pauses
        self._delivery: Delivery | None = None
        self._gathering: Gathering | None = None
        self._counts = {"sent": 0, "rejected": 0, "skipped": 0}
        self._bug = ""
        self.idle = threading.Event()  # set when there was nothing more to send
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def changed(self, run_ids: Iterable[str], *, own: bool = False) -> None:
        """These runs may have grown; with `own` they are to be sent here from now on."""
        with self._telling:
            (self._own if own else self._told).extend(run_ids)
        self.idle.clear()
        self._wake.set()

    def finish(self, seconds: float) -> None:
        """Sends what can be sent now, in about this time, and leaves."""
        self.idle.clear()
        self._hurry.set()
        self._wake.set()
        self.idle.wait(seconds)
        self.leave()

    def leave(self) -> None:
        """Stops at the next opportunity; what is on its way may be sent again later."""
        self._leaving.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def status(self) -> dict[str, Any]:
        """How it is, without anything secret."""
        delivery, gathering = self._delivery, self._gathering
        runs, size = gathering.lag() if gathering else (0, 0)
        failing = bool(self._bug) or bool(delivery and delivery.failures)
        error = self._bug or (delivery.error if delivery else "") or (gathering.problem if gathering else "")
        return {
            "signal": self._route.signal,
            "place": self._route.place,
            "state": "failing" if failing else "sending" if size else "ok",
            "lag_runs": runs,
            "lag_bytes": size,
            **self._counts,
            "error": error or None,
            "error_at": delivery.error_at or None if delivery else None,
            "next_at": delivery.next_at or None if delivery else None,
        }

    def _run(self) -> None:
        while not self._leaving.is_set():
            try:
                self._live()
            except Exception as bug:  # a full disk, a database that is locked: the mark stands where it stood
                self._bug = f"{type(bug).__name__} in {self._name}"
                self.idle.set()
                self._leaving.wait(AGAIN_S)

    def _live(self) -> None:
        sender = sender_of(self._route)
        marks = Marks(self._home, self._name, time.time_ns())
        try:
            content = Content(self._destination.content, self._destination.value_length)
            gathering = self._gathering = Gathering(self._home, marks, content, alone=self._alone)
            delivery = self._delivery = Delivery(sender, self._leaving, self._hurry, pauses=self._pauses)
            self._counts = marks.counts()
            work = _WORK[self._route.signal](self._destination, marks, gathering, delivery)
            self._bug = ""
            self._turn_for_ever(gathering, work)
        finally:
            marks.close()
            sender.close()

    def _turn_for_ever(self, gathering: Gathering, work: _Sending | Counting) -> None:
        looked = float("-inf")
        while not self._leaving.is_set():
            self._wake.clear()
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                gathering.look()
            with self._telling:
                own, self._own, told, self._told = self._own, [], self._told, []
            gathering.begin(own)
            gathering.grown(told)
            gathering.look_again()
            if work.turn():
                self._counts = work.counts()
            elif work.stuck or not gathering.waiting:
                self.idle.set()
                self._wake.wait(TICK_S)


class _Sending:
    """Items that are sent one by one: spans, or log records."""

    kind: type[Item]
    made_by: str  # of `telemetry`

    def __init__(self, destination: Destination, marks: Marks, gathering: Gathering, delivery: Delivery) -> None:
        from mcptap.exporters.otlp import telemetry

        self._destination, self._marks, self._gathering, self._delivery = destination, marks, gathering, delivery
        self._telemetry, self._host = telemetry, telemetry.of_host(destination)
        self._make: Callable[..., Any] = getattr(telemetry, self.made_by)
        self._pending: Batch | None = None

    @property
    def stuck(self) -> bool:
        """Whether there is something that cannot be sent now."""
        return self._pending is not None

    def counts(self) -> dict[str, int]:
        return self._marks.counts()

    def turn(self) -> bool:
        """One batch; False if there was none to send, or it could not be sent."""
        batch = self._pending or self._gathering.next(lambda item: isinstance(item, self.kind))
        if not batch.marks and not batch.items:
            return False
        self._pending = batch
        sent = self._delivery.deliver(batch.items, self._made, ITEMS)
        if sent is None:
            return False
        self._marks.move(batch.marks, batch.done, sent=sent[0], rejected=sent[1], skipped=sent[2])
        self._gathering.moved(batch)
        self._pending = None
        return True

    def _made(self, items: Sequence[Any]) -> list[Any]:
        resources: dict[str, Any] = {}
        for item in items:
            if item.started.run_id not in resources:
                resource = self._telemetry.resource_of(item.started, self._destination, self._host)
                resources[item.started.run_id] = resource
        length = self._destination.value_length
        return [self._make(item, resources[item.started.run_id], length) for item in items]


class _Spans(_Sending):
    kind, made_by = Span, "readable_span"


class _Logs(_Sending):
    kind, made_by = Alarm, "readable_log"


_WORK: Final[dict[str, Callable[..., _Sending | Counting]]] = {"traces": _Spans, "logs": _Logs, "metrics": Counting}
