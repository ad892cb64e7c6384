"""Export: spans that reach an OpenTelemetry backend while traffic is recorded, and after an outage.

The receiver counts what arrives and how often. Capture goes at full speed, as in `ingest`: so what is measured is
whether export keeps its rate beside it, and what it takes from it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psutil

from benchmarks import ingest
from benchmarks.bench import Bench
from benchmarks.recording import Recorder
from benchmarks.report import Row, judged, row

NAME = "export beside capture"
WORKER = "mcptap.exporters.otlp.worker"
EXCHANGES, OUTAGE = 20_000, 10_000
RATE, MEMORY = 1_000, 128.0  # spans per second; MB
PATIENCE = 60.0  # seconds without a new span after which the rest is given up
LOOK = 0.05
SETTINGS = (
    '\n[otlp]\nOTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:{port}"\n'
    'OTEL_METRICS_EXPORTER = "none"\nOTEL_LOGS_EXPORTER = "none"\n'
)


class Receiver:
    """A backend in a process of its own, that can go and come back at the same place."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        """Comes up, empty."""
        words = [sys.executable, "-m", "benchmarks.receiver", str(self.port)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """Goes down."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def of(self, service: str) -> dict[str, float]:
        """The counts of one service; empty before its first span."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return dict(found.get(service, {}))

    def await_spans(self, service: str, count: int) -> dict[str, float]:
        """Waits until that many have come, or none has for a long while."""
        had, deadline = -1.0, time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            row = self.of(service)
            if row.get("ids", 0) >= count:
                break
            if row.get("ids", 0) > had:
                had, deadline = row.get("ids", 0), time.monotonic() + PATIENCE
            time.sleep(LOOK)
        return row


class Worker:
    """The exporting process: what it holds at most, and the processor time that it takes."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self.peak, self._stop = recorder, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def process(self) -> psutil.Process | None:
        """It, as soon as the collector has started it."""
        for child in self._recorder.collector.children():
            if WORKER in child.cmdline():
                return child
        return None

    def cpu(self) -> float:
        """Seconds so far."""
        times = self.process.cpu_times() if self.process else None
        return float(times.user + times.system) if times else 0.0

    def close(self) -> None:
        """Watches no more."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK):
            try:
                held = self.process.memory_info().rss / 1e6 if self.process else 0.0
            except psutil.Error:  # it is being started again
                continue
            self.peak = max(self.peak, held)


def run(bench: Bench) -> Iterator[Row]:
    """Beside a flood, then after an outage."""
    receiver = Receiver()
    config = bench.recorder.home / "config.toml"
    before = config.read_text() if config.exists() else ""
    config.write_text(before + SETTINGS.format(port=receiver.port))
    worker = Worker(bench.recorder)
    try:
        _await_start(worker)
        yield from _beside(bench, receiver, worker)
        yield from _outage(bench, receiver)
        memory = row(NAME, "exporting process, at most", "mcptap", "MB", [worker.peak])
        yield judged(memory, f"≤ {MEMORY:.0f} MB", worker.peak <= MEMORY)
    finally:
        worker.close()
        config.write_text(before)
        receiver.stop()


def _await_start(worker: Worker) -> None:
    deadline = time.monotonic() + PATIENCE
    while worker.process is None and time.monotonic() < deadline:
        time.sleep(LOOK)


def _beside(bench: Bench, receiver: Receiver, worker: Worker) -> Iterator[Row]:
    """Capture at full speed, and what arrives meanwhile."""
    count, cpu, name = bench.times(EXCHANGES, 50), worker.cpu(), bench.name("export")
    flood = ingest.flood(bench, name, 1, count)
    seen = receiver.await_spans(name, count)
    case = f"{count:,} exchanges of 1 KB"
    captured = row(NAME, f"{case}, into the store", "mcptap", "/s", [count / flood.wall])
    yield judged(captured, f"≥ {ingest.BUDGET:,}/s", captured.median >= ingest.BUDGET, flood.recorded)
    lasted = max(seen.get("last", 0) - seen.get("first", 0), 1e-3)
    rate = row(NAME, f"{case}, spans to a receiver", "mcptap", "/s", [(count - seen.get("first_spans", 0)) / lasted])
    yield replace(
        judged(rate, f"≥ {RATE:,}/s", rate.median >= RATE and _once(seen, count)), recorded=_told(seen, count)
    )
    yield row(NAME, "processor time per 1,000 spans", "mcptap", "s", [1e3 * (worker.cpu() - cpu) / count])


def _outage(bench: Bench, receiver: Receiver) -> Iterator[Row]:
    """The receiver is down for all of the traffic, and then comes back."""
    receiver.stop()
    count, name = bench.times(OUTAGE, 50), bench.name("outage")
    flood = ingest.flood(bench, name, 1, count)
    receiver.start()
    began = time.monotonic()
    seen = receiver.await_spans(name, count)
    case = f"all spans of {count:,} exchanges while it was down"
    caught = row(NAME, case, "mcptap", "s", [seen.get("last", began) - began])
    whole = _once(seen, count) and flood.recorded.whole
    yield replace(judged(caught, "each once", whole), recorded=_told(seen, count))


def _once(seen: dict[str, float], count: int) -> bool:
    return seen.get("ids") == seen.get("spans") == count


def _told(seen: dict[str, float], count: int) -> str:
    return f"{seen.get('ids', 0):,.0f} of {count:,}"
