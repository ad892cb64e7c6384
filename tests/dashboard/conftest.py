"""A store made by real runs, one of them hostile to the bone, and ways to look at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mcptap.dashboard import store
from mcptap.dashboard.presence import Lease
from mcptap.exporters.collector import client
from mcptap.exporters.demo.server import __file__ as demo_server
from mcptap.exporters.store import read

HOSTILE_SERVER = Path(__file__).with_name("hostile_server.py")
PATIENCE_S = 60.0
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("weather", {"city": "Oslo"}),
    ("weather", {"city": "Lima"}),
    ("weather", {"city": "Atlantis"}),
    ("flaky", {"attempt": 1}),
)
Rows = list[tuple[Any, ...]]


class Recording:
    """A state directory, and runs that are recorded in it."""

    def __init__(self, home: Path, program: list[str]) -> None:
        self.home, self.program, self.weather = home, program, weather()
        home.mkdir(mode=0o700)
        (home / "config.toml").write_text("[detection]\nenabled = true\n")

    def run(self, name: str, server: list[str], calls: tuple[tuple[str, dict[str, Any]], ...]) -> None:
        """A whole run of this server under this name."""
        info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "host", "version": "1"}}
        asked = [("initialize", info), ("tools/list", {})]
        asked += [("tools/call", {"name": tool, "arguments": arguments}) for tool, arguments in calls]
        lines = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p} for n, (m, p) in enumerate(asked)]
        words = [*self.program, "--home", str(self.home), "--name", name, "--", *server]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        subprocess.run(words, input=text.encode(), capture_output=True, check=False, timeout=PATIENCE_S)

    def sql(self, statement: str) -> Rows:
        """What `mcptap query` answers."""
        return read.run(statement, self.home)[1]

    def settled(self, sql: str, expected: Any) -> None:
        """Waits until a number is what it must become."""
        until = time.monotonic() + PATIENCE_S
        told: Any = None
        while told != expected:
            assert time.monotonic() < until, told
            time.sleep(0.05)
            with suppress(read.StoreError):
                told = self.sql(sql)[0][0]


def weather() -> list[str]:
    return [sys.executable, str(demo_server), "weather", "flaky"]


def fill(recording: Recording, hostile: Any) -> None:
    """The weather, and two runs of a hostile server; the second offers something else and crashes."""
    recording.run("weather", weather(), CALLS)
    calls = ((hostile.TOOL, {"text": hostile.HOSTILE}), (hostile.TOOL, {"fail": True}))
    for more in ("", " And more."):
        recording.run(hostile.HOSTILE, [sys.executable, str(HOSTILE_SERVER), more], calls)
    client.ensure(recording.home)
    recording.settled("SELECT count(*) FROM exchanges", 6 + 2 * 4)
    recording.settled("SELECT count(*) FROM runs WHERE state = 'ended'", 3)


@pytest.fixture(scope="session")
def hostile() -> Any:
    """The hostile server as a module: its words."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("hostile_server", HOSTILE_SERVER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def filled(
    tmp_path_factory: pytest.TempPathFactory, mcptap: list[str], hostile: Any, stop_at_end: Callable[[Path], None]
) -> Callable[[], Recording]:
    """Makes a filled state directory, with a collector that stays as long as the tests do."""

    def made() -> Recording:
        one = Recording(tmp_path_factory.mktemp("dashboard") / "home", mcptap)
        stop_at_end(one.home)
        fill(one, hostile)
        Lease(one.home).start()
        return one

    return made


@pytest.fixture(scope="session")
def recording(filled: Callable[[], Recording]) -> Recording:
    """A store that tests only look at, the same for all of them."""
    return filled()


@pytest.fixture(scope="session")
def stop_at_end() -> Iterator[Callable[[Path], None]]:
    """Collectors of these homes are gone in the end."""
    homes: list[Path] = []
    yield homes.append
    for home in homes:
        with suppress(client.NotRunningError, OSError):
            client.request(home, "stop")


@pytest.fixture
def shown(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """The same, as the home that pages are about, with no answer kept from the test before."""
    client.ensure(recording.home)
    recording.settled("SELECT 1", 1)
    monkeypatch.setitem(os.environ, "MCPTAP_HOME", str(recording.home))
    store.forget()
    return recording
