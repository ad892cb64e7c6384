"""What every test may use, and the rule that with CI set nothing is left out.

The idea: on a developer's machine a missing tool skips a test with clear words; on a build machine (where CI
is set) a skipped test is a hole, so it fails. Only a test that belongs to another platform may be left out
there; its reason begins with `elsewhere:`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from mcptap.exporters.collector import client

settings.register_profile("suite", deadline=None)  # the machines are noisy
settings.load_profile("suite")

ROOT = Path(__file__).parent.parent
ALLOWED = "Skipped: elsewhere:"
LEAVING_S = 20.0
Report = pytest.TestReport | pytest.CollectReport


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Report, Report]:
    return nothing_left_out((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Report, Report]:
    return nothing_left_out((yield))


def nothing_left_out(report: Report) -> Report:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.startswith(ALLOWED):
            report.outcome, report.longrepr = "failed", f"left out although CI is set: {reason}"
    return report


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """The files that are (or would be) committed, relative to the checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    words = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, capture_output=True, check=True).stdout.decode().split("\0")
    return [Path(name) for name in listed if name and (ROOT / name).is_file()]


@pytest.fixture
def fresh_home(tmp_path: Path) -> Iterator[Path]:
    """A state directory of its own; a collector that was started for it is gone afterwards."""
    home = tmp_path / "home"
    yield home
    stop_collector(home)


def stop_collector(home: Path) -> None:
    until = time.monotonic() + LEAVING_S
    with suppress(client.NotRunningError, OSError):
        while time.monotonic() < until:
            client.request(home, "stop")
            time.sleep(0.05)
    if home.exists():  # one that is only starting answers nobody yet, and would stay for a minute
        for process in psutil.process_iter(["cmdline"]):
            if str(home) in (process.info["cmdline"] or ()) and process.pid != os.getpid():
                process.kill()


@pytest.fixture(scope="session")
def mcptap() -> list[str]:
    """The words that start mcptap, just as its console script does."""
    return [sys.executable, "-c", "from mcptap.exporters.entry import main; main()"]


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Finds a program; skips the test where it is missing."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"needs {name}")
        return path

    return find
