"""Throughput: one line of 100 MB in each direction, and many small messages without waiting for answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.bench import Bench
from benchmarks.report import Row, judged, row
from benchmarks.subjects import DIRECT, MCPTAP, Subject
from benchmarks.wire import Connection, echo_server, request

NAME = "throughput"
LINE = 100_000_000  # bytes
SMALL, COUNT = 300, 20_000  # bytes of each message, and how many each way
BUDGET = 0.6  # x direct, of the 100 MB lines
ROUNDS = 5


def run(bench: Bench) -> Iterator[Row]:
    """One connection per turn, so that no turn pays for another's backlog."""
    count = bench.times(COUNT, 100)
    line = bench.times(LINE) if bench.scale < 0.1 else LINE
    size = f"{line / 1e6:.0f} MB line"
    yield from _case(bench, f"{size} to the server", "MB/s", line / 1e6, 100, lambda: [request(0, line)])
    yield from _case(bench, f"{size} to the client", "MB/s", line / 1e6, line, lambda: [request(0, 100)])
    small = [b"".join(request(n, SMALL) for n in range(i, min(i + 100, count))) for i in range(0, count, 100)]
    yield from _case(bench, f"{count:,} of {SMALL} B each way", "/s", count, SMALL, lambda: small, count)


def _case(
    bench: Bench,
    case: str,
    unit: str,
    amount: float,
    reply: int,
    data: Callable[[], Sequence[bytes]],
    requests: int = 1,
) -> Iterator[Row]:
    name, rounds, requested = bench.name("throughput"), bench.times(ROUNDS, 2), data()

    def turn(subject: Subject) -> float:
        connection = Connection((*subject.prefix(name), *echo_server(reply)), subject.environment)
        connection.round_trip(100)  # the server has started
        took = connection.stream(requested, requests)
        connection.close()
        return amount / took

    samples = bench.take_turns(rounds, turn)
    recorded = bench.recorded(name, rounds * (requests + 1))
    for subject in samples:
        figure = row(NAME, case, subject, unit, samples[subject], samples[DIRECT])
        if subject == MCPTAP:
            limit = BUDGET if requests == 1 else None
            figure = judged(figure, f"≥ {limit} x direct" if limit else None, (figure.ratio or 0) >= BUDGET, recorded)
        yield figure
