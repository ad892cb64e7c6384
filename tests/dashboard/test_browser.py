"""The dashboard in a real browser: it reaches for nothing, runs nothing of a server's, and stays true."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mcptap.dashboard.safe import ROW_PX
from mcptap.exporters.cli.mutes import FILE
from mcptap.exporters.collector import client
from mcptap.exporters.collector.detection import APPROVED

AXE = Path(__file__).parents[1] / "servers" / "node_modules" / "axe-core" / "axe.min.js"
BROKEN_RULES = """async () => (await axe.run()).violations.map(
    rule => [rule.id, rule.impact, rule.nodes.map(node => node.html.slice(0, 200))])"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
READY = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
PATIENCE_MS = 60_000
LINKS = ("Servers", "Tools", "Latency", "Errors", "Runs", "Security", "Query", "Overview")
DEEP = ("runs?run=last&part=Messages&seq=5", "security?security=Changed+definitions")
KEYS = 60  # tabs until the first table, at most
FOCUSED = """() => { const e = document.activeElement; return e === document.body ? '' :
    [e.dataset.testid, e.getAttribute('aria-label'), e.labels?.[0]?.innerText, e.innerText].join(' ') }"""
HOLD = """import duckdb, sys, time
held = None
while held is None:
    try:
        held = duckdb.connect(sys.argv[1])
    except duckdb.IOException:  # whoever had it is still closing it
        time.sleep(0.05)
print('held', flush=True); input()"""
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

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def pick(self, table: str, row: int) -> None:
        """Clicks into a row of a table; its cells are drawn, so by its place."""
        self.page.locator(f".st-key-table_{table} [data-testid=stDataFrame]").click(
            position={"x": 12, "y": ROW_PX * (row + 1) + ROW_PX // 2}
        )

    def tab(self) -> str:
        """Goes on to what the next tab reaches; what that is called."""
        self.page.keyboard.press("Tab")
        return str(self.page.evaluate(FOCUSED))

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
def recording(filled: Callable[[], Any]) -> Any:
    """A store of this module's own: more is recorded, and decided, while it is looked at."""
    return filled()


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
    assert one.wrong == []


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


def test_the_first_page_is_also_found_by_its_name(visitor: Any) -> None:
    one = visitor()
    one.go("overview?server=weather")
    one.page.get_by_role("heading", name="Overview", exact=True, level=1).wait_for()
    assert one.page.url == f"{one.address}?server=weather"
    expect(one.page.get_by_role("dialog")).to_have_count(0)
    assert one.wrong == []


def test_a_new_call_appears_without_a_reload(visitor: Any, recording: Any, mcptap: list[str]) -> None:
    one = visitor()
    one.go("")
    newest = one.page.locator(".st-key-table_newest [data-testid=glide-cell-0-0]")
    expect(newest).not_to_have_text("brand_new")
    recording.run("weather", recording.weather, (("brand_new", {}),))
    expect(newest).to_have_text("brand_new")
    assert one.wrong == []


def test_a_finding_is_reached_from_the_first_page_and_muted(visitor: Any, recording: Any) -> None:
    one = visitor()
    one.go("")
    one.pick("newest_findings", 0)
    one.page.get_by_role("link", name="Show the evidence").click()
    one.says("As the rules read it")
    finding_id = one.page.url.rpartition("finding=")[2]
    assert shown(recording, finding_id)
    one.page.get_by_label("Why").fill("known")
    one.press("Mute")
    try:
        one.says("muted findings are not shown")
        assert not shown(recording, finding_id)
    finally:
        (recording.home / FILE).unlink()
    assert one.wrong == []


def shown(recording: Any, finding_id: str) -> bool:
    """Whether `mcptap findings` lists it."""
    words = [*recording.program, "findings", "--home", str(recording.home), "--json", "--limit", "1000"]
    return finding_id in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_what_a_server_offers_is_approved_from_the_page(visitor: Any, recording: Any) -> None:
    one = visitor()
    one.go("security?security=Changed+definitions")
    one.page.get_by_role("combobox", name="What this server offers now").click()
    one.page.get_by_role("option", name="weather", exact=True).click()
    one.press("Approve")
    one.says("Kept.")
    assert "weather" in json.loads((recording.home / APPROVED).read_bytes())
    assert one.wrong == []


def test_navigation_filters_and_the_first_table_are_reached_by_keyboard(visitor: Any) -> None:
    one = visitor()
    one.go("servers")
    reached = [one.tab() for _ in range(KEYS)]
    wanted = {*LINKS, "Time", "Server", "Host", "Tool", "data-grid-canvas"}
    assert {word for told in reached for word in told.split()} >= wanted, reached
    assert any("stSidebarNavLink" in (told := one.tab()) and "Tools" in told.split() for _ in range(KEYS))
    one.page.keyboard.press("Enter")
    one.page.get_by_role("heading", name="Tools", exact=True, level=1).wait_for()
    assert one.wrong == []


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: make servers")
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility(visitor: Any, colours: str) -> None:
    one = visitor(color_scheme=colours)
    one.context.add_init_script(path=AXE)
    one.go("")
    broken = {name: one.turn(name) or one.page.evaluate(BROKEN_RULES) for name in LINKS}
    for path in ("servers?server=weather", "tools?tool=flaky", *DEEP):
        one.go(path)
        broken[path] = one.page.evaluate(BROKEN_RULES)
    assert not {place: rules for place, rules in broken.items() if rules}
    assert one.wrong == []


def test_the_layout_holds_around_lines_of_ten_megabytes(visitor: Any, recording: Any, hostile: Any) -> None:
    arguments = {"large": True, "text": hostile.long(hostile.HOSTILE)}
    recording.run("large", [sys.executable, hostile.__file__, ""], ((hostile.TOOL, arguments),))
    recording.settled("SELECT count(*) FROM runs WHERE name = 'large' AND state = 'ended'", 1)
    ((run_id, seq),) = recording.sql(
        "SELECT run_id, seq FROM exchanges JOIN runs USING (run_id) WHERE name = 'large' AND target IS NOT NULL"
    )
    one = visitor()
    for path in (f"runs?run={run_id}&part=Messages&seq={seq}", f"runs?run={run_id}&part=stderr", "?server=large"):
        one.go(path)
        harmless(one, path)
    assert one.wrong == []


def test_a_stopped_collector_and_a_locked_store_are_told_and_the_page_recovers(visitor: Any, recording: Any) -> None:
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
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(recording.home / "store.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        client.ensure(recording.home)
        one.says("Another program holds the database")
        holder.communicate(b"\n")
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
