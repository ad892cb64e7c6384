"""What a person with many servers asks is answered: for real recorded servers, for none, and for odd ones."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SUMMARIES = ("servers", "tools", "errors", "slow")
LONG, RIGHT_TO_LEFT = "x" * 3000, "\u05e9\u05dc\u05d5\u05dd" * 8


@pytest.fixture(scope="session")
def watched(
    tmp_path_factory: pytest.TempPathFactory, mcptap: list[str], stop_at_end: Callable[[Path], None], recorded: Any
) -> Any:
    """Two real servers, recorded through the tap: what `mcptap demo` plays."""
    home = tmp_path_factory.mktemp("watched") / "home"
    subprocess.run([*mcptap, "demo", "--keep", str(home)], capture_output=True, check=True, timeout=100)
    stop_at_end(home)
    return type(recorded)(home, mcptap)


def told(line: Any, *words: str) -> list[dict[str, Any]]:
    said = line.say(*words, "--json")
    assert (said.status, said.err) == (0, "")
    rows = json.loads(said.out)
    assert isinstance(rows, list)
    return rows


def test_recorded_servers_are_a_line_each(watched: Any) -> None:
    heading, *rows = watched.say("servers").out.splitlines()
    assert re.split(r" {2,}", heading)[:4] == ["server", "state", "calls", "errors"]
    assert [row.split()[:5] for row in rows] == [
        ["weather", "ended", "18", "27.8", "%"],
        ["workspace", "ended", "13", "15.4", "%"],
    ]
    weather = told(watched, "servers", "--server", "weather")
    assert [(row["server"], row["errors"], row["tools_used"]) for row in weather] == [("weather", 5, 3)]
    assert weather[0]["last_run_at"].endswith("Z")


def test_recorded_tools_are_told_with_their_errors_latency_and_results(watched: Any) -> None:
    tools = {(row["server"], row["tool"]): row for row in told(watched, "tools")}
    assert len(tools) == 7
    slow = tools["weather", "slow_report"]
    assert (slow["calls"], slow["errors"]) == (3, 0)
    assert 500 < slow["p50_ms"] <= slow["p95_ms"] <= slow["p99_ms"]
    assert tools["weather", "flaky"]["error_rate"] == pytest.approx(0.6)
    assert tools["workspace", "read_config"]["tokens_estimate"] == round(
        tools["workspace", "read_config"]["reply_bytes"] / 4
    )
    lines = watched.say("tools", "--server", "weather", "-n", "1")
    assert lines.out.splitlines()[1].split()[:3] == ["weather", "weather", "10"]
    assert "1 of 3 tools" in lines.err


def test_a_tool_that_fails_tells_why_and_such_errors_are_counted_together(watched: Any) -> None:
    errors = {(row["target"], row["outcome"]): row for row in told(watched, "errors")}
    weather = errors["weather", "tool_error"]
    assert (weather["errors"], weather["error_group"], weather["example"]) == (
        2,
        "no station in <text>",
        "no station in 'Atlantis'",
    )
    assert errors["delete_everything", "rpc_error"]["error_code"] == -32602
    shown = watched.say("show", f"{weather['example_run_id']}/{weather['example_seq']}").out
    assert "outcome    tool_error\n" in shown
    row = next(line for line in watched.say("errors").out.splitlines() if "no station" in line)
    assert watched.say("show", row.split()[-5]).out == shown


def test_the_slowest_recorded_calls_come_first(watched: Any) -> None:
    calls = told(watched, "slow", "-n", "5")
    assert [row["target"] for row in calls[:4]] == ["slow_report"] * 4
    assert [row["server_ms"] for row in calls] == sorted((row["server_ms"] for row in calls), reverse=True)
    assert len(calls) == 5
    first = watched.say("slow", "-n", "1").out.splitlines()[1].split()
    assert f"exchange   {first[0]}\n" in watched.say("show", first[0]).out


@pytest.mark.parametrize("command", SUMMARIES)
def test_a_summary_can_be_of_one_server_and_of_a_time(watched: Any, command: str) -> None:
    both = {row["server"] for row in told(watched, command)}
    assert both == {"weather", "workspace"}
    assert {row["server"] for row in told(watched, command, "--server", "weather")} == {"weather"}
    assert {row["server"] for row in told(watched, command, "--server", "mcptap-demo")} == both  # its own name
    assert {row["server"] for row in told(watched, command, "--since", "1h")} == both
    nobody = watched.say(command, "--server", "' OR true --")
    assert (nobody.status, len(nobody.out.splitlines())) == (0, 1)
    assert "that fits" in nobody.err


@pytest.mark.parametrize("command", [*SUMMARIES, "runs"])
def test_nothing_recorded_is_an_empty_answer(fresh: Any, command: str) -> None:
    fresh.home.mkdir(mode=0o700)
    assert json.loads(fresh.say(command, "--json").out) == []
    said = fresh.say(command)
    assert (said.status, said.out.count("\n"), said.err.count("\n")) == (0, 1, 1)
    assert said.err.endswith("is recorded yet\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("servers", "--since", "yesterday"), "is no time; write 10m, 2h, 1d"),
        (("tools", "--since", "2026-13-01"), "is no time"),
        (("errors", "--since", ""), "is no time"),
        (("slow", "--limit", "0"), "is not in the range"),
        (("servers", "--server"), "requires an argument"),
        (("tools", "--wat"), "No such option"),
        (("errors", "extra"), "unexpected extra argument"),
    ],
)
def test_a_bad_value_is_told_in_one_line(recorded: Any, words: tuple[str, ...], why: str) -> None:
    said = recorded.say(*words)
    assert (said.status, said.out) == (2, "")
    assert why in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("command", SUMMARIES)
@pytest.mark.parametrize("columns", [30, 80])
def test_a_line_fits_the_terminal(watched: Any, command: str, columns: int) -> None:
    said = watched.on_terminal(command, columns=columns)
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in said.out.splitlines()]
    assert said.status == 0
    assert len(lines) > 2
    assert max(map(len, lines)) <= columns
    assert "weather" in said.out


def test_a_server_is_found_by_what_it_is_called_in_the_tables(fresh: Any, journal_of: Callable[..., None]) -> None:
    journal_of(fresh.home, names=("", "files"))  # without a label it is called as its program is
    assert sorted(row["server"] for row in told(fresh, "servers")) == ["files", "serve"]
    for name, run_id in (("serve", "00-named"), ("files", "01-named")):
        assert [row["run_id"] for row in told(fresh, "runs", "--server", name)] == [run_id]
        assert [row["example_run_id"] for row in told(fresh, "errors", "--server", name)] == [run_id]
        assert fresh.say("show", "last", "--server", name).out.split()[:2] == ["run", run_id]


def test_names_that_are_long_or_run_from_right_to_left_keep_the_table(
    fresh: Any, journal_of: Callable[..., None]
) -> None:
    journal_of(fresh.home, names=(LONG, RIGHT_TO_LEFT, "[red]x[/red]"))
    for command in SUMMARIES:
        lines = fresh.on_terminal(command, columns=100).out.splitlines()
        assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in lines) <= 100
    assert {row["server"] for row in told(fresh, "servers")} == {LONG, RIGHT_TO_LEFT, "[red]x[/red]"}
    assert "[red]x[/red]" in fresh.say("servers").out
    assert "x" * 300 not in fresh.say("servers").out
