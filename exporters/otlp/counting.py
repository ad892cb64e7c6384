"""The metrics of one destination: what is new is counted, and the totals are sent from time to time.

The idea: a request holds so many series that any backend takes it. Where one does not, it is tried with half as many;
a single series that is refused holds up no other.
"""

from __future__ import annotations

import time
from typing import Final

from mcptap.exporters.otlp.attributes import service_name
from mcptap.exporters.otlp.delivery import Delivery
from mcptap.exporters.otlp.gathering import Gathering
from mcptap.exporters.otlp.marks import Marks
from mcptap.exporters.otlp.outcome import Outcome
from mcptap.exporters.otlp.settings import Destination
from mcptap.exporters.otlp.totals import Totals

SERIES: Final = 500  # of one request, at most: with exemplars about 1 MB


class Counting:
    """Counts the items of one lane; for its thread."""

    def __init__(self, destination: Destination, marks: Marks, gathering: Gathering, delivery: Delivery) -> None:
        from mcptap.exporters.otlp import points, telemetry

        self._points = points
        self._destination, self._marks, self._gathering, self._delivery = destination, marks, gathering, delivery
        self._host = telemetry.of_host(destination) | {"service.instance.id": marks.installation}
        self._totals = Totals.from_bytes(marks.state) if marks.state else Totals(time.time_ns())
        self._most = SERIES
        self.stuck = False
        self._send_at = 0.0
        self._dirty = bool(self._totals.series)

    def counts(self) -> dict[str, int]:
        """What has been sent, rejected by the backend, and passed over."""
        return self._marks.counts()

    def turn(self) -> bool:
        """Counts what is new and sends the totals when it is time; False if there was nothing to do."""
        batch = self._gathering.next(lambda _: True)
        for item in batch.items:
            self._totals.count(item, service_name(item.started, self._destination.service_name))
        if batch.marks:
            self._marks.move(batch.marks, batch.done, state=self._totals.to_bytes())
            self._gathering.moved(batch)
        self._dirty |= bool(batch.items)
        sent = not self._gathering.waiting and self._send()
        return bool(batch.marks) or sent

    def _send(self) -> bool:
        hurry = self._delivery.hurry.is_set() and self._dirty and not self._delivery.failures
        if not self._totals.series or (time.monotonic() < self._send_at and not hurry):
            return False
        now, taken = time.time_ns(), False
        for part in list(self._totals.parts(self._most)):
            outcome = self._attempt(part, now)
            if outcome.verdict == "delivered":
                self._taken(part, now, outcome.rejected)
                taken = True
            elif outcome.verdict != "poison" or len(part.series) > 1:
                self._most = max(1, len(part.series) // 2) if outcome.verdict == "poison" else self._most
                self._send_at = time.monotonic() + max(0.0, self._delivery.next_at - time.time())
                return False
        self._send_at = time.monotonic() + self._destination.interval_s
        if not taken:
            return False  # a backend that refuses every single series has a wrong setting: all is kept
        if self._destination.delta:
            self._totals = Totals(now)
        self._totals.sent_at = now
        self._marks.move({}, sent=1, state=self._totals.to_bytes())
        self._dirty = False
        return True

    def _attempt(self, part: Totals, now: int) -> Outcome:
        data = self._points.metrics_data(
            part,
            self._host,
            now,
            delta=self._destination.delta,
            examples=self._destination.exemplars,
            back=int(self._destination.interval_s * 1e9),
        )
        return self._delivery.attempt(data)

    def _taken(self, part: Totals, now: int, rejected: int) -> None:
        """Notes it at once: what of a part was sent as new must not be sent as new again."""
        part.sent(now)
        if self._destination.delta:
            self._totals.drop(part)
        self._marks.move({}, rejected=rejected, state=self._totals.to_bytes())
