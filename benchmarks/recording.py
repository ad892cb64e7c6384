"""The recorder under measurement: its own home, its collector, and whether it really recorded.

A tap that has silently stopped recording is fast, so every run through it is counted in the store afterwards.
"""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psutil

from benchmarks.wire import Connection, echo_server
from mcptap.exporters.collector.client import NotRunningError, request
from mcptap.exporters.store import read

CATCH_UP = 20.0  # seconds without a new row after which the rest is given up
LEAVING = 300.0  # seconds for the collector to load what is left and leave
QUIET = 0.1  # seconds in which an idle collector uses next to no processor time


@dataclass(frozen=True)
class Recorded:
    """What the store shows of the runs of one name."""

    expected: int  # messages
    stored: int
    gap_bytes: int
    answered: int  # exchanges with the outcome `ok`

    @property
    def whole(self) -> bool:
        return self.stored == self.expected == 2 * self.answered and not self.gap_bytes

    def __str__(self) -> str:
        text = f"{self.stored:,} of {self.expected:,}"
        if unpaired := self.expected // 2 - self.answered:
            text += f", {unpaired:,} unpaired"
        return text + (f", gaps {self.gap_bytes:,} B" if self.gap_bytes else "")


class Recorder:
    """mcptap with a home of its own under `directory`."""

    def __init__(self, directory: Path, config: str = "") -> None:
        self.directory = directory
        self.home = directory / "home"
        if config:
            self.home.mkdir(mode=0o700)
            (self.home / "config.toml").write_text(config)
        self.command = _wrapper()
        self._collector: psutil.Process | None = None
        self._reader: duckdb.DuckDBPyConnection | None = None

    def prefix(self, name: str, *options: str) -> tuple[str, ...]:
        """What stands before a server's command to record it under that name."""
        return (*self.command, "--name", name, "--home", str(self.home), *options, "--")

    def start(self) -> None:
        """Has the collector run (unpinned, whoever is pinned later), record something, and come to rest."""
        connection = Connection((*self.prefix("prelude"), *echo_server(200)))
        connection.round_trip(200)
        connection.close()
        self.await_messages("prelude", 2)
        self.settle()

    def stop(self) -> None:
        """Ends the collector, if there is one, after it has written everything."""
        self._forget_reader()
        try:
            collector = self.collector
            request(self.home, "stop")
            collector.wait(LEAVING)
        except (NotRunningError, psutil.NoSuchProcess):
            pass
        self._collector = None

    @property
    def collector(self) -> psutil.Process:
        """The collector's process. Raises NotRunningError when there is none."""
        if self._collector is None or not self._collector.is_running():
            self._collector = psutil.Process(request(self.home, "status")["collector"]["pid"])
        return self._collector

    def cpu_seconds(self) -> float:
        """Processor time that the collector has used so far."""
        times = self.collector.cpu_times()
        return float(times.user + times.system)

    def await_collector(self, limit: float = 20.0) -> None:
        """Waits until the collector that a tap has started answers. Raises NotRunningError when none does."""
        deadline = time.monotonic() + limit
        while True:
            try:
                request(self.home, "ping")
                return
            except NotRunningError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def settle(self, limit: float = 60.0) -> None:
        """Waits until the collector has nothing more to do, so that its work falls on nobody else's turn."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            try:
                before = self.cpu_seconds()
                time.sleep(QUIET)
                if self.cpu_seconds() - before <= QUIET / 5:
                    return
            except (NotRunningError, psutil.NoSuchProcess):  # it is being started
                time.sleep(QUIET)

    def await_messages(self, name: str, expected: int) -> Recorded:
        """Waits until the store has that many messages of one name's runs, or adds none for a long while."""
        stored, deadline = -1, time.monotonic() + CATCH_UP
        while time.monotonic() < deadline:
            now = self.count("messages", name)
            if now >= expected:
                stored = now
                break
            if now > stored:
                stored, deadline = now, time.monotonic() + CATCH_UP
            time.sleep(0.05)
        gap_bytes = self._number(f"coalesce(sum(bytes), 0) from gaps {_of(name)}")
        answered = self._number(f"count(*) from exchanges {_of(name)} and outcome = 'ok'")
        return Recorded(expected, stored, gap_bytes, answered)

    def count(self, relation: str, name: str) -> int:
        """Rows of the runs of one name; 0 while there is no store."""
        return self._number(f"count(*) from {relation} {_of(name)}")

    def findings(self, runs: int) -> list[tuple[str, str, int, str]]:
        """Once so many runs have ended: severity, rule, how often, an example."""
        deadline = time.monotonic() + 3 * CATCH_UP
        while self._number("count(*) from runs where state <> 'running'") < runs and time.monotonic() < deadline:
            time.sleep(0.2)
        return self._rows(
            "severity, rule, count(*), any_value(evidence) from findings group by all order by severity, rule"
        )

    def _number(self, sql: str) -> int:
        """One number from the store."""
        rows = self._rows(sql)
        return int(rows[0][0]) if rows else 0

    def _rows(self, sql: str) -> list[Any]:
        """What the store answers, over a connection that is kept, so that asking takes little of the machine."""
        try:
            self._reader = self._reader or read.connect(self.home)
            return self._reader.execute("from store.query(?)", [f"select {sql}"]).fetchall()
        except (duckdb.Error, read.NotServingError):
            self._forget_reader()
            return []

    def _forget_reader(self) -> None:
        if self._reader:
            self._reader.close()
        self._reader = None


def _of(name: str) -> str:
    return f"where run_id in (select run_id from runs where name = '{name}')"


def _wrapper() -> tuple[str, ...]:
    beside = Path(sys.executable).with_name("mcptap")
    found = str(beside) if beside.exists() else shutil.which("mcptap")
    if not found:
        raise SystemExit("mcptap is not installed for this Python; try: pip install -e .")
    return (found,)
