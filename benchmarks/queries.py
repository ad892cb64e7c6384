"""Queries: how long a person waits for an answer about a million exchanges, from the shell and back.

Each command is run as a process of its own, over a collector that is at work, and beside it the same SQL alone, over a
connection that is open.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from benchmarks.bench import Bench
from benchmarks.generated import EXCHANGES, RUNS, generate
from benchmarks.report import Row, judged, row
from mcptap.exporters.cli import runs, show, status
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.store import read

NAME = "queries"
ROUNDS = 7
BUDGET = 1_000.0  # ms, on a million
LARGER = 1.5  # times that, on more
LEAST = 25  # exchanges of a run
RUN = "run-000100"

_PAGE = {"run": literal(RUN), "since": "", "body": "NULL", "after": -1, "page": show.PAGE}
# What is asked on the command line -> what that asks of the database.
COMMANDS: dict[tuple[str, ...], str] = {
    ("servers",): "FROM server_summary()",
    ("tools",): "FROM tool_summary() LIMIT 50",
    ("errors",): "FROM error_groups() LIMIT 20",
    ("slow",): "FROM slow_calls(most := 20)",
    ("show", RUN): show.MESSAGES.format(**_PAGE),
    ("runs",): runs.RUNS.format(where="true", limit=50),
    ("status",): status.GAPS,
}


def run(bench: Bench) -> Iterator[Row]:
    """Makes a store, has every command answered from it, and removes it with the bench's directory."""
    home = bench.recorder.directory / "generated"
    count = max(bench.times(EXCHANGES), LEAST * RUNS)
    began = time.perf_counter()
    generate(home, count)
    yield row(NAME, f"{count:,} exchanges, made in", "generator", "s", [time.perf_counter() - began])
    try:
        yield from _measure(bench, home, count)
    finally:
        _say(bench, home, "stop")


def _measure(bench: Bench, home: Path, count: int) -> Iterator[Row]:
    rounds, budget = min(ROUNDS, bench.times(ROUNDS)), BUDGET * (LARGER if count > EXCHANGES else 1)
    _say(bench, home, "runs")  # starts the collector
    for words, sql in COMMANDS.items():
        case = f"{words[0]}, {count:,} exchanges"
        whole = [_timed(lambda words=words: _say(bench, home, *words)) for _ in range(rounds)]  # type: ignore[misc]
        figure = row(NAME, case, "mcptap", "ms", whole)
        yield judged(figure, f"≤ {budget:,.0f} ms", figure.median <= budget)
        with read.connect(home) as connection:
            alone = [_timed(lambda sql=sql: _ask(connection, sql)) for _ in range(rounds)]  # type: ignore[misc]
        yield row(NAME, case, "SQL alone", "ms", alone)


def _timed(work: Callable[[], None]) -> float:
    before = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - before)


def _say(bench: Bench, home: Path, *words: str) -> None:
    command = [*bench.recorder.command, "--home", str(home), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _ask(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    connection.sql("FROM store.query(?)", params=[sql]).fetchall()
