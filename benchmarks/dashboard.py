"""Dashboard: how long a person waits for a page over a million exchanges, in a real browser, until it is whole.

A *first visit* is a browser with nothing in its cache, a *next page* a click in the navigation, a *click* a span of
time that was looked at before, a *new click* a server that nobody has asked for. Database, pages and browser share the
machine, as they do at a desk. Then calls are recorded: until an open page shows one, and until it can be read with SQL
while ten viewers click without a pause.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.bench import Bench
from benchmarks.browsing import BROWSERS, Person, opened, served, timed
from benchmarks.generated import EXCHANGES, RUNS, SERVERS, generate
from benchmarks.recording import Recorder
from benchmarks.report import Row, judged, row
from benchmarks.viewers import clicking
from benchmarks.wire import Connection, echo_server

NAME = "dashboard"
ROUNDS = 7
LEAST = 25  # exchanges of a run
SPANS = ("30 d", "all")
PAGES = ("Latency", "Tools", "Overview")
BUDGETS = {"first visit": 2_000.0, "next page": 800.0, "click": 400.0, "new click": 400.0}  # ms, on a million
LARGER = 1.5  # times that, on more
SHOWN, APPEARS = 3_000.0, 1_000.0  # ms
VIEWERS, CALLS, BYTES = 10, 10, 300
GIVE_UP_S = 10.0

Samples = dict[str, list[float]]


def run(bench: Bench) -> Iterator[Row]:
    """Makes a store, serves it, and visits it. Without a browser nothing is measured."""
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        return
    recorder = Recorder(bench.recorder.directory / "generated")
    count = max(bench.times(EXCHANGES), LEAST * RUNS)
    generate(recorder.home, count)
    try:
        with served(recorder.command, recorder.home) as address, opened(program) as browser:
            yield from _visits(bench, browser, address, count)
            yield from _recorded(bench, recorder, browser, address)
    finally:
        recorder.stop()


def _visits(bench: Bench, browser: Any, address: str, count: int) -> Iterator[Row]:
    samples: Samples = {name: [] for name in BUDGETS}
    _one_visit(browser, address, 0, samples)  # pays for imports, and for what is asked for the first time
    samples = {name: samples[name] if name == "new click" else [] for name in BUDGETS}
    for number in range(min(ROUNDS, bench.times(ROUNDS, 2))):
        _one_visit(browser, address, number + 1, samples)
    for name, budget in BUDGETS.items():
        figure = row(NAME, f"{name}, {count:,} exchanges, {_load()}", "mcptap", "ms", samples[name])
        limit = budget * (LARGER if count > EXCHANGES else 1)
        yield judged(figure, f"≤ {limit:,.0f} ms", figure.median <= limit)


def _one_visit(browser: Any, address: str, number: int, samples: Samples) -> None:
    person = Person(browser, address)
    samples["first visit"].append(timed(lambda: person.visit("all")))
    samples["next page"] += [timed(lambda name=name: person.turn(name)) for name in PAGES]  # type: ignore[misc]
    samples["click"] += [person.choose("Time", span) for span in SPANS]
    samples["new click"].append(person.choose("Server", f"server-{number % SERVERS}"))
    person.close()


def _recorded(bench: Bench, recorder: Recorder, browser: Any, address: str) -> Iterator[Row]:
    connection = Connection((*recorder.prefix("echo"), *echo_server(BYTES)))
    person = Person(browser, address)
    person.visit("all")
    shown = [_shown(person, connection) for _ in range(min(CALLS, bench.times(CALLS, 2)))]
    person.close()
    figure = row(NAME, f"a new call is shown, {_load()}", "mcptap", "ms", shown)
    yield judged(figure, f"≤ {SHOWN:,.0f} ms", figure.median <= SHOWN)
    viewers = min(VIEWERS, bench.times(VIEWERS, 2))
    with clicking(address, viewers, SPANS) as clicks:
        appeared = _appeared(recorder, connection, len(shown))
        case = f"first appearance, {viewers} viewers, {len(clicks)} clicks, {_load()}"
    connection.close()
    figure = row(NAME, case, "mcptap", "ms", appeared)
    recorded = recorder.await_messages("echo", 2 * connection.sent)
    yield judged(figure, f"≤ {APPEARS:,.0f} ms", figure.median <= APPEARS, recorded)


def _shown(person: Person, connection: Connection) -> float:
    before = person.newest()
    time.sleep(random.uniform(0, 2))  # out of step with the page
    connection.round_trip(BYTES)
    return timed(lambda: person.await_newer(before))


def _appeared(recorder: Recorder, connection: Connection, times: int) -> list[float]:
    """Milliseconds from an answer's arrival until its exchange can be read with SQL."""
    known, found = connection.sent, []
    for number in range(known + 1, known + times + 1):
        connection.round_trip(BYTES)
        answered = time.perf_counter()
        while recorder.count("exchanges", "echo") < number and time.perf_counter() - answered < GIVE_UP_S:
            time.sleep(0.01)
        found.append(1e3 * (time.perf_counter() - answered))
        time.sleep(random.uniform(0, 0.5))
    return found


def _load() -> str:
    """Who shared the machine: the processes that wanted to run, over the last minute."""
    return f"load {os.getloadavg()[0]:.1f}"
