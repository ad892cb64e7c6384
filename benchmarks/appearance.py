"""First appearance: from an answer's arrival at the client until its exchange can be read with SQL."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.report import Row, judged, row
from benchmarks.wire import Connection, echo_server

NAME = "first appearance in exchanges"
SIZE = 300  # bytes
ROUNDS = 15
BUDGET = 1_000.0  # ms
GIVE_UP = 3.0  # seconds


def run(bench: Bench) -> Iterator[Row]:
    """At irregular moments, so as not to fall in step with the collector."""
    name = bench.name("appearance")
    connection = Connection((*bench.recorder.prefix(name), *echo_server(SIZE)))
    appeared, asked = [], []
    for number in range(1, bench.times(ROUNDS, 2) + 1):
        connection.round_trip(SIZE)
        answered = time.perf_counter()
        while bench.recorder.count("exchanges", name) < number and time.perf_counter() - answered < GIVE_UP:
            pass
        appeared.append(1e3 * (time.perf_counter() - answered))
        before = time.perf_counter()
        bench.recorder.count("exchanges", name)
        asked.append(1e3 * (time.perf_counter() - before))
        time.sleep(random.uniform(0, 0.3))
    connection.close()
    figure = row(NAME, f"{SIZE} B, idle", "mcptap", "ms", appeared)
    recorded = bench.recorded(name, connection.sent)
    yield judged(figure, f"≤ {BUDGET:,.0f} ms", figure.median <= BUDGET, recorded)
    yield row(NAME, "one query, which the figure above holds", "mcptap", "ms", asked)
