"""Round trip: one request out, its answer back, one at a time, over connections that stay open."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.bench import Bench, Samples
from benchmarks.report import Row, judged, row
from benchmarks.subjects import DIRECT, MCPTAP, PEERS, RELAY
from benchmarks.wire import can_pin, echo_server

NAME = "round trip"
TRIPS = {100: 500, 300: 500, 10_000: 200, 1_000_000: 10}  # bytes of request and of answer, trips per turn
LABELS = {100: "100 B", 300: "300 B", 10_000: "10 KB", 1_000_000: "1 MB"}
BUDGETS = {(300, False): 1.45, (300, True): 1.45, (1_000_000, False): 1.6, (1_000_000, True): 2.2}  # x direct
ADDED = {300: 20.0}  # µs that are granted where the direct pipe is so fast that the ratio grants less
ROUNDS = 15
WARM_UP = 20


def run(bench: Bench) -> Iterator[Row]:
    """Every size, free and pinned to one core; in a hurry only the sizes that have a budget."""
    for pin in (False, True) if can_pin() else (False,):
        for size in TRIPS if bench.scale >= 1 else sorted({size for size, _ in BUDGETS}):
            yield from _case(bench, size, pin)


def _case(bench: Bench, size: int, pin: bool) -> Iterator[Row]:
    trips, rounds = bench.times(TRIPS[size], 5), bench.times(ROUNDS, 3)
    name = bench.name(f"roundtrip-{size}")
    with bench.connections(name, echo_server(size), pin=pin) as connections:
        for connection in connections.values():
            for _ in range(min(WARM_UP, trips)):
                connection.round_trip(size)
        bench.recorder.settle()
        samples = bench.take_turns(
            rounds,
            lambda subject: 1e6 * statistics.median(connections[subject.name].round_trip(size) for _ in range(trips)),
        )
        sent = connections[MCPTAP].sent
    case = f"{LABELS[size]}, {'one core' if pin else 'free'}"
    recorded = bench.recorded(name, sent)
    for subject in samples:
        figure = row(NAME, case, subject, "µs", samples[subject], samples[DIRECT])
        if subject == MCPTAP:
            figure = judged(figure, *_verdict(samples, figure.ratio or 0.0, size, pin), recorded)
        yield figure


def _verdict(samples: Samples, ratio: float, size: int, pin: bool) -> tuple[str | None, bool]:
    """The budget in words, and whether it is kept: by the ratio, or by what is granted in absolute terms."""
    limit, granted = BUDGETS.get((size, pin)), ADDED.get(size, 0.0)
    if limit is None:
        return None, True
    added, least = (_added(samples, name) for name in (MCPTAP, RELAY))
    words = f"≤ {limit} x direct"
    if granted:
        words += f" or added {added:.1f} ≤ {granted:.0f} µs"
    words += f" (relay {least:+.1f})"
    peers = [statistics.median(samples[name]) for name in samples if name in PEERS]
    below = all(statistics.median(samples[MCPTAP]) < peer for peer in peers)
    return words + (", below peers" if peers else ""), (ratio <= limit or added <= granted) and below


def _added(samples: Samples, name: str) -> float:
    """µs more than direct; of the relay: what one more process on the way costs on this machine, recording nothing."""
    return statistics.median(a - b for a, b in zip(samples[name], samples[DIRECT], strict=True))
