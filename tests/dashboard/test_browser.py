"""The dashboard in a real browser: it reaches for nothing, runs nothing of a server's, and stays true."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mcptap.exporters.collector import client

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
READY = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
PATIENCE_MS = 60_000
LINKS = ("Servers", "Tools", "Latency", "Errors", "Runs", "Security", "Query", "Overview")
DEEP = ("runs?run=last&part=Messages&seq=5", "security?security=Changed+definitions")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


class Visitor:
    """Somebody with a browser, who notices what a page does behind their back."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self.context.route("**/*", self._only_ours)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("console", self._console)

    def _only_ours(self, route: Any) -> None:
        if route.request.url.startswith((self.address, "data:", "blob:")):
            route.continue_()
        else:
            self.wrong.append(f"request: {route.request.url}")
            route.abort()

    def _console(self, message: Any) -> None:
        # On a page's own address Streamlit looks for itself below it first.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.wrong.append(f"console: {message.text}")

    def go(self, path: str) -> None:
        """Opens a page and waits until it is drawn to its end."""
        self.page.goto(self.address + path)
        self.ready()

    def turn(self, name: str) -> None:
        """Goes to a page by its link."""
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
        self.ready()

    def ready(self) -> None:
        self.page.locator(".st-key-page_end").wait_for(state="attached")
        self.page.locator(READY).wait_for(state="attached")

    def says(self, text: str) -> None:
        expect(self.page.get_by_text(text, exact=False).first).to_be_visible()

    def width_over(self) -> int:
        """Pixels by which the page is wider than its window."""
        found = self.page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth - e.clientWidth")
        return int(found)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("needs Chromium or Chrome")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(recording: Any) -> Iterator[str]:
    """Where a dashboard over the recording is served, as `mcptap dashboard` says it."""
    words = [*recording.program, "--home", str(recording.home), "dashboard", "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        found = re.fullmatch(r"mcptap dashboard: (http://127\.0\.0\.1:\d+/)\n", server.stdout.readline())
        assert found
        yield found[1]
        server.terminate()


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Callable[..., Visitor]]:
    there: list[Visitor] = []

    def come(**options: Any) -> Visitor:
        there.append(Visitor(browser, address, **{"viewport": WIDE} | options))
        return there[-1]

    yield come
    for one in there:
        one.context.close()


def test_hostile_text_on_every_page_reaches_for_nothing_and_runs_nothing(visitor: Any, recording: Any) -> None:
    one = visitor()
    ((hostile_run,),) = recording.sql("SELECT run_id FROM runs WHERE name <> 'weather' ORDER BY started_at LIMIT 1")
    one.go("")
    for name in LINKS:
        one.turn(name)
        harmless(one, name)
    for path in DEEP:
        one.go(path.replace("run=last", f"run={hostile_run}"))
        harmless(one, path)


def harmless(one: Visitor, place: str) -> None:
    """Nothing of a server's has become more than text on this page."""
    expect(one.page.get_by_test_id("stException")).to_have_count(0)
    assert one.page.evaluate("typeof window.pwned") == "undefined"
    assert one.page.locator(":is(a[href*=beacon], img[src*=beacon])").count() == 0
    assert one.width_over() <= 0, place
    assert one.wrong == [], place


def test_on_a_phone_in_the_dark_no_page_is_wider_than_its_window(visitor: Any) -> None:
    one = visitor(viewport=NARROW, is_mobile=True, has_touch=True, color_scheme="dark")
    for path in ("", "runs?run=last"):
        one.go(path)
        assert one.width_over() <= 0, path
        colour = one.page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
        assert colour == "rgb(18, 22, 28)"
    assert one.wrong == []


def test_filters_come_from_the_address_and_stay_from_page_to_page(visitor: Any) -> None:
    one = visitor()
    one.go("tools?server=weather&tool=flaky")
    one.says("How long it takes")
    one.turn("Latency")
    assert "server=weather" in one.page.url
    assert "tool=flaky" in one.page.url
    cells = one.page.locator(".st-key-table_slow [data-testid^=glide-cell-2-]")
    expect(cells.first).to_have_text("flaky")
    assert one.wrong == []


def test_a_new_call_appears_without_a_reload(visitor: Any, recording: Any, mcptap: list[str]) -> None:
    one = visitor()
    one.go("")
    newest = one.page.locator(".st-key-table_newest [data-testid=glide-cell-0-0]")
    expect(newest).not_to_have_text("brand_new")
    recording.run("weather", recording.weather, (("brand_new", {}),))
    expect(newest).to_have_text("brand_new")
    assert one.wrong == []


def test_a_stopped_collector_is_told_and_the_page_recovers(visitor: Any, recording: Any) -> None:
    one = visitor()
    one.go("")
    client.request(recording.home, "stop")
    one.says("The collector is not running")
    one.page.get_by_role("button", name="Start the collector").click()
    one.says("Busiest tools")
    one.ready()
    expect(one.page.get_by_test_id("stException")).to_have_count(0)
    client.request(recording.home, "stop")
    one.says("The collector is not running")
    client.ensure(recording.home)
    one.says("Busiest tools")


def test_a_page_may_run_only_what_the_dashboard_brings(visitor: Any, address: str) -> None:
    one = visitor()
    answer = one.page.goto(address)
    assert answer is not None
    assert "default-src 'none'" in (answer.headers["content-security-policy"])
    one.ready()
    one.page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: '//beacon.invalid/x'}))")
    one.page.locator("img[src*=beacon]").wait_for(state="attached")
    assert not [told for told in one.wrong if told.startswith("request")], "the policy stops it before it is asked for"
    assert [told for told in one.wrong if "Content Security Policy" in told]
