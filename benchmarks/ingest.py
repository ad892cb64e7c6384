"""Ingest: how fast the collector takes in traffic, from the first byte until every row is in the store.

The taps run with `--strict`, which blocks rather than drops when the buffer is full: the flood then goes as
fast as the collector, and what comes out is its rate.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.recording import Recorded
from benchmarks.report import Row, judged, row
from benchmarks.wire import Connection, echo_server, request

NAME = "collector ingest"
REQUEST, REPLY = 256, 768  # bytes: an exchange of 1 KB
VARIETY = 97  # different texts
EXCHANGES = 20_000  # over all taps
TAPS = (1, 4)
BUDGET = 5_000  # exchanges per second
ROUNDS = 3


@dataclass(frozen=True)
class Measured:
    """One flood: seconds until every row was stored, processor seconds of the collector, what was stored."""

    wall: float
    cpu: float
    recorded: Recorded


def run(bench: Bench) -> Iterator[Row]:
    """Through one tap and through several at once."""
    for taps in TAPS:
        each = bench.times(EXCHANGES // taps, 50)
        total = each * taps
        case = f"{total:,} exchanges of 1 KB, {taps} tap{'s' if taps > 1 else ''}"
        measured = [flood(bench, bench.name("ingest"), taps, each) for _ in range(bench.times(ROUNDS))]
        worst = min((m.recorded for m in measured), key=lambda r: r.stored)
        rate = row(NAME, f"{case}, into the store", "mcptap", "/s", [total / m.wall for m in measured])
        yield judged(rate, f"≥ {BUDGET:,}/s", rate.median >= BUDGET, worst)
        cpu = row(
            NAME,
            f"{case}, collector's processor time per 1,000",
            "mcptap",
            "s",
            [1e3 * m.cpu / total for m in measured],
        )
        yield judged(cpu, f"≤ {1e3 / BUDGET} s", cpu.median <= 1e3 / BUDGET)
    yield row(
        NAME,
        "collector's memory afterwards",
        "mcptap",
        "MB",
        [bench.recorder.collector.memory_info().rss / 1e6],
    )


def flood(bench: Bench, name: str, taps: int, each: int) -> Measured:
    """So many taps of this name at once, each with so many exchanges."""
    data = [b"".join(request(n, REQUEST, VARIETY) for n in range(i, min(i + 100, each))) for i in range(0, each, 100)]
    bench.recorder.settle()
    cpu = bench.recorder.cpu_seconds()
    prefix = bench.recorder.prefix(name, "--strict")
    connections = [Connection((*prefix, *echo_server(REPLY, VARIETY))) for _ in range(taps)]
    began = time.perf_counter()
    threads = [threading.Thread(target=_stream, args=(connection, data, each)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = bench.recorded(name, taps * each)
    return Measured(time.perf_counter() - began, bench.recorder.cpu_seconds() - cpu, recorded)


def _stream(connection: Connection, data: Sequence[bytes], each: int) -> None:
    connection.stream(data, each)
    connection.close()
