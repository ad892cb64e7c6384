"""Dashboard: how long a person waits for a page over a million exchanges, in a real browser, until it is whole.

Whole is: the script has ended, the page's last element is there, and so are its charts. A *first visit* is a browser
with nothing in its cache, a *next page* a click in the navigation, a *click* a filter that is chosen. Database, pages
and browser share the machine, as they do at a desk.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.generated import EXCHANGES, RUNS, generate
from benchmarks.report import Row, judged, row

NAME = "dashboard"
ROUNDS = 7
LEAST = 25  # exchanges of a run
BUDGETS = {"first visit": 2_000.0, "next page": 800.0, "click": 400.0}  # ms
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
READY = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
CHARTS = {"": 2, "latency": 3}  # canvases or drawings of a page, at least
SPANS = ("all", "30 d")


def run(bench: Bench) -> Iterator[Row]:
    """Makes a store, serves it, and visits it. Without a browser nothing is measured."""
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        return
    home = bench.recorder.directory / "generated"
    count = max(bench.times(EXCHANGES), LEAST * RUNS)
    generate(home, count)
    try:
        with served(bench, home) as address, visitor(program) as browser:
            yield from _measure(bench, browser, address, count)
    finally:
        subprocess.run([*bench.recorder.command, "--home", str(home), "stop"], check=False, stdout=subprocess.DEVNULL)


@contextmanager
def served(bench: Bench, home: Path) -> Iterator[str]:
    """The address of a dashboard over this state directory."""
    words = [*bench.recorder.command, "--home", str(home), "dashboard", "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield server.stdout.readline().split()[-1]
        server.terminate()


@contextmanager
def visitor(program: str) -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


def _measure(bench: Bench, browser: Any, address: str, count: int) -> Iterator[Row]:
    _visit(browser, address).close()  # the first of all pays for imports
    rounds = bench.times(ROUNDS, 2)
    samples: dict[str, list[float]] = {name: [] for name in BUDGETS}
    for _ in range(rounds):
        for name, taken in _one_visit(browser, address).items():
            samples[name] += taken
    for name, budget in BUDGETS.items():
        figure = row(NAME, f"{name}, {count:,} exchanges", "mcptap", "ms", samples[name])
        yield judged(figure, f"≤ {budget:,.0f} ms", figure.median <= budget)


def _one_visit(browser: Any, address: str) -> dict[str, list[float]]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    taken = {"first visit": [_timed(lambda: (page.goto(f"{address}?time=all"), _whole(page, "")))]}
    taken["next page"] = [_timed(lambda name=name: _turn(page, name)) for name in ("Latency", "Tools", "Overview")]
    taken["click"] = [_choose(page, span) for span in ("30 d", "all")]
    context.close()
    return taken


def _visit(browser: Any, address: str) -> Any:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    for span in SPANS:
        page = context.new_page()
        page.goto(f"{address}?time={span.replace(' ', '+')}")
        _whole(page, "")
        for name in ("Latency", "Tools", "Overview"):
            _turn(page, name)
        page.close()
    return context


def _turn(page: Any, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True).wait_for()
    _whole(page, "" if name == "Overview" else name.lower())


def _choose(page: Any, span: str) -> float:
    """Milliseconds from the choice in an open list to the whole page."""
    page.get_by_role("combobox", name="Time").click()
    chosen = page.get_by_role("option", name=span, exact=True)
    chosen.wait_for()
    return _timed(lambda: (chosen.click(), page.wait_for_url(f"**time={span.replace(' ', '+')}*"), _whole(page, "")))


def _whole(page: Any, name: str) -> None:
    page.locator(".st-key-page_end").wait_for(state="attached")
    page.locator(READY).wait_for(state="attached")
    drawn = page.locator("[data-testid=stVegaLiteChart] :is(svg, canvas)")
    for number in range(CHARTS.get(name, 0)):
        drawn.nth(number if name == "latency" else 0).wait_for(state="attached")


def _timed(work: Callable[[], Any]) -> float:
    before = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - before)
