"""Somebody before the dashboard: a real browser, what they click, and when the page is whole.

Whole is: the script has ended, the end of the page that was asked for is there (not of the one before: its mark is of
all that is chosen), so are its charts, and the browser has drawn twice since.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
READY = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
END = ".st-key-page_end"
MARK = f"{END} [class*=st-key-of_]"
CHARTS = {"Overview": 1, "Latency": 3}  # drawings of a page
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
NEWEST = ".st-key-table_newest [data-testid=glide-cell-3-0]"  # when the newest call was


class Person:
    """One browser's window with nothing in its cache."""

    def __init__(self, browser: Any, address: str) -> None:
        self._context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page = self._context.new_page()
        self.page.set_default_timeout(60_000)
        self._address = address

    def close(self) -> None:
        self._context.close()

    def visit(self, span: str) -> None:
        """Opens the first page."""
        self.page.goto(f"{self._address}?time={span.replace(' ', '+')}")
        self._whole("Overview")

    def turn(self, name: str) -> None:
        """Goes to a page by its link."""
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
        self._whole(name)

    def choose(self, filter_: str, option: str) -> float:
        """Milliseconds from the choice in an open list to the whole page. The page must be the overview."""
        before = self._mark()
        self.page.get_by_role("combobox", name=filter_).click()
        chosen = self.page.get_by_role("option", name=option, exact=True)
        chosen.wait_for()
        began = time.perf_counter()
        chosen.click()
        self._whole("Overview", before)
        return 1e3 * (time.perf_counter() - began)

    def newest(self) -> str:
        """When the newest call was that the first page shows."""
        return str(self.page.locator(NEWEST).text_content())

    def await_newer(self, than: str) -> None:
        """Waits until another is shown."""
        self.page.locator(NEWEST).filter(has_not_text=than).wait_for(state="attached")

    def _mark(self) -> str:
        classes = str(self.page.locator(MARK).get_attribute("class")).split()
        return next(name for name in classes if name.startswith("st-key-of_"))

    def _whole(self, name: str, before: str = "nothing") -> None:
        self.page.locator(f"{MARK}:not(.{before})").wait_for(state="attached")
        self.page.locator(READY).wait_for(state="attached")
        drawn = self.page.locator("[data-testid=stVegaLiteChart]:has(svg, canvas)")
        for number in range(CHARTS.get(name, 0)):
            drawn.nth(number).wait_for(state="attached")
        self.page.evaluate(DRAWN)


@contextmanager
def served(command: Sequence[str], home: Path) -> Iterator[str]:
    """The address of a dashboard over this state directory."""
    words = [*command, "--home", str(home), "dashboard", "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield server.stdout.readline().split()[-1]
        server.terminate()


@contextmanager
def opened(program: str) -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    before = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - before)
