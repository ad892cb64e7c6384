"""Real tap processes, each with a state directory of its own, and nothing of them left behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from mcptap.exporters.selftest.host import Host
from mcptap.exporters.selftest.run import ODD_SERVER
from mcptap.exporters.store import read

MCPTAP = str(Path(sys.executable).with_name("mcptap"))
PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Tap:
    """How to start taps that record into one state directory, and how to ask what they recorded."""

    home: Path
    place: Path

    def around(self, *command: str | bytes, options: tuple[str, ...] = ()) -> list[str | bytes]:
        return [MCPTAP, "--home", str(self.home), *options, "--", *command]

    def odd(self, *words: str, options: tuple[str, ...] = ()) -> list[str | bytes]:
        return self.around(*ODD_SERVER, str(self.report), *words, options=options)

    @property
    def report(self) -> Path:
        return self.place / "report"

    def host(self, *words: str, options: tuple[str, ...] = ()) -> Host:
        """A host of the odd server behind the tap."""
        return Host(self.odd(*words, options=options), report=self.report)

    def say(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [MCPTAP, "--home", str(self.home), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """What the store answers; nothing while nobody serves it."""
        try:
            names, rows = read.run(sql, self.home)
        except read.NotServingError:
            return []
        return [dict(zip(names, row, strict=True)) for row in rows]

    def collector(self) -> int:
        """The collector's pid, as soon as there is one."""

        def pid() -> int | None:
            try:
                return int(json.loads((self.home / "collector.json").read_text())["pid"])
            except (OSError, ValueError, KeyError):
                return None

        return int(self.until(pid))

    @staticmethod
    def until(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """The first true value of `condition`; fails when none comes in time."""
        deadline = time.monotonic() + patience
        while not (value := condition()):
            assert time.monotonic() < deadline, f"not in {patience:g} s"
            time.sleep(0.02)
        return value

    @staticmethod
    def alive(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def stop(self) -> None:
        """Asks the collector to go, then makes sure: nothing that names this state directory stays."""
        self.say("stop")
        for process in psutil.process_iter(["cmdline"]):
            if str(self.home) in (process.info["cmdline"] or ()) and process.pid != os.getpid():
                process.kill()


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[Tap]:
    """A state directory for this test alone."""
    made = Tap(tmp_path / "home", tmp_path)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared_tap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tap]:
    """One state directory, and so one collector, for the tests of a module that only look at the traffic."""
    place = tmp_path_factory.mktemp("shared")
    made = Tap(place / "home", place)
    yield made
    made.stop()
