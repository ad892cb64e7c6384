"""Runs are listed newest first, and found by whatever part of their id says which is meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcptap.exporters.cli.runs import ending, label, words


def test_runs_are_a_line_each_newest_first(recorded: Any) -> None:
    heading, *rows = recorded.say("runs").out.splitlines()
    assert heading.split()[:4] == ["run", "server", "host", "started"]
    assert [row.split()[0] for row in rows] == ["aaaa1111", "bbbb2222", "cccc3333"]
    plain = rows[0].split()
    assert plain[1:] == [
        "files",
        "2026-11-18",
        "14:06:40",
        "0.5",
        "exit",
        "3",
        "2",
        "1",
        "300",
        "400",
    ]  # two hours east


def test_runs_can_be_had_as_json(recorded: Any) -> None:
    first = json.loads(recorded.say("runs", "--json").out)[0]
    assert first["run_id"] == "01-plain-aaaa1111"
    assert first["started_at"] == "2026-11-18T12:06:40Z"
    assert (first["exit_code"], first["exchanges"], first["errors"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("words_", "found"),
    [
        (("--server", "files"), 2),
        (("--server", "nobody"), 0),
        (("--server", "' OR true --"), 0),
        (("--since", "2026-11-18T12:00:00Z"), 1),
        (("--since", "2026-11-18T14:00:00"), 1),
        (("--limit", "2"), 2),
    ],
)
def test_runs_can_be_filtered(recorded: Any, words_: tuple[str, ...], found: int) -> None:
    assert len(json.loads(recorded.say("runs", "--json", *words_).out)) == found


def test_what_was_left_out_is_told(recorded: Any) -> None:
    assert "the newest 1 of 3 runs" in recorded.say("runs", "-n", "1").err
    assert "no run is recorded that fits" in recorded.say("runs", "--server", "nobody").err


@pytest.mark.parametrize("wanted", ["01-plain-aaaa1111", "01-plain", "aaaa1111", "1111", "AAAA1111", "last"])
def test_a_run_is_found_by_a_part_of_its_id(recorded: Any, wanted: str) -> None:
    assert recorded.say("show", wanted).out.split()[:2] == ["run", "01-plain-aaaa1111"]


@pytest.mark.parametrize(
    ("wanted", "told"), [("0", "fits more than one run"), ("zzz", "no run has the id"), ("%", "no run")]
)
def test_a_run_that_is_not_known_or_not_meant_alone_is_told(recorded: Any, wanted: str, told: str) -> None:
    said = recorded.say("show", wanted)
    assert (said.status, said.out) == (1, "")
    assert told in said.err


def test_a_narrow_terminal_leaves_columns_out_and_then_makes_lists(recorded: Any) -> None:
    wide, narrow, narrowest = (
        recorded.on_terminal("runs", "--server", "files", columns=width).out for width in (120, 80, 30)
    )
    assert "server B" in wide
    assert "server B" not in narrow
    assert "2026-11-18 14:06:40" in narrow
    assert "row 1" in narrowest
    assert all(len(line) <= 120 for line in wide.splitlines() if "\x1b" not in line)


@pytest.mark.parametrize(
    ("state", "code", "number", "text"),
    [
        ("running", None, None, "running"),
        ("lost", None, None, "lost"),
        ("ended", 0, None, "exit 0"),
        ("ended", 127, None, "exit 127"),
        ("ended", None, 9, "SIGKILL"),
        ("ended", None, 99, "signal 99"),
        ("ended", None, None, "ended"),
    ],
)
def test_an_ending_is_named(state: str, code: int | None, number: int | None, text: str) -> None:
    assert ending(state, code, number)[0] == text


def test_a_server_is_called_by_the_best_name_there_is() -> None:
    assert label("mine", "its own", '["/bin/x"]') == "mine"
    assert label(None, "its own", '["/bin/x"]') == "its own"
    assert label(None, None, '["/usr/bin/x", "-v"]') == "x"
    assert label(None, None, None) == "?"
    assert words("not json") == ["not json"]
