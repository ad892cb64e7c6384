"""The demo end to end: through the real wrapper, into a real store, and its own verdict on both."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from mcptap.exporters.demo import planted
from mcptap.exporters.demo.play import SCRIPTS, run_demo, stop

WRAPPER = [str(Path(sys.executable).with_name("mcptap"))]


def demo(home: Path | None, wrapper: list[str]) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=140)
    status = run_demo(home, wrapper, console)
    return status, console.file.getvalue()  # type: ignore[attr-defined]


def test_the_demo_makes_about_forty_calls_over_two_servers() -> None:
    assert len(SCRIPTS) == 2
    assert 35 <= sum(len(calls) for _, _, calls in SCRIPTS) <= 45


def test_everything_is_recorded_and_nothing_secret_is(tmp_path: Path) -> None:
    home = tmp_path / "kept"
    try:
        status, printed = demo(home, WRAPPER)
    finally:
        stop(home)
    assert status == 0, printed
    assert "that passed are recorded" in printed
    assert "planted secrets is anywhere" in printed
    assert "Calls per tool" in printed
    assert "slow_report" in printed
    assert "Secrets taken out" in printed
    assert f"MCPTAP_HOME={home}" in printed
    assert not [kind for kind, value in planted.secrets().items() if value in printed]


def test_a_home_of_its_own_is_gone_afterwards() -> None:
    status, printed = demo(None, WRAPPER)
    assert status == 0, printed
    directory = printed.split("Recording in ")[1].split(",")[0]
    assert not Path(directory).exists()


def test_a_wrapper_that_records_nothing_is_found_out(tmp_path: Path) -> None:
    program = "import os, sys; words = sys.argv[sys.argv.index('--') + 1:]; os.execvp(words[0], words)"
    status, printed = demo(tmp_path / "kept", [sys.executable, "-c", program])
    assert status == 1
    assert "not recorded" in printed or "demo failed" in printed


def test_a_wrapper_that_fails_is_one_clear_line(tmp_path: Path) -> None:
    program = "import sys; sys.exit('mcptap: no room')"
    status, printed = demo(tmp_path / "kept", [sys.executable, "-c", program])
    assert status == 1
    assert "demo failed" in printed
    assert "mcptap: no room" in printed
