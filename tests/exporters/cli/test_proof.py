"""Selftest and demo run from the command line; what they prove has tests of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.cli import proof
from mcptap.exporters.cli.main import cli
from mcptap.exporters.selftest.run import CaseResult

SAME = CaseResult("a batch", "a sentence", "exit 0", "exit 0", True, "")
DIFFERING = CaseResult("a \x1b[31mline", "a sentence", "exit 0", "exit 1", False, "at byte 3: \u202e became x")


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[CaseResult]:
    """What the selftest is made to find."""
    found: list[CaseResult] = [SAME]

    def run_selftest(_wrapper: list[str], _command: object, _home: object, *, told: Any) -> list[CaseResult]:
        for result in found:
            told(result)
        return found

    monkeypatch.setattr("mcptap.exporters.selftest.run.run_selftest", run_selftest)
    return found


def _selftest(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with cli.make_context("mcptap", ["selftest", *words]) as context:
        status = cli.invoke(context)
    return status, capsys.readouterr().out


def test_no_difference_is_status_0(results: list[CaseResult], capsys: pytest.CaptureFixture[str]) -> None:
    status, out = _selftest(capsys)
    assert status == 0
    assert "all 1 cases are the same" in out


def test_a_difference_is_status_1_and_shown_harmlessly(
    results: list[CaseResult], capsys: pytest.CaptureFixture[str], obeyed: Any
) -> None:
    results.append(DIFFERING)
    status, out = _selftest(capsys)
    assert status == 1
    assert "1 of 2 cases differ" in out
    assert "became x" in out
    assert not obeyed(out)
    status, out = _selftest(capsys, "--json")
    assert [row["same"] for row in json.loads(out)] == [True, False]


def test_a_command_that_does_not_exist_is_one_line(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = "import mcptap.exporters.selftest.run as run; run.make_cases = lambda: (); "
    fresh.program = [*fresh.program[:-1], quick + fresh.program[-1]]
    said = fresh.say("selftest", "--", "no-such-server-anywhere")
    assert said.status == 1
    assert "no-such-server-anywhere: no such command" in said.err
    same = fresh.say("selftest", "--", sys.executable, "-m", "mcptap.exporters.demo.server", "weather")
    assert same.status == 0, same.out + same.err
    assert "your server" in same.out


def test_the_demo_can_be_kept(fresh: Any, tmp_path: Path, stop_at_end: Any) -> None:
    place = tmp_path / "kept"
    stop_at_end(place)
    said = fresh.say("demo", "--keep", str(place))
    assert "Calls per tool" in said.out
    assert "[bold]" not in said.out
    assert (place / "ledger.jsonl").exists()


def test_the_wrapper_is_the_program_that_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "mcptap"
    script.write_text("")
    script.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(script)])
    assert proof.wrapper() == [str(script)]
    monkeypatch.setattr("sys.argv", ["-c"])
    assert proof.wrapper()[1:] == ["-P", "-m", "mcptap.exporters.entry"]
