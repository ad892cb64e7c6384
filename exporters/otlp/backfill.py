"""Sending what was recorded in a span of time, once and on demand, and one span to try a destination.

The idea: the same stories and the same ids as in daily work, without marks. So it can be repeated and does no harm
beside what the collector sends: a backend sees what it has seen.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from mcptap.exporters.journal.reader import run_files, stat_of
from mcptap.exporters.otlp import telemetry
from mcptap.exporters.otlp.content import Content
from mcptap.exporters.otlp.delivery import Delivery
from mcptap.exporters.otlp.gathering import ITEMS
from mcptap.exporters.otlp.items import Alarm, Item, Mark, Open, Span
from mcptap.exporters.otlp.lane import sender_of
from mcptap.exporters.otlp.outcome import Outcome
from mcptap.exporters.otlp.reading import RunReader
from mcptap.exporters.otlp.settings import Destination, Route
from mcptap.exporters.otlp.totals import Totals
from mcptap.tap.records import Exchange, RunStarted

ATTEMPTS_S: Final = (1.0, 10.0)
SERVICE: Final = "mcptap-test"
GIVE_UP: Final = 6  # failures in a row

Tick = Callable[[int, int], None]  # bytes of the journal that are done, and all


class BackfillError(Exception):
    """The backend did not take what was sent; the text says why, without anything secret."""


class Sent(NamedTuple):
    """What came of it."""

    runs: int
    spans: int
    logs: int
    rejected: int
    skipped: int


class Backfill:
    """Sends spans and findings of a span of time to one destination."""

    def __init__(self, home: Path, destination: Destination, since: int, until: int) -> None:
        """Times in nanoseconds since the epoch: what began before `until` and ended after `since`."""
        self._home, self._destination, self._since, self._until = home, destination, since, until
        self._routes = {route.signal: route for route in destination.routes if route.signal != "metrics"}
        self._host = telemetry.of_host(destination)
        self._counts = {"traces": 0, "logs": 0, "rejected": 0, "skipped": 0}

    def send(self, tick: Tick) -> Sent:
        """Sends all of it. Raises BackfillError."""
        senders = {signal: sender_of(route) for signal, route in self._routes.items()}
        ways = {signal: _Way(sender) for signal, sender in senders.items()}
        runs, done = 0, 0
        files = [(run_id, path) for run_id, path in run_files(self._home) if _size(path)]
        total = sum(_size(path) for _, path in files)
        try:
            for run_id, path in files:
                if (known := stat_of(path)) and known.st_mtime_ns >= self._since:
                    runs += self._run(run_id, ways)
                done += _size(path)
                tick(done, total)
        finally:
            for sender in senders.values():
                sender.close()
        counts = self._counts
        return Sent(runs, counts["traces"], counts["logs"], counts["rejected"], counts["skipped"])

    def _run(self, run_id: str, ways: dict[Any, _Way]) -> bool:
        waiting: dict[str, list[Item]] = {signal: [] for signal in ways}
        any_sent = False
        for item in _items(self._home, run_id, Content(self._destination.content, self._destination.value_length)):
            signal = "traces" if isinstance(item, Span) else "logs" if isinstance(item, Alarm) else ""
            if signal in waiting and self._fits(item):
                any_sent = True
                waiting[signal].append(item)
                if len(waiting[signal]) >= ITEMS:
                    self._deliver(signal, waiting[signal], ways)
        for signal, items in waiting.items():
            self._deliver(signal, items, ways)
        return any_sent

    def _fits(self, item: Item) -> bool:
        if isinstance(item, Span):
            return item.exchange.started_at < self._until and item.end >= self._since
        return isinstance(item, Alarm) and self._since <= item.finding.at < self._until

    def _deliver(self, signal: str, items: list[Item], ways: dict[Any, _Way]) -> None:
        if not items:
            return
        resource = telemetry.resource_of(items[0].started, self._destination, self._host)
        length = self._destination.value_length
        make: Any = telemetry.readable_span if signal == "traces" else telemetry.readable_log
        sent, rejected, skipped = ways[signal].send(items, lambda part: [make(one, resource, length) for one in part])
        self._counts[signal] += sent
        self._counts["rejected"] += rejected
        self._counts["skipped"] += skipped
        items.clear()


class _Way:
    """One signal's delivery, which gives up after a while."""

    def __init__(self, sender: Any) -> None:
        self._gave_up = threading.Event()
        self._delivery = Delivery(self, self._gave_up, self._gave_up, pauses=ATTEMPTS_S)
        self._sender, self._failures = sender, 0

    def send(self, batch: Any, made: Any = None) -> Any:
        """As a sender: one attempt. With `made`: a whole batch, or BackfillError."""
        if made is None:
            outcome = self._sender.send(batch)
            self._failures = 0 if outcome.verdict == "delivered" else self._failures + 1
            if self._failures >= GIVE_UP or outcome.verdict == "refused":
                self._gave_up.set()
            return outcome
        sent = self._delivery.deliver(batch, made, ITEMS)
        if sent is None:
            raise BackfillError(self._delivery.error)
        return sent

    def close(self) -> None:
        """Nothing is held here."""


def _items(home: Path, run_id: str, content: Content) -> Iterator[Item]:
    reader = RunReader(home, run_id, Mark(), content)
    while True:
        yield from reader.items(time.time_ns())
        if reader.caught_up:
            return


def _size(path: Path) -> int:
    known = stat_of(path)
    return known.st_size if known else 0


def try_out(destination: Destination) -> list[tuple[Route, Outcome]]:
    """Sends one span, and an empty request of each other signal; what came of each."""
    found = []
    for route in destination.routes:
        sender = sender_of(route)
        try:
            found.append((route, sender.send(_trial(destination, route))))
        finally:
            sender.close()
    return found


def _trial(destination: Destination, route: Route) -> Any:
    """A span named `mcptap test`; of the other signals an empty request, which leaves nothing behind."""
    if route.signal == "metrics":
        from mcptap.exporters.otlp.points import metrics_data

        return metrics_data(Totals(time.time_ns()), {}, time.time_ns())
    if route.signal == "logs":
        return []
    now = time.time_ns()
    started = RunStarted("test", now, SERVICE, (), "", (), "", 0, None, None, None, None, None, None)
    exchange = Exchange(
        1, None, "client", "mcptap test", None, "null", now, 1.0, "ok", None, None, 0, None, None, None, False, False,
        None, None, secrets.token_hex(16), secrets.token_hex(8), "test",
    )  # fmt: skip
    resource = telemetry.resource_of(started, destination, telemetry.of_host(destination))
    return [telemetry.readable_span(Span(started, exchange, Open(0, {}, {}), now), resource, 100)]
