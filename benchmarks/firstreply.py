"""First reply: from starting the command to its first answer, which is what a host's user waits for."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks.bench import Bench, Samples
from benchmarks.report import Row, judged, row
from benchmarks.subjects import DIRECT, MCPTAP, Subject
from benchmarks.wire import FIRST_ID, Connection, echo_server

NAME = "first reply"
ANSWER = f'{{"jsonrpc":"2.0","id":{FIRST_ID},"result":{{"content":[]}}}}'
SHELL = (
    "/bin/sh",
    "-c",
    f"read -r line; echo '{ANSWER}'; read -r line",
)  # starts in a millisecond: hides nothing
SERVERS: dict[str, Sequence[str]] = {"shell server": SHELL, "python server": echo_server(200)}
BUDGET = 1.5  # added time, in units of `python -c pass`
ROUNDS, COLD_ROUNDS = 20, 6


def run(bench: Bench) -> Iterator[Row]:
    """With the collector running, and for the tap that has to start it."""
    for label, server in SERVERS.items():
        yield from _case(bench, f"{label}, collector running", server, cold=False)
    yield from _case(bench, "shell server, collector not running", SHELL, cold=True)


def _case(bench: Bench, case: str, server: Sequence[str], *, cold: bool) -> Iterator[Row]:
    name = bench.name("firstreply")
    interpreter: list[float] = []

    def turn(subject: Subject) -> float:
        if subject.name == DIRECT:
            interpreter.append(_bare_interpreter())
        if cold and subject.name == MCPTAP:
            bench.recorder.stop()
        connection, took = _first_reply(subject, name, server)
        if cold and subject.name == MCPTAP:
            bench.recorder.await_collector()  # servers outlive the start of a collector
        connection.close()
        return took

    rounds = bench.times(COLD_ROUNDS if cold else ROUNDS, 3)
    samples = bench.take_turns(rounds, turn)
    recorded = bench.recorded(name, rounds)
    yield row(NAME, case, "python -c pass", "ms", interpreter)
    for subject in samples:
        figure = row(NAME, case, subject, "ms", samples[subject], samples[DIRECT])
        if subject == MCPTAP:
            added = _added(samples) / statistics.median(interpreter)
            figure = judged(figure, f"added {added:.2f} ≤ {BUDGET} x python -c pass", added <= BUDGET, recorded)
        yield figure


def _added(samples: Samples) -> float:
    return statistics.median(a - b for a, b in zip(samples[MCPTAP], samples[DIRECT], strict=True))


def _first_reply(subject: Subject, name: str, server: Sequence[str]) -> tuple[Connection, float]:
    began = time.perf_counter()
    connection = Connection((*subject.prefix(name), *server), subject.environment)
    connection.round_trip(200)
    return connection, 1e3 * (time.perf_counter() - began)


def _bare_interpreter() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return 1e3 * (time.perf_counter() - began)
