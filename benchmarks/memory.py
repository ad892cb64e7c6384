"""Memory: what the tap's own process holds, idle and while more floods through it than is recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psutil

from benchmarks.bench import Bench
from benchmarks.report import Row, judged, row
from benchmarks.subjects import DIRECT, MCPTAP, Subject
from benchmarks.wire import Connection, echo_server, request

NAME = "memory of the tap"
IDLE = 15.0  # MB
BUFFER = 67.1  # MB: the bound on what waits to be recorded (64 MiB)
FLOOD, SIZE = 60_000, 1_000  # exchanges, bytes of request and of answer: 120 MB
SAMPLE = 0.005  # seconds


def run(bench: Bench) -> Iterator[Row]:
    """Resident memory, shared pages and all; the collector, one per user, apart."""
    count = bench.times(FLOOD, 100)
    flood = [b"".join(request(n, SIZE) for n in range(i, min(i + 100, count))) for i in range(0, count, 100)]
    for subject in bench.subjects:
        if subject.name != DIRECT:
            yield from _subject(bench, subject, flood, count)
    yield row(NAME, "idle", "collector", "MB", [_resident(bench.recorder.collector)])


def _subject(bench: Bench, subject: Subject, flood: list[bytes], count: int) -> Iterator[Row]:
    connection = Connection((*subject.prefix(bench.name("memory")), *echo_server(SIZE)), subject.environment)
    for _ in range(10):
        connection.round_trip(SIZE)
    bench.recorder.settle()
    process = psutil.Process(connection.process.pid)
    idle = row(NAME, "idle", subject.name, "MB", [_resident(process)])
    peak = Peak(process)
    connection.stream(flood, count)
    loaded = row(NAME, f"{2 * count * SIZE / 1e6:.0f} MB flood, peak", subject.name, "MB", [peak.end()])
    connection.close()
    if subject.name == MCPTAP:
        idle = judged(idle, f"≤ {IDLE:.0f} MB", idle.median <= IDLE)
        limit = IDLE + BUFFER
        loaded = judged(loaded, f"≤ {limit:.0f} MB", loaded.median <= limit)
        bench.recorder.settle()
    yield idle
    yield loaded


class Peak:
    """Looks at a process's memory again and again until told to end."""

    def __init__(self, process: psutil.Process, every: float = SAMPLE) -> None:
        """`every` so many seconds."""
        self._process, self._every, self._highest, self._done = process, every, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """The most that it held, in MB."""
        self._done.set()
        self._thread.join()
        return max(self._highest, _resident(self._process))

    def _watch(self) -> None:
        while not self._done.wait(self._every):
            self._highest = max(self._highest, _resident(self._process))


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
